import { cellBytesPerVector } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { vectorBytes } from "../memory/rows.ts";
import { ID_BYTES, SLOT_BYTES } from "../memory/sizes.ts";
import { estimateOf, type PlanSpace, RING_SLOT_BYTES } from "../plan-memory-bytes.ts";
import { type IndexChoice, isOnDisk } from "../records/catalogue.ts";
import { graphParameters } from "./main-index.ts";

/** Vectors among which what a graph has but once, and its few large nodes, count for nothing. */
const MANY = 2 ** 20;

/**
 * Bytes of memory that one more record takes with an index that is finished: the vector, unless that is on disk, its code, the links of a graph or the
 * place in a cell, and the tables. By the formulas of the layouts, as those of a plan, which counts what is there while an index is built as well.
 */
export function bytesAtRest(index: IndexChoice, space: PlanSpace): number {
	return Math.ceil(TABLE_BYTES + indexBytes(index, space));
}

/** Bytes in the tables of a generation, which are there before the length of a vector is known. */
export const TABLE_BYTES = SLOT_BYTES + ID_BYTES;

function indexBytes(index: IndexChoice, { dimensions, metric }: PlanSpace): number {
	const row = rowBytes(vectorBytes({ dimensions, metric }));
	switch (index.kind) {
		case "flat":
			return row + RING_SLOT_BYTES;
		case "auto":
		case "hnsw":
			return estimateOf(graphParameters(index), MANY, { dimensions, metric }).bytesPerVector;
		default:
			return cellBytesPerVector({ ...index, dimensions, metric }) + (isOnDisk(index) ? 0 : row);
	}
}
