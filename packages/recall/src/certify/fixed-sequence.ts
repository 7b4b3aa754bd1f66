import { BettingTest } from "../bounds/betting.ts";

/** Queries of which a rung has to have answered every one exactly before the sequence goes past it. */
const LEAST_EXACT = 64;

/**
 * Which rungs of a ladder keep one target: fixed-sequence testing from the dearest to the cheapest, each at the full delta, until the first that
 * does not pass (Maurer, Hothorn & Lehmacher 1995; the use for a risk is "fixed sequence testing" of Angelopoulos et al., "Learn then Test", arXiv
 * 2110.01052). That any rung passes which should not has probability at most delta: let r be the first whose mean is below the target; as
 * long as r does not pass nothing after it is tested, and r passes with probability at most delta. So all that have passed may be served,
 * whatever their recalls have to do with one another.
 *
 * Taking the cheapest of all rungs that clear the target would not be valid: with many of them below it, one or the other clears by chance.
 *
 * A rung is tested by the queries that it answers approximately. One that answers every query exactly has none: it is passed over, and is not
 * certified either. Which queries those are is told before what they find, so that given that, the order of the tests is a fixed one.
 */
export class FixedSequence {
	readonly target: number;
	readonly delta: number;
	/** Rungs that have passed, the dearest first. */
	readonly passed: number[] = [];
	readonly #rungs: number;
	#test: BettingTest;
	#testing = 0;

	constructor(rungs: number, target: number, delta: number) {
		this.#rungs = rungs;
		this.target = target;
		this.delta = delta;
		this.#test = new BettingTest(target, delta);
	}

	/**
	 * Takes in what has been measured: `recalls[r][i]` is the recall of query `i`, in the order that was drawn beforehand, on rung `r`. Recalls are
	 * only ever added to the end, without gaps.
	 *
	 * @param exact By rung: queries that it has answered exactly, which are not among its recalls. Default: none.
	 */
	advance(recalls: readonly (readonly number[])[], exact: readonly number[] = []): void {
		while (this.#testing < this.#rungs) {
			const measured = recalls[this.#testing] as readonly number[];
			while (!this.#test.passed && this.#test.size < measured.length)
				this.#test.add(measured[this.#test.size] as number);
			if (this.#test.passed) this.passed.push(this.#testing);
			else if (measured.length > 0 || (exact[this.#testing] ?? 0) < LEAST_EXACT) return;
			this.#testing++;
			this.#test = new BettingTest(this.target, this.delta);
		}
	}

	/** The rung that is tested now, and how many recalls its test has seen; `undefined` after the last. */
	get testing(): { readonly rung: number; readonly seen: number } | undefined {
		return this.#testing === this.#rungs ? undefined : { rung: this.#testing, seen: this.#test.size };
	}
}
