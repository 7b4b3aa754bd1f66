import assert from "node:assert/strict";
import { type Arena, ArenaFullError } from "@nigh/kernels";
import { createFlat, type FlatIndex } from "../flat/flat.ts";
import type { Neighbor } from "../vector-index.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import type { IvfOptions } from "./create-file.ts";
import { createIvf, type IvfIndex } from "./ivf.ts";

/** `n` rows about `centers` points in [-1, 1), up to `spread` away in each dimension; row i belongs to centre i mod `centers`. */
export function clustered(
	seed: number,
	{ n, d, centers, spread, offset = 0 }: { n: number; d: number; centers: number; spread: number; offset?: number },
): Float32Array {
	const random = randomNumbers(seed);
	const middles = Array.from({ length: centers * d }, () => 2 * random() - 1);
	return Float32Array.from({ length: n * d }, (_, i) => {
		const center = Math.floor(i / d) % centers;
		return offset + (middles[center * d + (i % d)] as number) + spread * (2 * random() - 1);
	});
}

export function rowAt(rows: Float32Array, d: number, i: number): Float32Array {
	return rows.subarray(i * d, (i + 1) * d);
}

/** An index that has been trained on rows and holds them, under the labels 0, 1, 2 ... */
export async function built(options: IvfOptions, rows: Float32Array): Promise<IvfIndex> {
	const index = createIvf(options);
	await index.train(rows);
	await index.insertMany(rows);
	return index;
}

/** The exact answer, from vectors of a flat index without codes. */
export async function flatOf(
	{ dimensions, metric, weights, arena }: IvfOptions,
	rows: Float32Array,
	labels?: Uint32Array,
): Promise<FlatIndex> {
	const shape = { dimensions, metric, codes: "none" } as const;
	const flat = createFlat({
		...shape,
		...(weights === undefined ? {} : { weights }),
		...(arena === undefined ? {} : { arena }),
	});
	await flat.insertMany(rows, labels === undefined ? {} : { labels });
	return flat;
}

/** The share of the exact answer that was found; ties of the last count. */
export function recallOf(found: readonly Neighbor[], exact: readonly Neighbor[]): number {
	const last = exact.at(-1)?.distance ?? 0;
	const near = found.filter(({ distance }) => distance <= last + 1e-6 * Math.abs(last)).length;
	return exact.length === 0 ? 1 : Math.min(1, near / exact.length);
}

/** Runs `act` with an arena that refuses its `allowed`-th allocation from now; returns whether it came to that. */
export async function withRefusal(arena: Arena, allowed: number, act: () => unknown): Promise<boolean> {
	const { alloc, resize } = arena;
	let calls = 0;
	const counted = <T extends unknown[]>(take: (...args: T) => number) =>
		function (this: Arena, ...args: T): number {
			if (calls++ === allowed) throw new ArenaFullError(args.at(-1) as number, arena.maxBytes);
			arena.alloc = alloc;
			try {
				return take.apply(arena, args);
			} finally {
				arena.alloc = refusing.alloc;
			}
		};
	const refusing = { alloc: counted(alloc), resize: counted(resize) };
	Object.assign(arena, refusing);
	try {
		await act();
	} finally {
		Object.assign(arena, { alloc, resize });
	}
	return calls > allowed;
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export const mean = (values: readonly number[]): number => sum(values) / values.length;

export function labelsOf(neighbors: readonly Neighbor[]): number[] {
	return neighbors.map(({ label }) => label);
}

/** What a caller can see of an index without changing it. */
export function seen(index: IvfIndex, queries: readonly Float32Array[]) {
	// First, since a search may take the memory that it works in.
	const answers = queries.map((query) => [index.search(query, 10), index.search(query, 10, { exact: true })]);
	return {
		size: index.size,
		labels: [...index.labels()].sort((a, b) => a - b),
		memory: index.memory(),
		answers,
		effective: index.effective(),
	};
}

/** What has been taken of an arena is given back by the end. */
export async function leavingNothing(arena: Arena, act: () => Promise<void>): Promise<void> {
	const before = arena.usedBytes;
	await act();
	assert.equal(arena.usedBytes, before, "memory is still in use");
}
