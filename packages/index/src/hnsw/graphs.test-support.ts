import assert from "node:assert/strict";
import { type Arena, FREE_LEVEL, NO_NODE } from "@nigh/kernels";
import { createFlat, type FlatIndex } from "../flat/flat.ts";
import { ImageReader } from "../image.ts";
import type { Parallel } from "../parallel.ts";
import type { Label, Neighbor, SearchOptions, VectorIndex, VectorRows } from "../vector-index.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import type { HnswGraph } from "./graph.ts";
import { createGraph, HnswIndex, type HnswOptions } from "./hnsw.ts";
import { fillGraph, optionsOf } from "./restore.ts";

/** Standard normal numbers of a seed (Box and Muller). */
export function normalNumbers(seed: number): () => number {
	const random = randomNumbers(seed);
	return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Packed bits, `n` rows of `bits` / 8 bytes: noisy copies of a few patterns, one bit in ten turned over. */
export function bitRows(n: number, bits: number, seed: number, patterns = 50): Uint8Array {
	const random = randomNumbers(seed);
	const shapes = Array.from({ length: patterns }, (_, i) => {
		const shape = randomNumbers(1_000 + i);
		return Uint8Array.from({ length: bits }, () => (shape() < 0.5 ? 1 : 0));
	});
	const rows = new Uint8Array((n * bits) / 8);
	for (let row = 0; row < n; row++) {
		const shape = shapes[Math.floor(random() * patterns)] as Uint8Array;
		for (let bit = 0; bit < bits; bit++) {
			const value = (shape[bit] as number) ^ (random() < 0.1 ? 1 : 0);
			const at = row * (bits / 8) + (bit >>> 3);
			rows[at] = (rows[at] as number) | (value << (bit & 7));
		}
	}
	return rows;
}

export interface MixtureOptions {
	readonly clusters?: number;
	/** Dimensions that the clusters really have. */
	readonly latent?: number;
	/** Standard deviation of what is added in every dimension. */
	readonly noise?: number;
	/** Which clusters and which map: rows of one `shape` come from one distribution, whatever their seed. */
	readonly shape?: number;
}

export interface Mixture {
	readonly rows: Float32Array;
	/** The cluster of each row. */
	readonly clusters: Uint32Array;
}

/** A mixture of Gaussians in a few latent dimensions, mapped linearly to many, with noise: nearer to real embeddings than uniform numbers. */
export function mixture(n: number, dimensions: number, seed: number, options: MixtureOptions = {}): Mixture {
	const { clusters = 40, latent = 12, noise = 0.05, shape = 1 } = options;
	const shaping = normalNumbers(shape);
	const map = Float64Array.from({ length: latent * dimensions }, () => shaping() / Math.sqrt(latent));
	const centres = Float64Array.from({ length: clusters * latent }, () => 2 * shaping());
	const random = randomNumbers(seed);
	const normal = normalNumbers(seed + 0x5bd1);
	const rows = new Float32Array(n * dimensions);
	const of = new Uint32Array(n);
	const point = new Float64Array(latent);
	for (let row = 0; row < n; row++) {
		const cluster = Math.floor(random() * clusters);
		of[row] = cluster;
		for (let i = 0; i < latent; i++) point[i] = (centres[cluster * latent + i] as number) + normal();
		for (let j = 0; j < dimensions; j++) {
			let sum = noise * normal();
			for (let i = 0; i < latent; i++) sum += (point[i] as number) * (map[i * dimensions + j] as number);
			rows[row * dimensions + j] = sum;
		}
	}
	return { rows, clusters: of };
}

/** Row `i` of rows of so many elements. */
export function rowOf<T extends VectorRows>(rows: T, i: number, length: number): T {
	return rows.subarray(i * length, (i + 1) * length) as T;
}

/** The rows with these numbers, one after the other. */
export function pick<T extends VectorRows>(rows: T, length: number, numbers: ArrayLike<number>): T {
	const picked = rows.slice(0, numbers.length * length) as T;
	for (let i = 0; i < numbers.length; i++) picked.set(rowOf(rows, numbers[i] as number, length), i * length);
	return picked;
}

export function join(...parts: readonly Float32Array[]): Float32Array {
	const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		joined.set(part, at);
		at += part.length;
	}
	return joined;
}

/** Numbers from `from` up to but not `to`. */
export function range(from: number, to: number): Uint32Array {
	return Uint32Array.from({ length: to - from }, (_, i) => from + i);
}

/** The numbers 0 to n - 1 in an order of the seed. */
export function shuffled(n: number, seed: number): Uint32Array {
	const random = randomNumbers(seed);
	const order = range(0, n);
	for (let i = n - 1; i > 0; i--) {
		const j = Math.floor(random() * (i + 1));
		const kept = order[i] as number;
		order[i] = order[j] as number;
		order[j] = kept;
	}
	return order;
}

/** An index together with the graph inside it. */
export interface Built {
	readonly index: HnswIndex;
	readonly graph: HnswGraph;
}

export function create(options: HnswOptions): Built {
	const graph = createGraph(options);
	return { index: new HnswIndex(graph), graph };
}

export async function build(rows: VectorRows, options: HnswOptions, labels?: Uint32Array): Promise<Built> {
	const built = create(options);
	await built.index.insertMany(rows, labels === undefined ? {} : { labels });
	return built;
}

/** The index that an image holds, in an arena. */
export function reload(image: Uint8Array, arena: Arena): Built {
	const reader = new ImageReader([image]);
	const header = reader.readHeader(arena);
	const graph = createGraph({ ...(optionsOf(header.state) as unknown as HnswOptions), arena });
	fillGraph(graph, { ...header, read: (name, into) => reader.readSection(arena, name, into.length, into.byteOffset) });
	return { index: new HnswIndex(graph), graph };
}

/** An exact index over the same vectors, as they are stored in `index`. */
export function truthOf(index: VectorIndex): FlatIndex {
	const flat = createFlat({ dimensions: index.dimensions, metric: index.metric, codes: "none" });
	for (const label of index.labels()) flat.insert(label, index.vector(label) as Float32Array);
	return flat;
}

export interface RecallOptions extends Pick<SearchOptions, "ef"> {
	readonly k?: number;
	/** The labels that may be answered. */
	readonly allowed?: ReadonlySet<Label>;
}

/**
 * Mean share of the true k nearest that the index finds. Ties count: an answer is right when its true distance is no larger than that of
 * the true k-th. Fails unless every search gives exactly min(k, matches) answers, different ones, in ascending order.
 */
export function recall(
	search: (query: VectorRows, k: number, options: SearchOptions) => readonly Neighbor[],
	truth: VectorIndex,
	queries: VectorRows,
	options: RecallOptions = {},
): number {
	const { k = 10, allowed, ...searching } = options;
	const length = truth.metric === "hamming" ? truth.dimensions / 8 : truth.dimensions;
	const n = queries.length / length;
	let sum = 0;
	for (let i = 0; i < n; i++) {
		const query = rowOf(queries, i, length);
		const all = truth.search(query, allowed === undefined ? k : Math.min(10_000, truth.size));
		const nearest = allowed === undefined ? all : all.filter(({ label }) => allowed.has(label)).slice(0, k);
		const found = search(query, k, searching);
		assert.equal(found.length, nearest.length, `query ${i}: as many answers as there are matches`);
		assert.equal(new Set(found.map(({ label }) => label)).size, found.length, `query ${i}: no label twice`);
		if (nearest.length === 0) {
			sum += 1 / n;
			continue;
		}
		const bound = (nearest.at(-1) as Neighbor).distance;
		let right = 0;
		for (const [rank, { label, distance }] of found.entries()) {
			if (rank > 0) assert.ok(distance >= (found[rank - 1] as Neighbor).distance, `query ${i}: ascending`);
			assert.ok(allowed === undefined || allowed.has(label), `query ${i}: only what is allowed`);
			if (distance <= bound) right++;
		}
		sum += right / nearest.length / n;
	}
	return sum;
}

/** The bytes of an index in one array. */
export function imageOf(index: HnswIndex): Uint8Array {
	const chunks = [...index.serialize()];
	const image = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
	let at = 0;
	for (const chunk of chunks) {
		image.set(chunk, at);
		at += chunk.length;
	}
	return image;
}

/**
 * What holds in every graph, checked without the graph's own verbs: links on every layer lead to live nodes that reach that layer, none to
 * itself, none twice, no list over its bound; the entry point is a tallest node; table, labels and places agree; every live node can be
 * reached from the entry point on layer 0. Returns the number of links.
 */
export function checkGraph(graph: HnswGraph, { connected = true }: { readonly connected?: boolean } = {}): number {
	const levels = graph.levels().slice();
	const live: number[] = [];
	levels.forEach((level, node) => {
		if (level !== FREE_LEVEL) live.push(node);
	});
	assert.equal(live.length, graph.size, "as many live nodes as labels");
	assert.deepEqual(
		[...graph.freeNodes].sort((a, b) => a - b),
		[...levels.keys()].filter((node) => levels[node] === FREE_LEVEL),
		"the free places are those without a node",
	);
	assert.ok(graph.slots <= graph.capacity, "places in use are within the capacity");
	assert.equal(levels.length, graph.slots);
	let links = 0;
	const records = new Set<number>();
	for (const node of live) {
		assert.equal(graph.table.get(graph.labelOf(node)), node, `the label of node ${node} leads to it`);
		const level = levels[node] as number;
		for (let record = 0; record < level; record++) {
			const at = (graph.upperOf()[node] as number) + record;
			assert.ok(at < graph.upper.used && !records.has(at), `upper record ${at} belongs to node ${node} alone`);
			records.add(at);
		}
		for (let layer = 0; layer <= level; layer++) {
			const list = graph.links(node, layer);
			links += list.length;
			const where = `node ${node}, layer ${layer}`;
			assert.ok(list.length <= (layer === 0 ? graph.M0 : graph.M), `${where}: no more links than the bound`);
			assert.equal(new Set(list).size, list.length, `${where}: no link twice`);
			for (const other of list) {
				assert.notEqual(other, node, `${where}: no link to itself`);
				const reaches = levels[other];
				assert.ok(reaches !== undefined && reaches !== FREE_LEVEL, `${where}: the link to ${other} leads to a node`);
				assert.ok(reaches >= layer, `${where}: ${other} reaches that layer`);
			}
		}
	}
	const tallest = live.reduce((most, node) => Math.max(most, levels[node] as number), 0);
	if (live.length === 0) assert.equal(graph.entry, NO_NODE, "an empty graph has no entry point");
	else {
		assert.equal(levels[graph.entry], tallest, "the entry point is on the top layer");
		assert.equal(graph.topLevel, tallest, "the top layer is that of the tallest node");
	}
	if (connected) assert.equal(reachable(graph).size, live.length, "every node can be reached from the entry point");
	return links;
}

/** The nodes that the entry point leads to on layer 0. */
export function reachable(graph: HnswGraph): Set<number> {
	const reached = new Set<number>(graph.entry === NO_NODE ? [] : [graph.entry]);
	// A set goes on over what is added while it is walked.
	for (const node of reached) for (const other of graph.links(node, 0)) reached.add(other);
	return reached;
}

/** Cuts every link on layer 0 that leads from outside a set of nodes into it. */
export function cutOff(graph: HnswGraph, nodes: ReadonlySet<number>): void {
	for (const node of graph.nodes()) {
		if (nodes.has(node)) continue;
		graph.setLinks(
			node,
			0,
			graph.links(node, 0).filter((other) => !nodes.has(other)),
		);
	}
}

/** Lanes on one thread, each run to its end before the next, in a given order. */
export function inOrder(order: readonly number[]): Parallel {
	return {
		lanes: order.length,
		async run(arena, kernel, args) {
			for (const lane of order) {
				await undefined;
				(arena.kernels[kernel] as (...numbers: number[]) => unknown)(...(args[lane] as readonly number[]));
			}
		},
	};
}

/** Lanes on one thread that take turns, node by node: the kernels' last two arguments are where to end and the shared cursor. */
export function takingTurns(lanes: number): Parallel {
	return {
		lanes,
		async run(arena, kernel, args) {
			const first = args[0] as readonly number[];
			const end = first.at(-2) as number;
			for (let at = 0; at < end; at++) {
				await undefined;
				const list = [...(args[(end - at) % lanes] as readonly number[])];
				arena.u32(list.at(-1) as number, 1)[0] = at;
				list[list.length - 2] = at + 1;
				(arena.kernels[kernel] as (...numbers: number[]) => unknown)(...list);
			}
		},
	};
}
