import type { Rows } from "../records/packed-rows.ts";
import type { UpdateResult } from "../records/update.ts";
import type { WrittenCollection } from "./written-collection.ts";

/** A record that has been committed and is on its way into the index. */
export interface CommittedRow {
	readonly label: number;
	readonly id: string;
	readonly born: number;
	/** ms since 1970; infinity: never. */
	readonly expires: number;
	/** As it is stored. */
	readonly vector: Float32Array | Uint8Array;
}

/** Rows of a batch on their way into the index; those that are `gone` again are left out. */
export function* shownParts(
	collection: WrittenCollection,
	parts: readonly Rows[],
	labels: Uint32Array,
	change: number,
	gone: ReadonlySet<number>,
): Generator<CommittedRow> {
	let row = 0;
	for (const rows of parts) {
		yield* shownRows(collection, rows, labels.subarray(row), change, gone);
		row += rows.ids.length;
	}
}

function* shownRows(
	collection: WrittenCollection,
	{ ids, expiresAt, vectors }: Rows,
	labels: Uint32Array,
	change: number,
	gone: ReadonlySet<number>,
): Generator<CommittedRow> {
	const vectorOf = collection.vectorMaker();
	for (let row = 0; row < ids.length; row++) {
		const label = labels[row] as number;
		if (gone.has(label)) continue;
		const expires = expiresAt[row] ?? Number.POSITIVE_INFINITY;
		yield { label, id: ids[row] as string, born: change, expires, vector: vectorOf(vectors[row] as Uint8Array) };
	}
}

/** The records of a patch that have moved to a new label. */
export function* movedRows(
	collection: WrittenCollection,
	{ ids, vectors }: Rows,
	{ firstLabel, moved, movedExpiresAt }: UpdateResult,
	change: number,
): Generator<CommittedRow> {
	const vectorOf = collection.vectorMaker();
	for (let i = 0; i < moved.length; i++) {
		const row = moved[i] as number;
		const expires = never(movedExpiresAt[i] as number);
		const vector = vectorOf(vectors[row] as Uint8Array);
		yield { label: firstLabel + i, id: ids[row] as string, born: change, expires, vector };
	}
}

/** NaN stands for "never" in arrays that cross modules, infinity in the slots. */
export function never(expiresAt: number): number {
	return Number.isNaN(expiresAt) ? Number.POSITIVE_INFINITY : expiresAt;
}
