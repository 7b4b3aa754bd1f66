import assert from "node:assert/strict";
import type { Metric } from "@nigh/contract";
import type { Arena, EngineName } from "@nigh/kernels";
import { createFlat, type FlatIndex, type FlatOptions } from "../flat/flat.ts";
import { createHnsw, type HnswIndex } from "../hnsw/hnsw.ts";
import { createIvf, type IvfIndex } from "../ivf/ivf.ts";
import type { IvfKind } from "../ivf/parameters.ts";
import { type LoadOptions, loadIndex } from "../load.ts";
import type { IndexSpec } from "../spec.ts";
import type { CustomMetric, Neighbor, VectorRows } from "../vector-index.ts";
import { isOrdered, randomRows, trueDistance } from "../vectors.test-support.ts";

export type AnyIndex = FlatIndex | HnswIndex | IvfIndex;

/** One way to make an index, all of which keep the promises of `VectorIndex`. */
export interface Variant {
	readonly kind: "flat" | "hnsw" | IvfKind;
	readonly metric: Metric | CustomMetric;
	/** `undefined` for a kind whose codes are its own. */
	readonly codes: "none" | "sq7" | undefined;
	readonly engine?: EngineName;
}

export interface MakeOptions {
	readonly dimensions?: number;
	readonly maxElements?: number;
	readonly weights?: readonly number[];
}

/** So few that there are ten cells. */
const TRAINING_ROWS = 300;
const TRAINING_SEED = 4_711;

/** An index of a variant as it is created, not trained. */
export function createVariant({ kind, metric, codes }: Variant, options: MakeOptions & Partial<IndexSpec>): AnyIndex {
	const all = { metric, ...(codes !== undefined && { codes }), ...options } as FlatOptions;
	if (kind === "flat") return createFlat(all);
	return kind === "hnsw" ? createHnsw(all) : createIvf({ ...all, kind });
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

	/** An empty index that takes vectors in: one that has to be trained has been, on vectors that it does not hold. */
	async create(options: MakeOptions = {}): Promise<AnyIndex> {
		const memory = this.isCustom ? {} : { arena: this.arena };
		const index = this.keep(createVariant(this.variant, { dimensions: this.dimensions, ...memory, ...options }));
		if (!("train" in index)) return index;
		await index.train(randomRows(TRAINING_SEED, TRAINING_ROWS, index.dimensions) as Float32Array);
		return index;
	}

	/** An index of `n` random vectors under the labels 0, 1, 2 ... */
	async filled(n: number, seed = 1, options: MakeOptions = {}): Promise<AnyIndex> {
		const index = await this.create(options);
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
