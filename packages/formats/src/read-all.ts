import { NighError } from "@nigh/contract";
import type { RecordFields, VectorBatch, VectorValues } from "./batch.ts";
import type { ByteSource } from "./byte-reader.ts";
import type { VectorFormat } from "./format.ts";
import { type BatchOf, type ReadOptionsOf, readVectors } from "./read-vectors.ts";

/** A whole file in memory. */
export interface VectorTable<V extends VectorValues = VectorValues> {
	/** How many rows; 0 for a file without any. */
	readonly count: number;
	/** Length of every row; 0 where there are no rows. */
	readonly dimensions: number;
	/** count x dimensions, row-major. */
	readonly values: V;
	/** One entry for each row where the format has fields beside the vector (JSONL). */
	readonly records?: readonly RecordFields[];
}

/**
 * Reads all rows of a file (or the first `limit`) into one array. It gathers batches and joins them once, so it needs up to twice
 * the memory of the values for a moment.
 *
 * @throws NighError as {@link readVectors} does; `MEMORY_LIMIT` where no array can be as large as the rows.
 */
export async function readAll<F extends VectorFormat>(
	format: F,
	source: ByteSource,
	options?: ReadOptionsOf[F],
): Promise<VectorTable<BatchOf[F]["values"]>> {
	const batches: VectorBatch[] = [];
	for await (const batch of readVectors(format, source, options)) batches.push(batch);
	const values = joined(format, batches) as BatchOf[F]["values"];
	const dimensions = batches[0]?.dimensions ?? 0;
	const count = dimensions === 0 ? 0 : values.length / dimensions;
	if (format !== "jsonl") return { count, dimensions, values };
	return { count, dimensions, values, records: batches.flatMap((batch) => batch.records ?? []) };
}

/** The values of all batches in one array; takes the batches apart, so that each can be freed as soon as it is copied. */
function joined(format: VectorFormat, batches: readonly VectorBatch[]): VectorValues {
	const parts = batches.map((batch) => batch.values);
	const [first] = parts;
	if (first === undefined) return emptyOf(format);
	if (parts.length === 1) return first;
	const length = parts.reduce((sum, part) => sum + part.length, 0);
	const all = allocateLike(first, length);
	let at = 0;
	for (const part of parts) {
		all.set(part, at);
		at += part.length;
	}
	return all;
}

function allocateLike(values: VectorValues, length: number): VectorValues {
	const bytes = length * values.BYTES_PER_ELEMENT;
	try {
		return new (values.constructor as new (length: number) => VectorValues)(length);
	} catch (cause) {
		throw new NighError(
			"MEMORY_LIMIT",
			`The rows need one array of ${bytes} bytes, which this machine does not give. Set limit, or take the batches of readVectors one by one.`,
			{ bytes },
			{ cause },
		);
	}
}

/** Without rows the values are still of the format's type (for npy that of `<f4`). */
function emptyOf(format: VectorFormat): VectorValues {
	if (format === "bvecs") return new Uint8Array(0);
	return format === "ivecs" ? new Int32Array(0) : new Float32Array(0);
}
