import { createHash } from "node:crypto";
import type { FilterNode } from "@nigh/contract";
import { type Random, Reservoir, type SelectivityBand } from "@nigh/recall";
import type { SlotQuery } from "../memory/searcher.ts";
import { QUERIES_KEPT } from "../recall/sampling.ts";
import type { Breach } from "../recall/served.ts";
import { LEAST_PILOT, MOST_PILOT, PILOT_ONE_IN } from "./parameters.ts";
import type { Process } from "./process.ts";

/** A query that is kept. */
export interface KeptQuery {
	readonly vector: SlotQuery["vector"];
	readonly node: FilterNode | undefined;
	/** It places ladders, and never certifies. */
	readonly isPilot: boolean;
	/** Its place in the order in which queries are measured, drawn as it comes: 0 to below 1. */
	readonly rank: number;
	/** Tells a query that somebody has given from others; left out of those that were searched for. */
	readonly given?: string;
	/** The process that has measured it last. */
	usedBy?: Process;
}

/** What is asked of a query that is to be kept. */
export interface KeepOptions {
	/** Whether it may place a ladder: not where no query is kept for longer than it takes to measure it. Default: true. */
	readonly mayPlace?: boolean;
	readonly given?: string;
}

/** All searches of one band of k and of selectivity: their queries, and what is known of their recall. */
export class Stratum {
	readonly k: number;
	readonly band: SelectivityBand;
	readonly queries: Reservoir<KeptQuery>;
	/** Of the grid. */
	readonly targets = new Set<number>();
	/** By the queries that were searched for, and by vectors that the index had not taken in. */
	byQueries: Process | undefined;
	byHeldOut: Process | undefined;
	/** The one before {@link byQueries}, of the same index: what it has certified is stale, and serves until there is better. */
	earlier: Process | undefined;
	/** As {@link byHeldOut}, of an index that does not serve yet. */
	ofNext: Process | undefined;
	breach: Breach | undefined;
	/** Indexes in a row that were built after one that was asked and not certified for every target: whatever the reason, the next is a further attempt. */
	rebuilds = 0;
	/** Its queries could not be measured, for a reason that is not theirs: it is tried again when more have come, or with another generation. */
	isPostponed = false;
	readonly #random: Random;

	constructor(k: number, band: SelectivityBand, random: Random) {
		this.k = k;
		this.band = band;
		this.#random = random;
		this.queries = new Reservoir(QUERIES_KEPT, random);
	}

	/** Keeps a query; whether it is a pilot's is drawn as it comes, and so is its turn. */
	keep({ vector, node }: Pick<KeptQuery, "vector" | "node">, { mayPlace = true, given }: KeepOptions = {}): void {
		const isPilot = mayPlace && this.#random() * PILOT_ONE_IN < 1;
		this.queries.admit({ vector, node, isPilot, rank: this.#random(), ...(given !== undefined && { given }) });
		this.isPostponed = false;
	}

	/**
	 * Keeps queries that a caller has chosen. Those that were given before are no new draw: each stays what it was drawn for then, and counts once.
	 *
	 * @param process The one that goes on, if there is one.
	 */
	give(
		queries: readonly Pick<KeptQuery, "vector" | "node">[],
		process: Process | undefined,
		options: Pick<KeepOptions, "mayPlace"> = {},
	): void {
		const known = new Set(this.queries.items.flatMap(({ given }) => given ?? []));
		for (const query of queries) {
			const given = digestOf(query);
			if (!known.has(given) && process?.given.has(given) !== true) this.keep(query, { ...options, given });
		}
	}

	/** @param target Of the grid; what only the exact search keeps is none. */
	addTarget(target: number): void {
		if (target >= 1 || this.targets.has(target)) return;
		this.targets.add(target);
		for (const process of [this.byQueries, this.earlier, this.byHeldOut, this.ofNext])
			process?.certification.addTarget(target);
	}

	get highestTarget(): number {
		return Math.max(...this.targets);
	}

	/** Queries that place ladders; `undefined` as long as there are too few. */
	get pilot(): readonly KeptQuery[] | undefined {
		const pilot = this.queries.items.filter(({ isPilot }) => isPilot);
		return pilot.length < LEAST_PILOT ? undefined : pilot.slice(0, MOST_PILOT);
	}

	/**
	 * Queries that a process has not measured yet, in the order in which they are to be. That order has nothing to do with what was found: one that was
	 * interrupted, which is likely one that takes long, comes first the next time.
	 */
	unused(process: Process | undefined): KeptQuery[] {
		return this.queries.items
			.filter(({ isPilot, usedBy }) => !isPilot && (process === undefined || usedBy !== process))
			.sort((a, b) => a.rank - b.rank);
	}

	/** Lets go of queries that are not to be kept once they have been measured. */
	forgetUsed(): void {
		const { items } = this.queries;
		const unused = items.filter(({ usedBy }) => usedBy === undefined);
		items.splice(0, items.length, ...unused);
	}

	/** Whether there is anything about it. */
	get isKnown(): boolean {
		return this.queries.items.length > 0 || this.byQueries !== undefined || this.byHeldOut !== undefined;
	}

	/** Another process goes on. */
	beginProcess(process: Process): void {
		if (this.byQueries === process) return;
		this.earlier = this.byQueries;
		this.byQueries = process;
	}

	/** @param id Of one that may serve. */
	processOf(id: string): Process | undefined {
		return [this.byQueries, this.earlier, this.byHeldOut].find((process) => process?.id === id);
	}

	/** What {@link byQueries} has found is what the index is like: a target that it has not certified is not breached any more, but unreachable. */
	settle(): void {
		this.breach = undefined;
		this.earlier = undefined;
	}

	/** A drop has been found: no certificate holds any more, for whatever target, and queries from before it say nothing of those to come. */
	voidAll(breach: Breach): void {
		const widest = (this.byQueries ?? this.byHeldOut)?.ladder[0];
		this.breach = { ...breach, ...(widest !== undefined && { widest }) };
		this.byQueries = undefined;
		this.earlier = undefined;
		this.byHeldOut = undefined;
		this.ofNext = undefined;
		this.queries.clear();
	}

	/** {@link rebuilds} of an index, which need not serve yet. */
	rebuildsBefore(identity: string): number {
		const before = [this.byQueries, this.byHeldOut].filter((process) => process !== undefined && process.asked > 0);
		if (before.length === 0 || before.some((process) => process?.place.identity === identity)) return this.rebuilds;
		return before.every((process) => process?.keepsAll) ? 0 : this.rebuilds + 1;
	}

	/** A generation serves, of the same index or another. What is known of recall is of its index; queries had no part in building it, and stay. */
	beginIndex(identity: string): void {
		this.isPostponed = false;
		this.rebuilds = this.rebuildsBefore(identity);
		const isOther = (process: Process | undefined) => process !== undefined && process.place.identity !== identity;
		if (isOther(this.byQueries)) this.byQueries = undefined;
		if (isOther(this.earlier)) this.earlier = undefined;
		if (isOther(this.byHeldOut)) this.byHeldOut = undefined;
		if (this.ofNext?.place.identity !== identity) return;
		this.byHeldOut = this.ofNext;
		this.ofNext = undefined;
	}
}

/** The same text for the same query, which cannot be told from it. */
export function digestOf({ vector, node }: Pick<KeptQuery, "vector" | "node">): string {
	const { buffer, byteOffset, byteLength } = vector;
	const hash = createHash("sha256").update(new Uint8Array(buffer, byteOffset, byteLength));
	return hash
		.update(JSON.stringify(node ?? null))
		.digest("base64url")
		.slice(0, 22);
}
