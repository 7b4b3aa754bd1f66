import type { FilterNode } from "@nigh/contract";
import { Detector, type Random, Reservoir, type SelectivityBand, servingRung, settingsFor } from "@nigh/recall";
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
	/** The process that has measured it last. */
	usedBy?: Process;
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
	/** As {@link byHeldOut}, of an index that does not serve yet. */
	ofNext: Process | undefined;
	/** By target. */
	readonly detectors = new Map<number, Detector>();
	breach: Breach | undefined;
	/** Indexes in a row that were built because the one before kept no target. */
	rebuilds = 0;
	readonly #random: Random;

	constructor(k: number, band: SelectivityBand, random: Random) {
		this.k = k;
		this.band = band;
		this.#random = random;
		this.queries = new Reservoir(QUERIES_KEPT, random);
	}

	/** Keeps a query; whether it is a pilot's is drawn as it comes. */
	keep(query: Pick<KeptQuery, "vector" | "node">): void {
		this.queries.admit({ ...query, isPilot: this.#random() * PILOT_ONE_IN < 1 });
	}

	addTarget(target: number): void {
		if (this.targets.has(target)) return;
		this.targets.add(target);
		for (const process of [this.byQueries, this.byHeldOut, this.ofNext]) process?.certification.addTarget(target);
	}

	get highestTarget(): number {
		return Math.max(...this.targets);
	}

	/** Queries that place ladders; `undefined` as long as there are too few. */
	get pilot(): readonly KeptQuery[] | undefined {
		const pilot = this.queries.items.filter(({ isPilot }) => isPilot);
		return pilot.length < LEAST_PILOT ? undefined : pilot.slice(0, MOST_PILOT);
	}

	/** Queries that a process has not measured yet. */
	unused(process: Process | undefined): KeptQuery[] {
		return this.queries.items.filter(
			({ isPilot, usedBy }) => !isPilot && (process === undefined || usedBy !== process),
		);
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

	/** The watch for one target: as deaf as the recalls allow that were measured on what serves. */
	detector(target: number): Detector {
		let detector = this.detectors.get(target);
		if (detector === undefined) {
			const process = this.byQueries ?? this.byHeldOut;
			const served = process === undefined ? -1 : servingRung(process.certification, target);
			const recalls = process?.certification.recalls[served] ?? [];
			detector = new Detector(target, settingsFor(target, recalls, this.k, this.#random));
			this.detectors.set(target, detector);
		}
		return detector;
	}

	/** A drop has been found: no certificate holds any more, for whatever target, and queries from before it say nothing of those to come. */
	voidAll(breach: Breach): void {
		this.breach = breach;
		this.byQueries = undefined;
		this.byHeldOut = undefined;
		this.ofNext = undefined;
		this.detectors.clear();
		this.queries.clear();
	}

	/** Another index serves. What is known of recall was known of the one before; queries had no part in building this one, and stay. */
	beginIndex(identity: string): void {
		const before = this.byQueries;
		if (before !== undefined && before.place.identity !== identity) {
			this.rebuilds = hasFailed(before, this.targets) ? this.rebuilds + 1 : 0;
			this.byQueries = undefined;
			this.detectors.clear();
		}
		if (this.ofNext?.place.identity === identity) this.byHeldOut = this.ofNext;
		if (this.byHeldOut?.place.identity !== identity) this.byHeldOut = undefined;
		this.ofNext = undefined;
	}
}

/** Whether a process came to its end without a rung for one of the targets: an index that is built after that is a further attempt. */
function hasFailed(process: Process, targets: Iterable<number>): boolean {
	return [...targets].some((target) => process.certification.certificate(target).rung < 0) && !process.isOpen;
}
