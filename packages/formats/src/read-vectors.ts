import { NighError } from "@nigh/contract";
import type { VectorBatch } from "./batch.ts";
import type { ByteSource } from "./byte-reader.ts";
import { describe } from "./describe.ts";
import { VECTOR_FORMATS, type VectorFormat } from "./format.ts";
import { type JsonlBatch, type JsonlReadOptions, readJsonl } from "./jsonl/read.ts";
import { type NpyReadOptions, type NpyValues, readNpy } from "./npy/read.ts";
import type { ReadOptions } from "./options.ts";
import { readBvecs, readFvecs, readIvecs } from "./texmex/read.ts";

/** The batches that each format gives. */
export interface BatchOf {
	readonly fvecs: VectorBatch<Float32Array<ArrayBuffer>>;
	readonly bvecs: VectorBatch<Uint8Array<ArrayBuffer>>;
	readonly ivecs: VectorBatch<Int32Array<ArrayBuffer>>;
	readonly npy: VectorBatch<NpyValues>;
	readonly jsonl: JsonlBatch;
}

/** The options that each format takes. */
export interface ReadOptionsOf {
	readonly fvecs: ReadOptions;
	readonly bvecs: ReadOptions;
	readonly ivecs: ReadOptions;
	readonly npy: NpyReadOptions;
	readonly jsonl: JsonlReadOptions;
}

const READERS: {
	readonly [F in VectorFormat]: (source: ByteSource, options?: ReadOptionsOf[F]) => AsyncGenerator<BatchOf[F], void>;
} = { fvecs: readFvecs, bvecs: readBvecs, ivecs: readIvecs, npy: readNpy, jsonl: readJsonl };

/**
 * Reads a vector file of any format as batches of rows, holding one batch and one chunk of the source at a time (npy in Fortran
 * order: the whole payload, see {@link NpyReadOptions}). Nothing is read before the first batch is asked for, and closing the
 * generator early (`break`, `return()`) closes the source.
 *
 * @example
 * for await (const { row, count, values } of readVectors(formatOf(path), createReadStream(path))) { ... }
 *
 * @throws NighError as the reader of the format does; `INVALID_OPTION` for another format.
 */
export function readVectors<F extends VectorFormat>(
	format: F,
	source: ByteSource,
	options?: ReadOptionsOf[F],
): AsyncGenerator<BatchOf[F], void> {
	if (!VECTOR_FORMATS.includes(format)) {
		throw new NighError(
			"INVALID_OPTION",
			`format is ${describe(format)}; it must be one of ${VECTOR_FORMATS.join(" ")}. formatOf(fileName) tells it from a name.`,
			{ field: "format", value: format, known: VECTOR_FORMATS },
		);
	}
	return READERS[format](source, options);
}
