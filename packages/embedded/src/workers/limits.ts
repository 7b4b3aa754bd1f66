import { BOUNDS, type Metric, NighError } from "@nigh/contract";
import { cellBytesPerVector } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { vectorBytes } from "../memory/rows.ts";
import { mostRecords, SLOT_BYTES } from "../memory/sizes.ts";
import { chosenIndex, type IndexChoice, type StoredSpec } from "../records/catalogue.ts";

/** Bytes of memory that so many records take: the vector, its code, the links of a graph or the place in a cell, and the tables, by the formula of the layout. */
export function memoryFor(spec: StoredSpec, records: number): number {
	const { dimensions, metric } = spec;
	const index = chosenIndex(spec);
	const length = dimensions ?? 0;
	const row = metric === "hamming" ? length / 8 : length * 4;
	return records * (row + indexBytes(index, length, metric) + SLOT_BYTES + 40);
}

/** Bytes of an index for one vector, beside the vector. Until the dimensions are known there are none. */
function indexBytes(index: IndexChoice, dimensions: number, metric: Metric): number {
	if (dimensions === 0) return 0;
	const code = metric === "hamming" || metric === "l1" ? 0 : dimensions;
	switch (index.kind) {
		case "flat":
			return code;
		case "auto":
		case "hnsw":
			return code + (index.M ?? BOUNDS.M.default) * 2 * 4 * 1.05;
		default:
			return cellBytesPerVector({ ...index, dimensions, metric });
	}
}

/** The limits of a collection: those of its spec, and the end of what one memory holds. */
export type Limit = "maxRecords" | "memoryLimit" | "memory";

/** The limit that so many records come nearest to, and the share of it that they take. */
export function nearestLimit(spec: StoredSpec, records: number): { readonly limit: Limit; readonly share: number } {
	const { maxRecords, memoryLimit } = spec;
	const shares = [
		{ limit: "maxRecords", share: records / maxRecords },
		{ limit: "memoryLimit", share: memoryLimit === null ? 0 : memoryFor(spec, records) / memoryLimit },
		{ limit: "memory", share: records / mostInMemory(spec) },
	] as const;
	return shares.reduce((nearest, each) => (each.share > nearest.share ? each : nearest));
}

/** The share of the nearest limit that so many records take. */
export function fillOf(spec: StoredSpec, records: number): number {
	return nearestLimit(spec, records).share;
}

/**
 * Where the oldest make room for the newest, a batch that is larger than all of the room would lose some of itself in the same moment.
 *
 * @throws NighError `COLLECTION_FULL` or `MEMORY_LIMIT`.
 */
export function checkBatch(spec: StoredSpec, before: number, batch: number): void {
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
export function checkRoom(spec: StoredSpec, before: number, inserted: number): void {
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
	const memory = memoryFor(spec, after);
	if (memoryLimit === null || memory <= memoryLimit) return;
	throw new NighError(
		"MEMORY_LIMIT",
		`${after} records take ${Math.ceil(memory)} bytes of memory and the collection may take ${memoryLimit}: ${inserted} more do not fit. Delete or prune some, or open it with a larger memoryLimit.`,
		{ count: before, limit: memoryLimit, more: inserted, bytes: Math.ceil(memory) },
	);
}

/** Records that there is room for beside those there are. */
export function roomFor(spec: StoredSpec, records: number): number {
	const byMemory =
		spec.memoryLimit === null ? Number.POSITIVE_INFINITY : Math.floor(spec.memoryLimit / memoryFor(spec, 1));
	return Math.max(0, Math.min(spec.maxRecords, byMemory, mostInMemory(spec)) - records);
}

function mostInMemory({ metric, dimensions }: StoredSpec): number {
	return mostRecords(rowBytes(vectorBytes({ metric, dimensions: dimensions ?? 1 })));
}

/** Whether a write prunes by itself. */
export function isNearlyFull(spec: StoredSpec, records: number): boolean {
	return fillOf(spec, records) >= spec.pruneAt;
}

/** What it prunes then. */
export function pruneTarget(spec: StoredSpec, records: number): { maxAgeMs?: number; maxRecords?: number } {
	const fill = fillOf(spec, records);
	return {
		...(spec.maxAgeMs !== null && { maxAgeMs: spec.maxAgeMs }),
		...(spec.prunePolicy === "oldest" && { maxRecords: Math.max(1, Math.floor((records * spec.warnAt) / fill)) }),
	};
}
