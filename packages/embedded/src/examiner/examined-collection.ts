import type { FilterNode } from "@nigh/contract";
import { type DeltaOptions, deltaOf, type Random, selectivityBand, targetFor, UNFILTERED } from "@nigh/recall";
import { churnOf } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import type { Searcher, SlotQuery } from "../memory/searcher.ts";
import type { DrawnQuery, SampledQuery } from "../recall/queries.ts";
import { changedSince, MOST_EXACT_BYTES, type ServedCell, type ServedTable, STALE_FROM } from "../recall/served.ts";
import { servedCells } from "./cells.ts";
import type { MatchesOf } from "./matches.ts";
import { groups, measureQuery } from "./measure.ts";
import type { ExaminedSpec } from "./messages.ts";
import { LEAST_QUERIES, MORE_LEAST, MORE_SHARE, MOST_MEASURED, MOST_QUERIES, MOST_QUERY_BYTES } from "./parameters.ts";
import { ladderWithoutPilot, placeLadder } from "./place-ladder.ts";
import { Process, placeOf } from "./process.ts";
import { type KeptQuery, Stratum } from "./stratum.ts";
import { Interrupted, Subject } from "./subject.ts";

/** What an examined collection needs of the thread around it. */
export interface ExaminerSurroundings {
	readonly random: Random;
	/** ms since 1970. */
	now(): number;
	readonly matchesOf: MatchesOf;
}

/** How long a run goes on. */
export interface RunLimits {
	/** Queries that are measured at most. */
	readonly maxQueries: number;
	/** Throws {@link Interrupted} where the work is to end; called often. */
	check(): void;
	/** Called after each query with how many have been measured. */
	onQuery?(done: number): void;
	/** Something else that is to be done between two queries. */
	between?(): Promise<void>;
}

/** What is known of the recall of one collection's index, and how more is found out. One thing at a time: the caller sees to that. */
export class ExaminedCollection {
	readonly key: number;
	readonly name: string;
	spec: ExaminedSpec;
	searcher: Searcher;
	/** The generation that serves by now; until what is under way has been interrupted, the one before is asked. */
	#next: Searcher | undefined;
	readonly strata = new Map<string, Stratum>();
	/** Counts the purges of queries. */
	purges = 0;
	/** ms that an audit takes, about. */
	auditMs = 0;
	/** What the tuner has learned, as it is to be written down. */
	tuned: unknown;
	/** What the thread that draws audits knows of it. */
	toldMs = 0;
	/** Whether it is to be let go of: what is under way ends. */
	isClosing = false;
	/** Whether there is something that has not been written down. */
	isChanged = false;
	readonly around: ExaminerSurroundings;

	constructor(key: number, name: string, spec: ExaminedSpec, searcher: Searcher, around: ExaminerSurroundings) {
		this.key = key;
		this.name = name;
		this.spec = spec;
		this.searcher = searcher;
		this.around = around;
	}

	get identity(): string {
		return this.searcher.generation.handle.identity?.id ?? "";
	}

	get table(): ServedTable {
		const { key, identity, purges, auditMs } = this;
		const cellsOf = (index: string) => [...this.strata.values()].flatMap((stratum) => servedCells(stratum, index));
		const next = this.#nextIdentity;
		return {
			key,
			identity,
			cells: cellsOf(identity),
			purges,
			auditMs,
			isFlatQuick: this.searcher.bytesOfAll({ k: 1 }) <= MOST_EXACT_BYTES,
			...(next !== undefined && { next: { identity: next, cells: cellsOf(next) } }),
		};
	}

	/** Of the index that is being built, where it has been asked. */
	get #nextIdentity(): string | undefined {
		for (const { ofNext } of this.strata.values()) if (ofNext !== undefined) return ofNext.place.identity;
		return undefined;
	}

	/** Another generation serves, of the same index or another: it is asked from the next {@link settle} on. */
	follow(searcher: Searcher): void {
		this.#next?.close();
		this.#next = searcher;
	}

	/** Whether what is under way asks a generation that does not serve any more. */
	get isOutdated(): boolean {
		return this.#next !== undefined;
	}

	/** Goes on with the generation that serves. To be called when nothing is under way. Returns whether there was another. */
	settle(): boolean {
		if (this.#next === undefined) return false;
		this.searcher.close();
		this.searcher = this.#next;
		this.#next = undefined;
		for (const stratum of this.strata.values()) stratum.beginIndex(this.identity);
		// What was known of an index that has taken over is known of the one that serves now.
		this.isChanged = true;
		return true;
	}

	/** Another recall may be wanted from now on, and queries may have to be forgotten. */
	respec(spec: ExaminedSpec): void {
		this.spec = spec;
		const target = targetFor(spec.recall);
		for (const stratum of this.strata.values()) {
			stratum.addTarget(target);
			if (!spec.logQueries) stratum.queries.clear();
		}
		this.isChanged = true;
	}

	/** Some queries of each stratum, to measure times by. */
	sample(most: number): SampledQuery[] {
		return [...this.strata.values()].flatMap(({ k, band, queries }) =>
			queries.items.slice(0, most).map(({ vector, node }) => ({ vector, k, band, node })),
		);
	}

	close(): void {
		this.#next?.close();
		this.searcher.close();
	}

	stratum(k: number, band: number): Stratum {
		const name = `${k}/${band}`;
		let stratum = this.strata.get(name);
		if (stratum === undefined) {
			stratum = new Stratum(k, band, this.around.random);
			stratum.addTarget(targetFor(this.spec.recall));
			this.strata.set(name, stratum);
		}
		return stratum;
	}

	/** Takes in queries that were searched for. Without a log of queries, those of each band are kept only until they have been measured. */
	keep(queries: readonly DrawnQuery[]): void {
		for (const { vector, bands, node, share, target } of queries) {
			for (const band of bands) {
				const stratum = this.stratum(band, selectivityBand(share));
				stratum.addTarget(target);
				stratum.keep({ vector, node }, { mayPlace: this.spec.logQueries });
			}
		}
		this.makeRoom();
		this.isChanged = true;
	}

	/** Takes in queries that somebody has given to be certified by. */
	give(stratum: Stratum, queries: readonly Pick<KeptQuery, "vector" | "node">[]): void {
		stratum.give(queries, this.#current(stratum), { mayPlace: this.spec.logQueries });
		this.makeRoom();
		this.isChanged = true;
	}

	/** The bands of all keep no more than so many together: the largest gives up first. What must not be kept is not where nothing asks it. */
	makeRoom(): void {
		if (!this.spec.logQueries) {
			for (const stratum of this.strata.values()) if (!this.#asksAtOnce(stratum)) stratum.queries.clear();
		}
		let kept = 0;
		for (const { queries } of this.strata.values()) kept += queries.items.length;
		const most = Math.min(
			MOST_QUERIES,
			Math.floor(MOST_QUERY_BYTES / vectorBytes(this.searcher.generation.handle.format)),
		);
		for (; kept > most; kept--) {
			let largest: Stratum | undefined;
			for (const stratum of this.strata.values()) {
				if (largest === undefined || stratum.queries.items.length > largest.queries.items.length) largest = stratum;
			}
			largest?.queries.shrink();
		}
	}

	/** Forgets the queries of a stratum: others are drawn as if none had come. */
	purge(stratum: Stratum): void {
		stratum.queries.clear();
		this.purges++;
		this.isChanged = true;
	}

	/** The share of the records that a filter matches. */
	async shareOf(node: FilterNode): Promise<number> {
		const { count } = await this.#filtered(node, async ({ matches }) => matches);
		return count / Math.max(1, this.searcher.generation.live);
	}

	/** A stratum whose queries have something to tell that is not known yet. */
	get due(): Stratum | undefined {
		for (const stratum of this.strata.values()) if (this.#isDue(stratum)) return stratum;
		return undefined;
	}

	#isDue(stratum: Stratum): boolean {
		if (stratum.targets.size === 0 || stratum.isPostponed) return false;
		// What must not be kept is asked as it comes.
		if (!this.spec.logQueries) return this.#asksAtOnce(stratum);
		const process = this.#current(stratum);
		if (process === undefined) {
			return stratum.pilot !== undefined && stratum.unused(undefined).length >= LEAST_QUERIES;
		}
		if (process.asked >= MOST_MEASURED || !process.isOpen) return false;
		return stratum.unused(process).length >= Math.max(MORE_LEAST, process.asked * MORE_SHARE);
	}

	/** Without a log of queries: whether there is one that has something to tell. */
	#asksAtOnce(stratum: Stratum): boolean {
		const process = this.#current(stratum);
		if (stratum.targets.size === 0 || stratum.unused(process).length === 0) return false;
		return process === undefined || (process.isOpen && process.asked < MOST_MEASURED);
	}

	/** The process that goes on; `undefined` where another has to be begun, since the index is another or has changed. */
	#current({ byQueries }: Stratum): Process | undefined {
		return byQueries !== undefined && this.#holds(byQueries) ? byQueries : undefined;
	}

	#holds({ place }: Process): boolean {
		const { generation } = this.searcher;
		return place.identity === this.identity && changedSince(place, churnOf(generation)) <= STALE_FROM;
	}

	/** Certifies the cells of a stratum by its queries, as far as they go. What was measured before it is interrupted stays. */
	async certify(stratum: Stratum, limits: RunLimits, asked: AskedFor = BY_ITSELF): Promise<void> {
		if (stratum.targets.size === 0) return;
		const known = this.#current(stratum);
		const delta = asked === BY_ITSELF ? undefined : deltaOf({ ...asked, rebuilds: stratum.rebuilds });
		// No rung has been measured further than its own delta wanted: less doubt takes the same queries again.
		const isTooLittle = known !== undefined && delta !== undefined && delta < known.delta && this.spec.logQueries;
		const process = (isTooLittle ? undefined : known) ?? (await this.#begin(stratum, limits, asked)) ?? known;
		if (process === undefined) return;
		if (delta !== undefined) process.retest(delta);
		const maxQueries =
			asked === BY_ITSELF ? Math.min(limits.maxQueries, MOST_MEASURED - process.asked) : limits.maxQueries;
		// Without a log, those that were searched for before it began are gone: what comes now is wanted again.
		if (process !== known && !this.spec.logQueries) this.purges++;
		stratum.beginProcess(process);
		this.isChanged = true;
		try {
			await this.#measure(process, stratum, stratum.unused(process), { ...limits, maxQueries }, (query) => {
				query.usedBy = process;
				if (query.given !== undefined) process.given.add(query.given);
			});
		} finally {
			if (!this.spec.logQueries) {
				stratum.forgetUsed();
				this.makeRoom();
			}
			// An audit may have voided this one meanwhile.
			if (stratum.byQueries === process && (process.isConclusive || process.keepsAll)) stratum.settle();
		}
	}

	async #begin(stratum: Stratum, limits: RunLimits, asked: AskedFor): Promise<Process | undefined> {
		const { pilot } = stratum;
		if (pilot === undefined && this.spec.logQueries && asked === BY_ITSELF) return undefined;
		if (stratum.unused(undefined).length === 0) return undefined;
		const place = placeOf(this.searcher.generation);
		const placing = this.spec.logQueries ? (pilot ?? []) : [];
		const ladder =
			placing.length === 0
				? ladderWithoutPilot(this.searcher, stratum.k)
				: await this.#ladder(stratum, placing, limits);
		const delta = deltaOf({ ...asked, rebuilds: stratum.rebuilds });
		const process = new Process({ place, basis: "queries", ladder, targets: [...stratum.targets], delta });
		for (const { given } of placing) if (given !== undefined) process.given.add(given);
		return process;
	}

	/** With a filter, by the pilot's queries of the filter that most of them have: its matches have to be at hand. */
	async #ladder(stratum: Stratum, pilot: readonly KeptQuery[], limits: RunLimits) {
		const { k, band, highestTarget: target } = stratum;
		if (band === UNFILTERED) {
			const subject = new Subject(this.searcher, limits.check);
			return placeLadder(subject, vectorsOf(pilot), k, target);
		}
		const same = commonest(pilot);
		return this.#filtered(same[0]?.node as FilterNode, (options) => {
			const subject = new Subject(this.searcher, limits.check, options);
			return placeLadder(subject, vectorsOf(same), k, target);
		});
	}

	/** Measures queries on all rungs that are worth it, until there is nothing more to find out, or an audit has found that they are of the past. */
	async #measure(
		process: Process,
		stratum: Stratum,
		queries: readonly KeptQuery[],
		limits: RunLimits,
		onUsed: (query: KeptQuery) => void,
	): Promise<void> {
		const { k } = stratum;
		let done = 0;
		for (const group of groups(queries)) {
			if (done >= limits.maxQueries || !process.isOpen || stratum.byQueries !== process) return;
			await this.#within(group, limits, async (subject) => {
				const truths = await subject.truths(vectorsOf(group), k);
				for (const [i, query] of group.entries()) {
					if (done >= limits.maxQueries) return;
					const truth = truths[i];
					// Nothing more can pass: the others are not asked.
					if (!process.isOpen) return;
					if (truth !== undefined)
						await measureQuery(process, subject, { vector: query.vector, k, truth }, this.around);
					onUsed(query);
					limits.onQuery?.(++done);
				}
			});
			await limits.between?.();
			limits.check();
		}
	}

	/** Asks the index at its newest state; with a filter, at that of its matches. */
	async #within(
		group: readonly KeptQuery[],
		limits: RunLimits,
		use: (subject: Subject) => Promise<void>,
	): Promise<void> {
		const node = group[0]?.node;
		if (node === undefined) return use(new Subject(this.searcher, limits.check));
		return this.#filtered(node, (options) => use(new Subject(this.searcher, limits.check, options)));
	}

	async #filtered<T>(
		node: FilterNode,
		use: (options: { readonly matches: NonNullable<SlotQuery["matches"]>; readonly change: number }) => Promise<T>,
	): Promise<T> {
		const matches = await this.around.matchesOf(this, node);
		if (matches === undefined) throw new Interrupted("the matches of a filter are not in the memory yet");
		return use({ matches, change: matches.change });
	}
}

/** What certificates are to be like. */
export type AskedFor = Pick<DeltaOptions, "confidence" | "cells">;

/** Those that are made without being asked for. */
export const BY_ITSELF: AskedFor = { confidence: 0.95 };

function vectorsOf(queries: readonly KeptQuery[]): readonly SlotQuery["vector"][] {
	return queries.map(({ vector }) => vector);
}

/** The queries of the filter that most have. */
function commonest(queries: readonly KeptQuery[]): readonly KeptQuery[] {
	const byNode = Map.groupBy(queries, ({ node }) => JSON.stringify(node));
	return [...byNode.values()].reduce((most, each) => (each.length > most.length ? each : most));
}

/** The cells that a table says are certified. */
export function certifiedAmong(cells: readonly ServedCell[]): number {
	return cells.filter(({ state }) => state === "certified" || state === "provisional").length;
}
