import type { IncludeOptions } from "@nigh/contract";
import { type ReadRecord, type Row, recordOf } from "./row.ts";

/**
 * Rows of a look-up on their way to another thread, column by column: a few long columns take a tenth of the time that as many records take
 * to arrive.
 */
export interface PackedRecords {
	/** How many were asked for. */
	readonly count: number;
	/** The places, among those that were asked for, of those that there are. */
	readonly places: Uint32Array<ArrayBuffer>;
	/** In the order of the selection; the rows of each are in the order of `places`. */
	readonly columns: readonly (readonly unknown[])[];
	/** Of all vectors, one after the other, and where each ends; the last column, where vectors were asked for. */
	readonly vectors: { readonly bytes: Uint8Array<ArrayBuffer>; readonly ends: Uint32Array<ArrayBuffer> } | undefined;
}

/** Takes rows as they come. */
export class RecordPacker {
	readonly #places: number[] = [];
	readonly #columns: unknown[][] = [];
	readonly #vectors: Uint8Array[] = [];
	readonly #hasVectors: boolean;

	constructor(include: IncludeOptions) {
		this.#hasVectors = include.vector === true;
	}

	/** The row at that place among those that were asked for; its columns start at `from`. */
	add(place: number, row: Row, from: number): void {
		this.#places.push(place);
		const end = row.length - (this.#hasVectors ? 1 : 0);
		for (let i = from; i < end; i++) {
			const column = this.#columns[i - from] ?? [];
			this.#columns[i - from] = column;
			column.push(row[i]);
		}
		if (this.#hasVectors) this.#vectors.push((row[end] as Uint8Array | null) ?? new Uint8Array(0));
	}

	packed(count: number): PackedRecords {
		return {
			count,
			places: Uint32Array.from(this.#places),
			columns: this.#columns,
			vectors: this.#hasVectors ? joined(this.#vectors) : undefined,
		};
	}
}

function joined(vectors: readonly Uint8Array[]) {
	const ends = new Uint32Array(vectors.length);
	let length = 0;
	vectors.forEach((vector, i) => {
		length += vector.length;
		ends[i] = length;
	});
	const bytes = new Uint8Array(length);
	vectors.forEach((vector, i) => {
		bytes.set(vector, (ends[i] as number) - vector.length);
	});
	return { bytes, ends };
}

/** The records, in the order in which they were asked for, `undefined` in the place of each that there is not. */
export function* unpackRecords(
	{ count, places, columns, vectors }: PackedRecords,
	include: IncludeOptions,
): Generator<ReadRecord | undefined, void> {
	const rowOfPlace = new Int32Array(count).fill(-1);
	places.forEach((place, row) => {
		rowOfPlace[place] = row;
	});
	for (const row of rowOfPlace) {
		if (row < 0) {
			yield undefined;
			continue;
		}
		const values: unknown[] = columns.map((column) => column[row]);
		if (vectors !== undefined) {
			const { bytes, ends } = vectors;
			// A copy: one that the caller keeps must not keep all the others.
			const vector = bytes.slice(row === 0 ? 0 : ends[row - 1], ends[row]);
			values.push(vector.length === 0 ? null : vector);
		}
		yield recordOf(values, 0, include);
	}
}

/** The buffers that are handed over rather than copied. */
export function buffersOf({ places, vectors }: PackedRecords): ArrayBuffer[] {
	return vectors === undefined ? [places.buffer] : [places.buffer, vectors.bytes.buffer, vectors.ends.buffer];
}
