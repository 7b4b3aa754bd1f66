import { type MemoryPlan, NighError, type PlannedIndex } from "@nigh/contract";
import {
	isWithin,
	leastCap,
	mostInMemory,
	mostWithin,
	type Needed,
	neededFor,
	type PlannedChoice,
	type PlanSpace,
} from "./plan-memory-bytes.ts";
import { isOnDisk } from "./records/catalogue.ts";
import type { GraphWanted } from "./workers/main-index.ts";

export interface PlanOptions extends PlanSpace {
	/** The cap. */
	readonly maxBytes: number;
	/** Vectors that there are. */
	readonly vectors: number;
	/** The graph that there is to be, should one be chosen. */
	readonly graph?: GraphWanted;
	/** The index that there is. Left out where there is none yet, or the cap was another when it was chosen: then the best that fits is. */
	readonly current?: PlannedChoice;
}

/** A plan, and what it rests on: whoever goes by it gives the tail, and trainings, no more than this. */
export interface PlannedMemory extends MemoryPlan {
	readonly index: PlannedChoice;
	readonly considered: readonly (PlannedIndex & { readonly index: PlannedChoice })[];
	/** Rows that the tail has room for. */
	readonly tailRows: number;
	/** Vectors that cells and codes are learnt from at most; 0: nothing is learnt. */
	readonly trainingRows: number;
}

/** An index is chosen for so many times the vectors that there are, so that it is left before the cap is reached. */
const AHEAD = 1.25;

/** What may be chosen, the most wanted first: a graph is the quickest, and what has fewer bytes in memory searches slower. */
function candidates({
	metric,
	graph: hnsw = { kind: "hnsw" },
}: Pick<PlanOptions, "metric" | "graph">): readonly PlannedChoice[] {
	// Bits have no means, and l1 has no codes, without which nothing can be left on disk: comparing all of them is what takes least.
	if (metric === "hamming") return [hnsw, { kind: "flat" }];
	if (metric === "l1") return [hnsw, { kind: "ivf" }, { kind: "flat" }];
	return [
		hnsw,
		{ kind: "ivf" },
		{ kind: "ivf", storage: "disk" },
		{ kind: "ivfpq", storage: "disk" },
		{ kind: "ivfrabitq", bits: 1, storage: "disk" },
	];
}

/** A candidate with all that decides. */
interface Candidate extends Needed {
	readonly index: PlannedChoice;
	readonly bytesAhead: number;
	readonly fits: boolean;
	readonly fitsAhead: boolean;
}

/**
 * The index for so many vectors under a cap on memory: the most wanted that also holds a quarter more, or else the smallest. With more memory
 * it is never one that is wanted less. The index that there is stays as long as it holds a quarter more; so a collection that grows leaves it in
 * time, and one whose size goes up and down does not swing between two.
 *
 * @throws NighError `MEMORY_LIMIT` where nothing fits: details hold maxBytes, vectors, the most that would fit (mostVectors) and, where any would do,
 * the least cap (needed).
 */
export function planMemory(options: PlanOptions): PlannedMemory {
	const { current } = options;
	const considered = candidates(options).map((index) => candidateOf(index, options));
	const there = current === undefined ? undefined : candidateOf(current, options);
	if (there?.fitsAhead) return planOf(there, considered, options, true);
	const smallest = smallestOf(considered);
	// Which one is the smallest depends on the number of vectors: one that is smaller for more of them only is not looked at.
	const wanted = considered.slice(0, considered.indexOf(smallest) + 1);
	const chosen = wanted.find(({ fitsAhead }) => fitsAhead) ?? wanted.findLast(({ fits }) => fits);
	if (chosen === undefined) throw refusal(options);
	const stays = there !== undefined && isAlike(there.index, chosen.index) && there.fits;
	return stays ? planOf(there, considered, options, true) : planOf(chosen, considered, options, false);
}

/** What takes the least of all that may be chosen, whether it fits or not. */
export function smallestPlanned(options: PlanOptions): PlannedChoice {
	const considered = candidates(options).map((index) => candidateOf(index, options));
	return smallestOf(considered).index;
}

/** The most vectors that there is a plan for. */
export function mostPlanned(options: Omit<PlanOptions, "vectors" | "current">): number {
	return Math.max(...candidates(options).map((index) => mostWithin(index, options, options.maxBytes)));
}

/** The least cap that there is a plan for; `undefined` where one memory does not hold so many vectors, whatever the index. */
export function leastPlanned(options: Omit<PlanOptions, "maxBytes" | "current">): number | undefined {
	const { vectors } = options;
	const able = candidates(options).filter((index) => vectors <= mostInMemory(index, options));
	return able.length === 0 ? undefined : Math.min(...able.map((index) => leastCap(index, vectors, options)));
}

function candidateOf(index: PlannedChoice, options: PlanOptions): Candidate {
	const { vectors, maxBytes } = options;
	const ahead = Math.ceil(vectors * AHEAD);
	return {
		index,
		...neededFor(index, vectors, options, maxBytes),
		bytesAhead: neededFor(index, ahead, options, maxBytes).bytes,
		fits: isWithin(index, vectors, options, maxBytes),
		fitsAhead: isWithin(index, ahead, options, maxBytes),
	};
}

function smallestOf(considered: readonly Candidate[]): Candidate {
	return considered.reduce((least, each) => (each.bytes < least.bytes ? each : least));
}

/** Whether two are of one kind and keep their vectors in one place: what else was asked of one of them stays. */
function isAlike(a: PlannedChoice, b: PlannedChoice): boolean {
	return a.kind === b.kind && isOnDisk(a) === isOnDisk(b);
}

function planOf(
	chosen: Candidate,
	considered: readonly Candidate[],
	{ maxBytes, vectors }: PlanOptions,
	stays: boolean,
): PlannedMemory {
	const { index, bytes, bytesAhead, onDisk, tailRows, trainingRows } = chosen;
	const before = stays ? [] : considered.slice(0, considered.indexOf(chosen));
	return {
		index,
		bytes,
		bytesAhead,
		onDisk,
		maxBytes,
		vectors,
		tailRows,
		trainingRows,
		reason: reasonFor(chosen, before, { maxBytes, vectors, stays }),
		considered: considered.map((each) => {
			return {
				index: each.index,
				bytes: each.bytes,
				bytesAhead: each.bytesAhead,
				onDisk: each.onDisk,
				fits: each.fits,
			};
		}),
	};
}

function reasonFor(
	{ index, bytes, bytesAhead, fitsAhead }: Candidate,
	before: readonly Candidate[],
	{ maxBytes, vectors, stays }: { readonly maxBytes: number; readonly vectors: number; readonly stays: boolean },
): string {
	const takes = `${nameOf(index)} ${stays ? "stays: it takes" : "takes"} up to ${inMB(bytes)} of ${inMB(maxBytes)} for ${vectors.toLocaleString("en-US")} vectors`;
	const ahead = fitsAhead
		? ` and ${inMB(bytesAhead)} for a quarter more`
		: ", and nothing holds a quarter more: raise memory.maxMB, or delete records, before it is full";
	const needs = before
		.filter((each) => each.bytesAhead > maxBytes)
		.map((each) => `${nameOf(each.index)} ${inMB(each.bytesAhead)}`);
	const small = before.filter((each) => each.bytesAhead <= maxBytes).map((each) => nameOf(each.index));
	return [
		`${takes}${ahead}.`,
		...(needs.length === 0 ? [] : [`For these, ${needs.join(", ")} would be needed.`]),
		...(small.length === 0 ? [] : [`One memory, which ends at 4 GiB, does not hold so many with ${small.join(", ")}.`]),
	].join(" ");
}

/** `ivfpq with vectors on disk` */
function nameOf(index: PlannedChoice): string {
	return isOnDisk(index) ? `${index.kind} with vectors on disk` : index.kind;
}

function inMB(bytes: number): string {
	return `${(bytes / 2 ** 20).toLocaleString("en-US", { maximumFractionDigits: 1 })} MB`;
}

function refusal(options: PlanOptions): NighError {
	const { maxBytes, vectors } = options;
	const needed = leastPlanned(options);
	const mostVectors = mostPlanned(options);
	const why = needed === undefined ? "one memory, which ends at 4 GiB, holds fewer" : `${needed} would be needed`;
	return new NighError(
		"MEMORY_LIMIT",
		`no index holds ${vectors} vectors within ${maxBytes} bytes: ${why}, and ${mostVectors} vectors would fit. Raise memory.maxMB, delete or prune records, or spread them over several collections.`,
		{ maxBytes, vectors, mostVectors, ...(needed !== undefined && { needed }) },
	);
}
