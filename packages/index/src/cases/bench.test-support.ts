import assert from "node:assert/strict";
import type { Metric } from "@nigh/contract";
import type { Arena, EngineName } from "@nigh/kernels";
import { createFlat, type FlatIndex } from "../flat/flat.ts";
import { createHnsw, type HnswIndex } from "../hnsw/hnsw.ts";
import { type LoadOptions, loadIndex } from "../load.ts";
import type { CustomMetric, Neighbor, VectorRows } from "../vector-index.ts";
import { isOrdered, randomRows, trueDistance } from "../vectors.test-support.ts";

export type AnyIndex = FlatIndex | HnswIndex;

/** One way to make an index, all of which keep the promises of `VectorIndex`. */
export interface Variant {
	readonly kind: "flat" | "hnsw";
	readonly metric: Metric | CustomMetric;
	readonly codes: "none" | "sq7";
	readonly engine?: EngineName;
}

export interface MakeOptions {
	readonly dimensions?: number;
	readonly maxElements?: number;
	readonly weights?: readonly number[];
}

export type Run = (name: string, body: (bench: Bench) => void | Promise<void>) => void;

/** What a case works with: indexes of one variant, and vectors that fit them. */
export class Bench {
	readonly variant: Variant;
	/** The memory that indexes share; one of a metric of one's own has its own. */
	readonly arena: Arena;
	readonly #open: { dispose(): void }[] = [];

	constructor(variant: Variant, arena: Arena) {
		this.variant = variant;
		this.arena = arena;
	}

	get isBits(): boolean {
		return this.variant.metric === "hamming";
	}

	get isCustom(): boolean {
		return typeof this.variant.metric !== "string";
	}

	get dimensions(): number {
		return this.isBits ? 64 : 12;
	}

	/** Elements of a vector's array. */
	get length(): number {
		return this.isBits ? this.dimensions / 8 : this.dimensions;
	}

	create(options: MakeOptions = {}): AnyIndex {
		const { kind, metric, codes } = this.variant;
		const memory = this.isCustom ? {} : { arena: this.arena };
		const all = { dimensions: this.dimensions, metric, codes, ...memory, ...options };
		return this.keep(kind === "flat" ? createFlat(all) : createHnsw(all));
	}

	/** An index of `n` random vectors under the labels 0, 1, 2 ... */
	async filled(n: number, seed = 1, options: MakeOptions = {}): Promise<AnyIndex> {
		const index = this.create(options);
		await index.insertMany(this.rows(n, seed));
		return index;
	}

	load(chunks: Iterable<Uint8Array>): AnyIndex {
		return this.keep(loadIndex(chunks, this.loadOptions));
	}

	get loadOptions(): LoadOptions {
		return this.isCustom ? { metric: this.variant.metric as CustomMetric } : { arena: this.arena };
	}

	/** Sees to it that what is made is disposed of at the end of the case. */
	keep<T extends { dispose(): void }>(thing: T): T {
		this.#open.push(thing);
		return thing;
	}

	rows(n: number, seed: number): VectorRows {
		return randomRows(seed, n, this.length, this.isBits);
	}

	row(rows: VectorRows, i: number): VectorRows {
		return rows.subarray(i * this.length, (i + 1) * this.length);
	}

	vector(seed: number): VectorRows {
		return this.rows(1, seed);
	}

	zero(): VectorRows {
		return this.isBits ? new Uint8Array(this.length) : new Float32Array(this.length);
	}

	/** Hits are in order, are as many as expected, and each distance is that of the vector which was given under the label. */
	checkHits(
		hits: readonly Neighbor[],
		query: VectorRows,
		count: number,
		vectorOf: (label: number) => VectorRows,
		weights?: readonly number[],
	): void {
		assert.equal(hits.length, count);
		assert.ok(isOrdered(hits), `ascending distances, then labels: ${JSON.stringify(hits)}`);
		hits.forEach(({ label, distance }, rank) => {
			const truth = trueDistance(this.variant.metric, query, vectorOf(label), weights);
			const error = Math.abs(distance - truth.distance);
			assert.ok(error <= truth.tolerance, `rank ${rank}, label ${label}: ${distance}, in truth ${truth.distance}`);
		});
	}

	close(): void {
		for (const thing of this.#open.reverse()) thing.dispose();
	}
}
