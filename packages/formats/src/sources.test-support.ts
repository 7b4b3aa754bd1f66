import { isNighError, type NighError } from "@nigh/contract";
import type { RecordFields, VectorBatch } from "./batch.ts";

/** `bytes` in chunks of these sizes, the last size repeated until the end; each chunk is a copy. */
export function chunked(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
	const chunks: Uint8Array[] = [];
	for (let at = 0, i = 0; at < bytes.length; i++) {
		const size = sizes[Math.min(i, sizes.length - 1)] ?? bytes.length;
		chunks.push(bytes.slice(at, at + size));
		at += size;
	}
	return chunks;
}

/** A source that counts what was asked of it. */
export class WatchedSource implements AsyncIterable<Uint8Array> {
	readonly #chunks: readonly Uint8Array[];
	/** Bytes given so far. */
	given = 0;
	/** How often it was closed. */
	closed = 0;
	ended = false;

	constructor(chunks: readonly Uint8Array[]) {
		this.#chunks = chunks;
	}

	[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
		const chunks = this.#chunks.values();
		return {
			next: async () => {
				const result = chunks.next();
				if (result.done) this.ended = true;
				else this.given += result.value.length;
				return result;
			},
			return: async () => {
				this.closed += 1;
				return { done: true, value: undefined };
			},
		};
	}
}

/** What reading came to: the rows before the end or the error, whatever the batches were. */
export interface Outcome {
	readonly rows: number[][];
	readonly records: RecordFields[];
	readonly batches: VectorBatch[];
	readonly error?: unknown;
}

/** Reads to the end or to the error. Checks on the way that the batches join without gap and hold what they say. */
export async function outcomeOf(batches: AsyncIterable<VectorBatch>): Promise<Outcome> {
	const rows: number[][] = [];
	const records: RecordFields[] = [];
	const kept: VectorBatch[] = [];
	try {
		for await (const batch of batches) {
			const { row, count, dimensions, values } = batch;
			const isWhole = row === rows.length && count >= 1 && values.length === count * dimensions;
			if (!isWhole || values.buffer.byteLength !== values.byteLength || dimensions !== (kept[0] ?? batch).dimensions) {
				throw new Error(`a batch does not hold together: ${row} ${count} ${dimensions} ${values.length}`);
			}
			if (batch.records !== undefined && batch.records.length !== count) throw new Error("records are missing");
			for (let i = 0; i < count; i++) rows.push(Array.from(values.subarray(i * dimensions, (i + 1) * dimensions)));
			records.push(...(batch.records ?? []));
			kept.push(batch);
		}
	} catch (error) {
		return { rows, records, batches: kept, error };
	}
	return { rows, records, batches: kept };
}

/** The error as an `INVALID_FILE`; anything else, also no error, fails the test. */
export function invalidFileOf(outcome: Outcome): NighError {
	if (isNighError(outcome.error, "INVALID_FILE")) return outcome.error;
	throw new Error(`expected INVALID_FILE, found ${String(outcome.error)}`, { cause: outcome.error });
}

/** All bytes of a writer in one array. */
export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
	const parts: Uint8Array[] = [];
	for await (const chunk of chunks) parts.push(chunk);
	return concatenated(parts);
}

export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
	const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		all.set(part, at);
		at += part.length;
	}
	return all;
}
