import { createHnsw, createIvf, type GraphReader, type HnswIndex, type IvfIndex, openReader } from "@nigh/index";
import { SCRATCH } from "@nigh/kernels";
import type { Rung } from "@nigh/recall";
import type { Collection } from "./collections.ts";

/** An index that answers, and counts what it compares. */
export interface Searcher {
	/** Cells of an inverted file; 0 of a graph. */
	readonly nlist: number;
	/** Writes the labels of a query's answer, which were the rows' numbers; returns how many there are. */
	search(query: Float32Array, k: number, rung: Rung, labels: Uint32Array): number;
	/** Distances computed since it was opened: to nodes, or to centroids and scanned rows and candidates. The same in every run. */
	compared(): number;
	close(): void;
}

/** Builds the index of a collection over its base, labels being the numbers of the rows. */
export async function openSearcher(collection: Omit<Collection, "ks" | "name">, base: Float32Array): Promise<Searcher> {
	const { kind, dimensions, metric, M, seed } = collection;
	if (kind === "hnsw") {
		const index = createHnsw({ dimensions, metric, M, seed, shared: true });
		await index.insertMany(base);
		index.optimize();
		return new GraphSearcher(index);
	}
	const index = createIvf({ kind, dimensions, metric, seed });
	await index.train(base);
	await index.insertMany(base);
	return new CellSearcher(index);
}

/** Reads the graph as a database's readers do, whose scratch has the count of the keys that were computed. */
class GraphSearcher implements Searcher {
	readonly nlist = 0;
	readonly #index: HnswIndex;
	readonly #reader: GraphReader;
	#compared = 0;
	#before = 0;

	constructor(index: HnswIndex) {
		this.#index = index;
		this.#reader = openReader(index.arena.memory, index.arena.engine, index.readerSpec());
		this.#before = this.#counter();
	}

	search(query: Float32Array, k: number, rung: Rung, labels: Uint32Array): number {
		if (rung.kind !== "graph" || rung.patience !== undefined)
			throw new RangeError("a graph has rungs of ef alone here");
		const found = this.#reader.search(query, k, { ef: rung.ef });
		for (let i = 0; i < found; i++) labels[i] = this.#reader.labelAt(i);
		const now = this.#counter();
		// The counter wraps at 2^32, which one search cannot reach.
		this.#compared += (now - this.#before) >>> 0;
		this.#before = now;
		return found;
	}

	compared(): number {
		return this.#compared;
	}

	close(): void {
		this.#index.releaseReader(this.#reader.spec);
		this.#index.dispose();
	}

	#counter(): number {
		return this.#index.arena.u32(this.#reader.spec.scratch + SCRATCH.keysComputed, 1)[0] as number;
	}
}

class CellSearcher implements Searcher {
	readonly nlist: number;
	readonly #index: IvfIndex;
	#compared = 0;

	constructor(index: IvfIndex) {
		this.#index = index;
		this.nlist = index.effective().nlist as number;
	}

	search(query: Float32Array, k: number, rung: Rung, labels: Uint32Array): number {
		if (rung.kind !== "cells") throw new RangeError("cells have rungs of nprobe");
		const { nprobe, rerank, budget } = rung;
		const { neighbors, report } = this.#index.explain(query, k, {
			nprobe,
			...(rerank !== undefined && { rerank }),
			...(budget !== undefined && { budget }),
		});
		for (const [i, { label }] of neighbors.entries()) labels[i] = label;
		this.#compared += this.nlist + report.rows + report.ranked;
		return neighbors.length;
	}

	compared(): number {
		return this.#compared;
	}

	close(): void {
		this.#index.dispose();
	}
}
