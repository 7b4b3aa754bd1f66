import { Arena } from "@nigh/kernels";
import { createFile, type IvfOptions } from "./create-file.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { clustered, rowAt } from "./ivf.test-support.ts";
import { IvfIndex } from "./ivf.ts";
import type { Learnt } from "./learnt.ts";

export const arena = new Arena();

type Settings = Omit<IvfOptions, "arena" | "dimensions" | "metric">;

export const KINDS: Readonly<Record<string, Settings>> = {
	ivf: { kind: "ivf", codes: "none" },
	"ivf by codes, turned": { kind: "ivf", codes: "sq7", rotation: "opq" },
	ivfpq: { kind: "ivfpq", bits: 4 },
	"ivfpq of 5 bits, turned": { kind: "ivfpq", bits: 5, rotation: "opq" },
	ivfrabitq: { kind: "ivfrabitq", bits: 2 },
};
export const names = Object.keys(KINDS);

export const D = 12;
export const N = 1_000;
export const ROWS = clustered(1, { n: N, d: D, centers: 25, spread: 0.5 });
export const QUERIES = [3, 77, 500].map((i) => rowAt(ROWS, D, i).map((x, j) => x + 0.1 * Math.cos(i * j)));

export const base = (name: string): IvfOptions => ({
	...(KINDS[name] as Settings),
	dimensions: D,
	metric: "l2",
	arena,
});

/** A hundred times the same. */
export const ONE = Float32Array.from({ length: 100 * D }, (_, i) => Math.sin(i % D));

/** Labels in each cell, by its centroid. */
export function cellsOf(file: InvertedFile): { centroid: number[]; labels: number[] }[] {
	const { coarse } = file.learnt as Learnt;
	return Array.from({ length: coarse.nlist }, (_, cell) => ({
		centroid: [...arena.f32(coarse.centroidOf(cell), coarse.projection.width)],
		labels: Array.from(file.cells.placesOf(cell), (place) => file.labelOf(place)).sort((a, b) => a - b),
	}));
}

export async function fileOf(options: IvfOptions, rows: Float32Array) {
	const file = createFile(options);
	const index = new IvfIndex(file);
	await index.train(rows);
	await index.insertMany(rows);
	return { file, index };
}
