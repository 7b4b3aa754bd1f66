import { Arena, RABITQ_BLOCK, RABITQ_CANDIDATE, rowBytes } from "@nigh/kernels";
import { createRabitqCodec, disposeRabitqCodec, type RabitqCodec } from "./codec.ts";
import type { RabitqOptions } from "./parameters.ts";
import type { RabitqEstimate, RabitqQuery } from "./query.ts";

const BLOCK = RABITQ_BLOCK.rows;

/** A cell of coded rows whose blocks follow each other; place i is that of row i. Cosine rows must have length 1. */
export class CodedCell {
	readonly arena = new Arena();
	readonly codec: RabitqCodec;
	readonly rows: readonly Float32Array[];
	readonly query: RabitqQuery;
	readonly #row: number;
	readonly #centroid: number;
	readonly #payload: number;
	readonly #places: number;
	readonly #out: number;

	constructor(options: RabitqOptions, centroid: Float32Array, rows: readonly Float32Array[]) {
		const { arena } = this;
		const codec = createRabitqCodec(arena, options);
		this.codec = codec;
		this.rows = rows;
		const bytes = rowBytes(4 * options.dimensions);
		this.#row = arena.alloc(bytes);
		this.#centroid = arena.alloc(bytes);
		const blocks = Math.ceil(rows.length / BLOCK);
		this.#payload = arena.alloc(blocks * codec.payloadBytes);
		this.#places = arena.alloc(4 * BLOCK * blocks);
		this.#out = arena.alloc(RABITQ_CANDIDATE.bytes * rows.length);
		this.query = codec.query(arena.alloc(codec.queryBytes));
		this.#write(this.#centroid, centroid);
		const places = arena.u32(this.#places, BLOCK * blocks).fill(0xffffffff);
		rows.forEach((row, i) => {
			this.#write(this.#row, row);
			const block = this.#payload + Math.floor(i / BLOCK) * codec.payloadBytes;
			codec.encodeRow(this.#row, this.#centroid, block, i % BLOCK);
			places[i] = i;
		});
	}

	/** The estimates of all rows whose lower bound is at most the threshold. */
	estimates(query: Float32Array, threshold = Number.POSITIVE_INFINITY, epsilon?: number): RabitqEstimate[] {
		this.#write(this.#row, query);
		this.query.open(this.#row, epsilon);
		this.query.probe(this.#centroid);
		const stride = this.codec.payloadBytes;
		const blocks = { payload: this.#payload, stride, places: this.#places, n: this.rows.length };
		return this.query.read(this.#out, this.query.scan(blocks, threshold, this.#out));
	}

	/** The bytes of all blocks. */
	bytes(): Uint8Array {
		return this.arena.u8(this.#payload, Math.ceil(this.rows.length / BLOCK) * this.codec.payloadBytes).slice();
	}

	dispose(): void {
		disposeRabitqCodec(this.arena, this.codec);
	}

	#write(at: number, vector: Float32Array): void {
		this.arena.f32(at, vector.length).set(vector);
	}
}

/** The key of two vectors in float64. */
export function trueKey(metric: RabitqOptions["metric"], a: Float32Array, b: Float32Array): number {
	let [squares, dot] = [0, 0];
	for (let i = 0; i < a.length; i++) {
		const [x, y] = [a[i] as number, b[i] as number];
		squares += (x - y) ** 2;
		dot += x * y;
	}
	return metric === "l2" ? squares : metric === "ip" ? -dot : 1 - dot;
}

/** A number of the standard normal distribution. */
export function gaussian(random: () => number): number {
	return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The mean of vectors. */
export function meanOf(vectors: readonly Float32Array[]): Float32Array {
	const first = vectors[0] as Float32Array;
	return first.map((_, i) => vectors.reduce((sum, vector) => sum + (vector[i] as number), 0) / vectors.length);
}

export function unit(vector: Float32Array): Float32Array {
	const length = Math.hypot(...vector);
	return length === 0 ? vector : vector.map((x) => x / length);
}
