import { type MemoryCap, NighError } from "@nigh/contract";
import { rowBytes } from "@nigh/kernels";
import type { Generation } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import { ID_BYTES, mostRecords } from "../memory/sizes.ts";
import { leastPlanned, mostPlanned } from "../plan-memory.ts";
import { leastCap, mostWithin, type PlannedChoice } from "../plan-memory-bytes.ts";
import { chosenIndex, type IndexChoice, isOnDisk, isSameIndex, type StoredSpec } from "../records/catalogue.ts";
import { graphParameters } from "./main-index.ts";
import { bytesAtRest, TABLE_BYTES } from "./memory-at-rest.ts";

/** By spec: it is the same for each record, and asked for at every write. */
const atRestBySpec = new WeakMap<LimitedSpec, number>();

/** Bytes of memory that so many records take at rest. Where a cap chooses the index, with the one that serves; as long as none does, with a graph. */
export function memoryFor(spec: LimitedSpec, records: number): number {
	const known = atRestBySpec.get(spec);
	const each = known ?? atRest(spec);
	if (known === undefined) atRestBySpec.set(spec, each);
	return records * each;
}

function atRest(spec: LimitedSpec): number {
	const { dimensions, metric } = spec;
	const asked = chosenIndex(spec);
	const index = asked.kind === "auto" ? (spec.serves ?? asked) : asked;
	return dimensions === null ? TABLE_BYTES : bytesAtRest(index, { dimensions, metric });
}

/**
 * A spec, and what the ids of the collection take on average, where that is known: under a cap it decides how many records there may be. The
 * index that serves, where a cap may have chosen it, decides how many take as much as `memoryLimit`.
 */
export type LimitedSpec = StoredSpec & { readonly idBytes?: number; readonly serves?: IndexChoice };

/** One for each spec, as long as the ids take about the same and the index is of one kind: what is computed for it is kept by it. */
const limitedBy = new WeakMap<StoredSpec, LimitedSpec>();

/** The spec with what the ids of its collection take, and with the index that serves. */
export function limited(spec: StoredSpec, generation: Generation | undefined): LimitedSpec {
	if (spec.memory === null || generation === undefined) return spec;
	const idBytes = idBytesIn(generation);
	const { index: serves } = generation.handle;
	const known = limitedBy.get(spec);
	if (known?.idBytes === idBytes && isSame(known.serves, serves)) return known;
	const limited = { ...spec, idBytes, ...(serves !== undefined && { serves }) };
	limitedBy.set(spec, limited);
	return limited;
}

function isSame(a: IndexChoice | undefined, b: IndexChoice | undefined): boolean {
	return a === undefined || b === undefined ? a === b : isSameIndex(a, b);
}

/** Slots from which on the ids tell what others will take. */
const TELLING = 1_000;

/** Bytes of an id on average, a few more than that. */
export function idBytesIn({ slotEnd, idStarts }: Generation): number {
	if (slotEnd < TELLING) return ID_BYTES;
	return 4 * Math.ceil((1.1 * (idStarts[slotEnd] as number)) / slotEnd / 4);
}

function idBytesOf({ idBytes }: LimitedSpec): { idBytes?: number } {
	return idBytes === undefined ? {} : { idBytes };
}

/** The cap of a spec in bytes. */
export function capBytes({ maxMB }: MemoryCap): number {
	return Math.floor(maxMB * 2 ** 20);
}

/** By spec: it is looked for among all the numbers that there are, and asked for at every write. */
const mostByCap = new WeakMap<LimitedSpec, number>();

/** Records that the cap of a spec leaves room for, with the index that was asked for or, where one is chosen, with any. */
export function mostUnderCap(spec: LimitedSpec): number {
	const { memory, dimensions, metric } = spec;
	// The first vector tells the dimensions before it is written.
	if (memory === null || dimensions === null) return Number.POSITIVE_INFINITY;
	const known = mostByCap.get(spec);
	if (known !== undefined) return known;
	const maxBytes = capBytes(memory);
	const index = chosenIndex(spec);
	const space = { dimensions, metric, ...idBytesOf(spec) };
	const most =
		index.kind === "auto"
			? mostPlanned({ ...space, maxBytes, graph: graphParameters(index) })
			: mostWithin(index, space, maxBytes);
	mostByCap.set(spec, most);
	return most;
}

/** The limits of a collection: those of its spec, and the end of what one memory holds. */
export type Limit = "maxRecords" | "memoryLimit" | "maxMB" | "memory";

/** The limit that so many records come nearest to, and the share of it that they take. */
export function nearestLimit(spec: LimitedSpec, records: number): { readonly limit: Limit; readonly share: number } {
	const { maxRecords, memoryLimit } = spec;
	const shares = [
		{ limit: "maxRecords", share: records / maxRecords },
		{ limit: "memoryLimit", share: memoryLimit === null ? 0 : memoryFor(spec, records) / memoryLimit },
		{ limit: "maxMB", share: records / Math.max(1, mostUnderCap(spec)) },
		{ limit: "memory", share: records / mostInMemory(spec) },
	] as const;
	return shares.reduce((nearest, each) => (each.share > nearest.share ? each : nearest));
}

/** The share of the nearest limit that so many records take. */
export function fillOf(spec: LimitedSpec, records: number): number {
	return nearestLimit(spec, records).share;
}

/**
 * Where the oldest make room for the newest, a batch that is larger than all of the room would lose some of itself in the same moment.
 *
 * @throws NighError `COLLECTION_FULL` or `MEMORY_LIMIT`.
 */
export function checkBatch(spec: LimitedSpec, before: number, batch: number): void {
	const most = roomFor(spec, 0);
	if (spec.prunePolicy !== "oldest" || batch <= most) return;
	const isMemory = most < spec.maxRecords;
	throw new NighError(
		isMemory ? "MEMORY_LIMIT" : "COLLECTION_FULL",
		`the batch has ${batch} records and the collection may have ${most}: it would not fit if every other record went. Write smaller batches, or open the collection with ${isMemory ? "more memory" : "a larger maxRecords"}.`,
		{ count: before, limit: most, more: batch },
	);
}

/** @throws NighError `COLLECTION_FULL` or `MEMORY_LIMIT` where the records would be more than the limits allow. */
export function checkRoom(spec: LimitedSpec, before: number, inserted: number): void {
	const after = before + inserted;
	if (inserted <= 0) return;
	const { maxRecords, memoryLimit } = spec;
	if (after > maxRecords) {
		throw new NighError(
			"COLLECTION_FULL",
			`the collection has ${before} records and may have ${maxRecords}: ${inserted} more do not fit. Delete or prune some, or open it with a larger maxRecords.`,
			{ count: before, limit: maxRecords, more: inserted },
		);
	}
	const most = mostInMemory(spec);
	if (after > most) {
		throw new NighError(
			"MEMORY_LIMIT",
			`one collection of ${spec.dimensions} dimensions holds ${most} records at most (its memory ends at 4 GiB) and has ${before}: ${inserted} more do not fit. Use several collections, or fewer dimensions.`,
			{ count: before, limit: most, more: inserted },
		);
	}
	const mostVectors = mostUnderCap(spec);
	if (spec.memory !== null && after > mostVectors)
		throw beyondCap(spec, spec.memory, { before, inserted, mostVectors });
	const memory = memoryFor(spec, after);
	if (memoryLimit === null || memory <= memoryLimit) return;
	throw new NighError(
		"MEMORY_LIMIT",
		`${after} records take ${Math.ceil(memory)} bytes of memory and the collection may take ${memoryLimit}: ${inserted} more do not fit. Delete or prune some, or open it with a larger memoryLimit.`,
		{ count: before, limit: memoryLimit, more: inserted, bytes: Math.ceil(memory) },
	);
}

/**
 * Checks that so many vectors have room under the cap with an index that another is to be converted to.
 *
 * @throws NighError `MEMORY_LIMIT`.
 */
export function checkIndexRoom(spec: LimitedSpec, index: PlannedChoice, vectors: number): void {
	const { memory, metric, dimensions } = spec;
	if (memory === null || dimensions === null) return;
	const limit = capBytes(memory);
	const space = { dimensions, metric, ...idBytesOf(spec) };
	const mostVectors = mostWithin(index, space, limit);
	if (vectors <= mostVectors) return;
	const bytes = leastCap(index, vectors, space);
	throw new NighError(
		"MEMORY_LIMIT",
		`the collection has ${vectors} vectors, and within memory.maxMB ${memory.maxMB} an index of kind ${index.kind} holds ${mostVectors} of them at most: it would take ${bytes} bytes. Convert it to a smaller one, or to "auto", which chooses by what fits; or open the collection with a larger maxMB.`,
		{ count: vectors, limit, mostVectors, bytes },
	);
}

function beyondCap(
	spec: LimitedSpec,
	memory: MemoryCap,
	{
		before,
		inserted,
		mostVectors,
	}: { readonly before: number; readonly inserted: number; readonly mostVectors: number },
): NighError {
	const limit = capBytes(memory);
	const index = chosenIndex(spec);
	const { metric } = spec;
	const space = { metric, dimensions: spec.dimensions as number, ...idBytesOf(spec) };
	const after = before + inserted;
	const bytes =
		index.kind === "auto"
			? leastPlanned({ ...space, vectors: after, graph: graphParameters(index) })
			: leastCap(index, after, space);
	const asked = index.kind === "auto" ? "any index" : `an index of kind ${index.kind}`;
	return new NighError(
		"MEMORY_LIMIT",
		`the collection has ${before} records, and within memory.maxMB ${memory.maxMB} ${asked} holds ${mostVectors} vectors of ${spec.dimensions} dimensions at most: ${inserted} more do not fit${bytes === undefined ? "" : `, which would take ${bytes} bytes`}. Delete or prune some, or open it with a larger maxMB${index.kind === "auto" ? "" : ', or convert it to "auto", which chooses by what fits'}.`,
		{ count: before, limit, more: inserted, mostVectors, ...(bytes !== undefined && { bytes }) },
	);
}

/** Records that there is room for beside those there are. */
export function roomFor(spec: LimitedSpec, records: number): number {
	const byMemory =
		spec.memoryLimit === null ? Number.POSITIVE_INFINITY : Math.floor(spec.memoryLimit / memoryFor(spec, 1));
	return Math.max(0, Math.min(spec.maxRecords, byMemory, mostUnderCap(spec), mostInMemory(spec)) - records);
}

function mostInMemory(spec: StoredSpec): number {
	const { metric, dimensions, memory } = spec;
	const index = chosenIndex(spec);
	// Under a cap an index may be chosen whose vectors are on disk, and the cap says how many there may be.
	const mayBeOnDisk = isOnDisk(index) || (memory !== null && index.kind === "auto");
	return mostRecords(rowBytes(vectorBytes({ metric, dimensions: dimensions ?? 1 })), mayBeOnDisk);
}

/** Whether a write prunes by itself. */
export function isNearlyFull(spec: LimitedSpec, records: number): boolean {
	return fillOf(spec, records) >= spec.pruneAt;
}

/** What it prunes then. */
export function pruneTarget(spec: LimitedSpec, records: number): { maxAgeMs?: number; maxRecords?: number } {
	const fill = fillOf(spec, records);
	return {
		...(spec.maxAgeMs !== null && { maxAgeMs: spec.maxAgeMs }),
		...(spec.prunePolicy === "oldest" && { maxRecords: Math.max(1, Math.floor((records * spec.warnAt) / fill)) }),
	};
}
