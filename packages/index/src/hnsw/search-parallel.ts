import { rowBytes } from "@nigh/kernels";
import { checkAborted, writeEligibility } from "../eligibility.ts";
import { type Parallel, serial } from "../parallel.ts";
import type { Neighbor, ParallelSearchOptions, SearchOptions, VectorRows } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { Scratch } from "./scratch.ts";
import { answer, isWalked, leastFound, search } from "./search.ts";
import { beamWidth, encodeQuery, patienceOf, rerankDepth } from "./walk.ts";

/** Queries that are prepared and handed out at a time: enough that waiting for the last lane costs little. */
const BATCH = 1_024;

/**
 * The answers of {@link search} to `n` checked queries, in their order, the walks over the graph shared out among lanes. What is no walk
 * (exact searches, sets that are as small as the beam) is done on this thread. Nothing may write to the graph meanwhile.
 */
export async function searchParallel(
	graph: HnswGraph,
	queries: VectorRows,
	n: number,
	k: number,
	{ parallel = serial, allow, ...others }: ParallelSearchOptions,
): Promise<Neighbor[][]> {
	// The caller may go on with the set: growing moves what the lanes would read.
	const own = allow?.clone();
	const options = own === undefined ? others : { ...others, allow: own };
	try {
		return await searchInBatches(graph, queries, n, k, parallel, options);
	} finally {
		own?.dispose();
	}
}

async function searchInBatches(
	graph: HnswGraph,
	queries: VectorRows,
	n: number,
	k: number,
	parallel: Parallel,
	options: SearchOptions,
): Promise<Neighbor[][]> {
	const ef = beamWidth(graph, k, options.ef);
	const patience = patienceOf(options.patience);
	const alone = (row: number) => search(graph, graph.rows.rowOf(queries, row), k, options);
	if (graph.size === 0 || !isWalked(k, ef, options)) return Array.from({ length: n }, (_, row) => alone(row));
	const walk = new ParallelWalk(graph, {
		k: Math.min(k, graph.size),
		ef,
		lanes: Math.min(parallel.lanes, n),
		batch: Math.min(BATCH, n),
		...options,
		patience,
	});
	try {
		const answers: Neighbor[][] = [];
		for (let from = 0; from < n; from += BATCH) {
			checkAborted(options.abort);
			const rows = Array.from({ length: Math.min(BATCH, n - from) }, (_, i) => graph.rows.rowOf(queries, from + i));
			const found = await walk.run(rows, parallel);
			found.forEach((hits, i) => {
				answers.push(hits ?? alone(from + i));
			});
		}
		return answers;
	} finally {
		walk.dispose();
	}
}

interface WalkOptions extends Pick<SearchOptions, "allow" | "abort"> {
	readonly k: number;
	readonly ef: number;
	readonly patience: number;
	readonly lanes: number;
	/** The most queries of a run. */
	readonly batch: number;
}

/** The memory of a batch of walks: the queries, their codes, their answers, and a scratch for each lane. */
class ParallelWalk {
	readonly #graph: HnswGraph;
	readonly #k: number;
	readonly #ef: number;
	readonly #patience: number;
	readonly #least: number;
	readonly #batch: number;
	readonly #abort: SearchOptions["abort"];
	readonly #eligibility: number;
	readonly #lanes: Scratch[] = [];
	readonly #rowStride: number;
	readonly #codeStride: number;
	#memory = 0;

	constructor(graph: HnswGraph, { k, ef, patience, lanes, batch, allow, abort }: WalkOptions) {
		this.#graph = graph;
		this.#k = k;
		this.#ef = ef;
		this.#patience = patience;
		this.#least = leastFound(k, allow);
		this.#batch = batch;
		this.#abort = abort;
		this.#rowStride = graph.rows.bytes;
		// The norm stands behind the codes.
		this.#codeStride = rowBytes(graph.payloadBytes) + 16;
		let eligibility = 0;
		try {
			for (let lane = 0; lane < lanes; lane++) {
				// Scratches of their own: those of the graph serve the searches that this thread does in between.
				const scratch = new Scratch(graph);
				this.#lanes.push(scratch);
				scratch.fit(graph.capacity, Math.max(ef, k));
				scratch.set("abort", abort?.address ?? 0);
				if (lane === 0) eligibility = writeEligibility(graph.arena, scratch.eligibility, allow);
				if (eligibility !== 0) scratch.fitHeap();
			}
			this.#memory = graph.arena.alloc(batch * (this.#rowStride + this.#codeStride + 8 * k + 4) + 4);
		} catch (error) {
			this.dispose();
			throw error;
		}
		this.#eligibility = eligibility;
	}

	/** The answers to at most a batch of queries; `undefined` where a walk found fewer than were asked for. */
	async run(queries: readonly VectorRows[], parallel: Parallel): Promise<(Neighbor[] | undefined)[]> {
		const graph = this.#graph;
		const { arena } = graph;
		const codes = this.#memory + this.#batch * this.#rowStride;
		const answers = codes + this.#batch * this.#codeStride;
		const found = answers + this.#batch * 8 * this.#k;
		const cursor = found + this.#batch * 4;
		queries.forEach((query, i) => {
			const row = this.#memory + i * this.#rowStride;
			const code = codes + i * this.#codeStride;
			graph.rows.write(query as Float32Array | Uint8Array, row);
			const norm = encodeQuery(graph, row, code);
			arena.i32(code + graph.payloadBytes, 1)[0] = norm;
		});
		arena.u32(cursor, 1)[0] = 0;
		const [k, ef] = [this.#k, this.#ef];
		const beam = [k, ef, rerankDepth(k, ef), this.#patience, this.#eligibility];
		const args = [...beam, this.#memory, this.#rowStride, codes, this.#codeStride];
		await parallel.run(
			arena,
			"searchRange",
			this.#lanes.map((lane) => [graph.address, lane.address, ...args, answers, found, queries.length, cursor]),
		);
		const sizes = arena.i32(found, queries.length).slice();
		if (sizes.includes(-1)) checkAborted(this.#abort);
		return Array.from(sizes, (size, i) => (size < this.#least ? undefined : answer(graph, answers + i * 8 * k, size)));
	}

	dispose(): void {
		for (const lane of this.#lanes) lane.dispose();
		this.#graph.arena.free(this.#memory);
	}
}
