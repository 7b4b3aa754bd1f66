import type { Metric } from "@nigh/contract";
import type { HnswIndex } from "@nigh/index";
import { createHnsw } from "@nigh/index";
import { Arena, rowBytes } from "@nigh/kernels";
import { allocateTables, Generation, type GenerationHandle, type TailCodes } from "./generation.ts";
import { allocateArea, type ReaderArea } from "./reader-area.ts";
import { RowMaker, vectorBytes } from "./rows.ts";
import { Searcher } from "./searcher.ts";
import { bytesPerSlot } from "./sizes.ts";
import { SlotWriter } from "./slot-writer.ts";
import { allocateTailCodes } from "./tail-codes.ts";

export type StoredVector = Float32Array | Uint8Array;

export interface SmallOptions {
	readonly metric?: Metric;
	readonly dimensions?: number;
	readonly weights?: readonly number[];
	readonly capacity?: number;
	readonly ringRows?: number;
	readonly idBytes?: number;
	/** With a graph as the main index. */
	readonly graph?: boolean;
	/** Codes of the tail's rows: what code 0 stands for, in every dimension, and one step. */
	readonly codes?: { readonly origin: number; readonly unit: number };
}

/** A generation with all that belongs to it, on one thread. */
export interface Small {
	readonly handle: GenerationHandle;
	readonly generation: Generation;
	readonly slots: SlotWriter;
	readonly rows: RowMaker;
	readonly main: HnswIndex | undefined;
	readonly area: ReaderArea;
	readonly searcher: Searcher;
	/** Appends a record with the next label, or `label`; its id is `id`. */
	add(vector: StoredVector, more?: { label?: number; id?: string; born?: number; expires?: number }): number;
	/** Takes the tail up to `end` into the graph, as the indexer does. */
	fold(end?: number): Promise<void>;
	/** Sets the bits of those slots, and of no other, in the bitmap `at` of the area. Returns its address. */
	bitmap(slots: Iterable<number>, at?: number): number;
}

export function smallGeneration(options: SmallOptions = {}): Small {
	const { metric = "l2", dimensions = 4, weights = null, capacity = 64, ringRows = capacity, graph = false } = options;
	const format = { metric, dimensions, weights };
	const arena = new Arena({ shared: true });
	const size = {
		capacity,
		ringRows,
		idBytes: options.idBytes ?? capacity * 16,
		rowBytes: rowBytes(vectorBytes(format)),
		slotBytes: bytesPerSlot(rowBytes(vectorBytes(format))),
	};
	const tables = allocateTables(arena, size);
	const tailCodes = options.codes === undefined ? null : smallCodes(arena, { size, format }, options.codes);
	const handle = {
		number: 1,
		memory: arena.memory,
		engine: arena.engine,
		format,
		size,
		tables,
		tailCodes,
		rowFiles: null,
	};
	const generation = new Generation(handle);
	const main = graph ? createHnsw({ arena, metric, dimensions, ...(weights !== null && { weights }) }) : undefined;
	main?.reserve(capacity);
	main?.holdCodes();
	const area = allocateArea(arena, 0, handle, main === undefined ? null : { kind: "hnsw", reader: main.readerSpec() });
	const slots = new SlotWriter(generation);
	const rows = new RowMaker(format);
	return {
		handle,
		generation,
		slots,
		rows,
		main,
		area,
		searcher: new Searcher(handle, area),
		add(vector, { label, id, born = 1, expires = Number.POSITIVE_INFINITY } = {}) {
			const next = label ?? generation.slotEnd;
			return slots.append({ label: next, id: id ?? `r${next}`, born, expires, row: rows.row(vector) });
		},
		async fold(end = generation.slotEnd) {
			const from = generation.mainEnd;
			for (let slot = from; slot < end; slot++) {
				const bytes = generation.ringBytes(slot % size.ringRows);
				const row =
					metric === "hamming"
						? bytes.subarray(0, dimensions / 8)
						: new Float32Array(bytes.buffer, bytes.byteOffset, dimensions);
				await main?.insertMany(row, { labels: Uint32Array.of(slot), stored: true });
			}
			generation.mainEnd = end;
			generation.countDeadInMain(from, end);
			generation.ringFree = end;
		},
		bitmap(members, at = 0) {
			const address = area.bitmaps + at * area.bitmapBytes;
			const words = new Uint32Array(arena.memory.buffer, address, area.bitmapBytes / 4).fill(0);
			for (const slot of members) words[slot >>> 5] = (words[slot >>> 5] as number) | (1 << (slot & 31));
			return address;
		},
	};
}

function smallCodes(
	arena: Arena,
	handle: Pick<GenerationHandle, "size" | "format">,
	{ origin, unit }: { readonly origin: number; readonly unit: number },
): TailCodes {
	const address = arena.alloc(handle.size.rowBytes);
	arena.f32(address, handle.format.dimensions).fill(origin);
	return allocateTailCodes(arena, handle, { origin: address, unit });
}

/** The distance by its definition, in float64. */
export function distanceBetween(metric: Metric, a: StoredVector, b: StoredVector, weights?: readonly number[]): number {
	let [squares, absolutes, dot, ofA, ofB, bits] = [0, 0, 0, 0, 0, 0];
	for (let i = 0; i < a.length; i++) {
		const [x, y, w] = [a[i] as number, b[i] as number, weights?.[i] ?? 1];
		squares += w * (x - y) ** 2;
		absolutes += w * Math.abs(x - y);
		dot += w * x * y;
		ofA += w * x * x;
		ofB += w * y * y;
		bits += popcount(x ^ y);
	}
	if (metric === "l2") return Math.sqrt(squares);
	if (metric === "l1") return absolutes;
	if (metric === "ip") return -dot;
	if (metric === "hamming") return bits;
	return ofA === 0 || ofB === 0 ? 1 : 1 - dot / Math.sqrt(ofA * ofB);
}

function popcount(byte: number): number {
	let bits = 0;
	for (let rest = byte & 0xff; rest !== 0; rest &= rest - 1) bits++;
	return bits;
}
