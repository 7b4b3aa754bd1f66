import { Arena } from "@nigh/kernels";
import { randomRows } from "../vectors.test-support.ts";
import type { IvfOptions } from "./create-file.ts";
import { createIvf, type IvfIndex } from "./ivf.ts";
import type { IvfSource } from "./parts.ts";

export const DIMENSIONS = 36;
export const VECTORS = 500;
export const REMOVED: readonly number[] = [0, 3, 77, 250, 251];

/** One index of every shape: what is scanned, by which codes, of rows as they are or turned. */
export const SHAPES: readonly (readonly [name: string, options: Partial<IvfOptions> & Pick<IvfOptions, "kind">])[] = [
	["ivf", { kind: "ivf", codes: "none", rotation: "none" }],
	["ivf, l1", { kind: "ivf", metric: "l1", nlist: 7 }],
	["ivf, codes, turned", { kind: "ivf", codes: "sq7", metric: "cosine", nlist: 20, nprobe: 4, budget: 400 }],
	["ivf, as many cells as are found by codes", { kind: "ivf", nlist: 240, nprobe: 40, rotation: "none" }],
	["ivfpq, turned", { kind: "ivfpq", seed: 7, rerank: 30 }],
	["ivfpq, settings of its own", { kind: "ivfpq", metric: "ip", M: 12, bits: 6, residual: false, maxElements: 900 }],
	["ivfpq, weights", { kind: "ivfpq", bits: 8, weights: Array.from({ length: DIMENSIONS }, (_, i) => 0.5 + i / 9) }],
	["ivfrabitq", { kind: "ivfrabitq" }],
	["ivfrabitq, settings of its own", { kind: "ivfrabitq", metric: "ip", bits: 4, epsilon: 2.5, rerank: 40 }],
	["ivfrabitq, cosine", { kind: "ivfrabitq", metric: "cosine", bits: 8, nlist: "nanoindex" }],
	["ivf on disk", { kind: "ivf", storage: "disk" }],
	["ivf on disk, ip", { kind: "ivf", storage: "disk", metric: "ip", rotation: "none", nlist: 9 }],
	["ivfpq on disk", { kind: "ivfpq", storage: "disk", metric: "cosine" }],
	["ivfrabitq on disk", { kind: "ivfrabitq", storage: "disk", bits: 2, rerank: 60 }],
];

/** A trained index that holds vectors and has lost some again, without and with a place for each. */
export async function built(options: Partial<IvfOptions> & Pick<IvfOptions, "kind">): Promise<IvfIndex> {
	const index = createIvf({ dimensions: DIMENSIONS, metric: "l2", arena: new Arena(), ...options });
	await index.train(rows(1, 400), { vectors: VECTORS });
	await index.insertMany(rows(2, VECTORS));
	index.remove(REMOVED);
	return index;
}

export function rows(seed: number, n: number): Float32Array {
	return randomRows(seed, n, DIMENSIONS) as Float32Array;
}

export interface Saved {
	readonly source: IvfSource;
	readonly state: Record<string, unknown>;
	readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** The parts of an index as they come from wherever they were written: the state as JSON, each section a copy that can be damaged. */
export function saved(index: IvfIndex): Saved {
	const parts = index.parts();
	const bytes = new Map(parts.sections.map((section) => [section.name, section.bytes.slice()]));
	const state = JSON.parse(JSON.stringify(parts.state));
	const sections = parts.sections.map((section) => ({ name: section.name, bytes: section.bytes.length }));
	const read = (name: string, into: Uint8Array) => into.set(bytes.get(name) as Uint8Array);
	return { source: { state, sections, read }, state, bytes };
}

export function imageOf(index: IvfIndex): Buffer {
	return Buffer.concat([...index.serialize()]);
}
