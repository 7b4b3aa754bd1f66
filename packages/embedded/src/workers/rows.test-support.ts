import type { RowPlace } from "./kept-rows.ts";
import { type Owned, vectorsOf } from "./next-generation.ts";

/** Where rows are kept of a generation whose index holds them: nowhere. */
export const NOWHERE: RowPlace = {
	folder: "/nowhere",
	key: 1,
	databaseId: "none",
	records: "/nowhere",
	readOnly: false,
};

/** The vector of one slot. */
export function rowOf(owned: Owned, slot: number): Float32Array | Uint8Array {
	return vectorsOf(owned, Uint32Array.of(slot));
}
