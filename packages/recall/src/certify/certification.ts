import { bettingLowerBound } from "../bounds/betting.ts";
import { RecallCounts } from "../bounds/counts.ts";
import { checkRecall } from "../recall-of.ts";
import { FixedSequence } from "./fixed-sequence.ts";

/** A measurement that is needed: the recall of one query on one rung. */
export interface Ask {
	/** Of the ladder, 0 being the dearest. */
	readonly rung: number;
	/** The place of the query in the order that was drawn beforehand. */
	readonly query: number;
}

/** That a rung keeps a target. */
export interface Certificate {
	readonly target: number;
	/** The cheapest rung that has passed; -1: none, so that only the exact search keeps the target. */
	readonly rung: number;
	/** 1 - delta. */
	readonly confidence: number;
	/** Queries that were measured on that rung. */
	readonly queries: number;
	/** Their plain mean, which describes them and promises nothing; 1 of the exact search. */
	readonly estimate: number;
	/** The rung that is tested now, which all queries there were have not let pass; `undefined` after the last. */
	readonly testing: number | undefined;
}

/** What was measured on one rung. */
export interface RungReport {
	readonly queries: number;
	readonly mean: number;
	/** That the means of *all* rungs are above their lower bounds has probability 1 - delta: each is at delta / rungs. */
	readonly lowerBound: number;
}

/** Queries after which a rung may be given up. */
const LEAST_TO_GIVE_UP = 64;

export interface CertificationOptions {
	/** Rungs of the ladder before the exact one, the dearest first: as they were fixed before the first query was drawn. */
	readonly rungs: number;
	/** Of the grid, above 0 and below 1. More can be added later. */
	readonly targets: readonly number[];
	/** How likely a certificate may be wrong: above 0, below 1. */
	readonly delta: number;
}

/**
 * The certification of one cell's ladder: it tells which recall to measure next, and what the measurements have certified. It can be stopped
 * after any of them and gone on with later, with more queries: every state is valid, since every test is.
 *
 * The caller draws the queries and their order before the first is measured, and answers what is asked in that order. What has been measured is
 * kept by rung, and serves all targets.
 *
 * @example
 * const certification = new Certification({ rungs: ladder.length, targets: [0.95], delta: 0.05 });
 * for (let ask = certification.next(queries.length); ask !== undefined; ask = certification.next(queries.length)) {
 *   certification.record(ask, measure(ladder[ask.rung], queries[ask.query]));
 * }
 * certification.certificate(0.95); // { target: 0.95, rung: 17, queries: 431, estimate: 0.9612, ... }
 */
export class Certification {
	readonly rungs: number;
	readonly delta: number;
	/** By rung: the recall of each query, in their order. */
	readonly recalls: readonly (readonly number[])[];
	readonly #recalls: number[][];
	/** By rung: queries that it has answered exactly, which are not among its recalls. */
	readonly exact: readonly number[];
	readonly #exact: number[];
	/** The same counted, so that looking at a certificate after every query costs no more than looking once. */
	readonly #counts: readonly RecallCounts[];
	readonly #sequences = new Map<number, FixedSequence>();

	constructor({ rungs, targets, delta }: CertificationOptions) {
		this.rungs = rungs;
		this.delta = delta;
		this.#recalls = Array.from({ length: rungs }, () => []);
		this.recalls = this.#recalls;
		this.#exact = Array.from({ length: rungs }, () => 0);
		this.exact = this.#exact;
		this.#counts = this.#recalls.map(() => new RecallCounts());
		for (const target of targets) this.addTarget(target);
	}

	/**
	 * Goes on from the recalls of an earlier one of the same ladder, delta and order of queries: its certificates are the same.
	 *
	 * @param exact Its {@link exact}. Default: none.
	 * @throws RangeError for what is no recall.
	 */
	static from(
		options: CertificationOptions,
		recalls: readonly (readonly number[])[],
		exact: readonly number[] = [],
	): Certification {
		const certification = new Certification({ ...options, targets: [] });
		for (const [rung, count] of exact.slice(0, options.rungs).entries()) certification.#exact[rung] = count;
		for (const [rung, known] of recalls.slice(0, options.rungs).entries()) {
			for (const recall of known) certification.#keep(rung, recall);
		}
		for (const target of options.targets) certification.addTarget(target);
		return certification;
	}

	get targets(): readonly number[] {
		return [...this.#sequences.keys()];
	}

	/** One more target, which what has been measured so far serves as well. */
	addTarget(target: number): void {
		if (this.#sequences.has(target)) return;
		const sequence = new FixedSequence(this.rungs, target, this.delta);
		sequence.advance(this.#recalls, this.#exact);
		this.#sequences.set(target, sequence);
	}

	/** What to measure next, of so many queries; `undefined` where they have nothing more to tell. */
	next(queries: number): Ask | undefined {
		for (const sequence of this.#sequences.values()) {
			const { testing } = sequence;
			if (testing === undefined) continue;
			const query = (this.#recalls[testing.rung] as number[]).length;
			if (query < queries) return { rung: testing.rung, query };
		}
		return undefined;
	}

	/**
	 * The rungs that one more query is worth measuring on, the dearest first: from the first that is still being tested on, as long as a rung may yet
	 * pass for the least of the targets. For who has a query once, and measures it on all of them: what is measured before its rung is tested
	 * serves when it is. Which rungs these are depends on what was measured before and on nothing of the query to come, so that every
	 * rung has a fair sample of the queries. Empty: nothing more can pass.
	 */
	get worthwhile(): readonly number[] {
		let [first, least] = [this.rungs, 1];
		for (const { testing, target } of this.#sequences.values()) {
			if (testing === undefined) continue;
			if (testing.rung < first && !this.#isHopeless(testing.rung, target)) first = testing.rung;
			least = Math.min(least, target);
		}
		const found: number[] = [];
		for (let rung = first; rung < this.rungs && !this.#isHopeless(rung, least); rung++) found.push(rung);
		return found;
	}

	/**
	 * Whether the rung that is next to pass for a target has been given up: no number of further queries is likely to let it.
	 *
	 * @param target One of {@link targets}.
	 */
	isGivenUp(target: number): boolean {
		const testing = this.#sequences.get(target)?.testing;
		return testing !== undefined && this.#isHopeless(testing.rung, target);
	}

	/** Whether a rung's mean is so far below a target that no number of further queries is likely to let it pass. */
	#isHopeless(rung: number, target: number): boolean {
		const { size, mean } = this.#counts[rung] as RecallCounts;
		if (size < LEAST_TO_GIVE_UP) return false;
		// A recall lies between 0 and 1, so that its variance is at most mean (1 - mean).
		return mean + 3 * Math.sqrt((mean * (1 - mean)) / size) < target;
	}

	/**
	 * Takes in the answer to the last {@link next}, or one for a {@link worthwhile} rung, whose `query` counts its own recalls then.
	 *
	 * @param recall 0 to 1.
	 * @throws RangeError for what is no recall, and for an answer that is not the next one of its rung.
	 */
	record({ rung, query }: Ask, recall: number): void {
		const measured = this.#recalls[rung] as number[];
		if (measured.length !== query)
			throw new RangeError(`query ${query} of rung ${rung} is out of turn: ${measured.length} is next`);
		this.#keep(rung, recall);
		this.#advance();
	}

	/**
	 * Takes in what one query has found on each of some {@link worthwhile} rungs.
	 *
	 * @param recalls 0 to 1; `undefined` on a rung that has answered it exactly: a certificate is of approximate answers, and what says of itself
	 * that it is exact is none.
	 * @throws RangeError for what is no recall: nothing of the query has been taken in then.
	 */
	recordQuery(rungs: readonly number[], recalls: readonly (number | undefined)[]): void {
		for (const recall of recalls) if (recall !== undefined) checkRecall(recall);
		for (const [i, rung] of rungs.entries()) {
			const recall = recalls[i];
			if (recall === undefined) this.#exact[rung] = (this.#exact[rung] as number) + 1;
			else this.#keep(rung, recall);
		}
		this.#advance();
	}

	#advance(): void {
		for (const sequence of this.#sequences.values()) sequence.advance(this.#recalls, this.#exact);
	}

	/**
	 * The rungs that have passed, the dearest first. All of them may serve.
	 *
	 * @param target One of {@link targets}.
	 */
	certified(target: number): readonly number[] {
		return this.#sequence(target).passed;
	}

	/** @param target One of {@link targets}. */
	certificate(target: number): Certificate {
		const sequence = this.#sequence(target);
		const rung = sequence.passed.at(-1) ?? -1;
		const counts = this.#counts[rung];
		return {
			target,
			rung,
			confidence: 1 - this.delta,
			queries: counts?.size ?? 0,
			estimate: counts?.mean ?? 1,
			testing: sequence.testing?.rung,
		};
	}

	#sequence(target: number): FixedSequence {
		const sequence = this.#sequences.get(target);
		if (sequence === undefined) throw new RangeError(`${target} is none of the targets`);
		return sequence;
	}

	/** The plain mean recall of a rung; NaN before the first query. */
	meanOf(rung: number): number {
		return this.#counts[rung]?.mean ?? Number.NaN;
	}

	/** What was measured on a rung, with a lower bound that holds for all rungs together; `undefined` before the first query. */
	report(rung: number): RungReport | undefined {
		const counts = this.#counts[rung];
		if (counts === undefined || counts.size === 0) return undefined;
		return { queries: counts.size, mean: counts.mean, lowerBound: bettingLowerBound(counts, this.delta / this.rungs) };
	}

	#keep(rung: number, recall: number): void {
		(this.#recalls[rung] as number[]).push(checkRecall(recall));
		(this.#counts[rung] as RecallCounts).add(recall);
	}
}
