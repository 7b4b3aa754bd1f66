import { BOUNDS, checkInteger, checkOptions, type Metric, NighError } from "@nigh/contract";
import { BOUND_QUERY, GRAPH } from "@nigh/kernels";
import { checkMany, layOutMany, type ManyOptions, type ManySpec } from "../many/room.ts";
import type { HnswGraph } from "./graph.ts";
import { HNSW_BOUNDS } from "./parameters.ts";
import { SCAN_BYTES } from "./scan.ts";
import { Scratch } from "./scratch.ts";

export interface ReaderOptions {
	/** The widest beam the reader may be asked for, 1 to 10,000. Default 10,000: the lists for it take 0.4 MB. */
	readonly maxEf?: number;
	/** The most answers it may be asked for, 1 to 10,000. Default 10,000. */
	readonly maxK?: number;
	/** Room for `scanMany`, of which only a reader that has it can be asked. Default: none. */
	readonly many?: ManyOptions;
}

/** What a thread needs to search a graph that another one owns: plain numbers, to be sent with a message. Addresses are bytes of the shared memory. */
export interface ReaderSpec {
	readonly dimensions: number;
	readonly metric: Metric;
	/** The ef of a search that names none, at least. */
	readonly ef: number;
	readonly maxEf: number;
	readonly maxK: number;
	readonly M: number;
	/** Nodes there is room for. */
	readonly capacity: number;
	/** One factor a dimension; 0 where there are no weights. */
	readonly factors: number;
	/** What code 0 stands for; 0 where the graph has no codes. */
	readonly origin: number;
	/** The graph struct of the owner. */
	readonly graph: number;
	/** The reader's own graph struct, with an entry point that matches its top level. */
	readonly ownGraph: number;
	readonly payload: number;
	readonly payloadBytes: number;
	readonly blocks: number;
	readonly blockStride: number;
	readonly vectors: number;
	readonly vectorStride: number;
	readonly levels: number;
	/** How many places are complete, and the step of the codes. */
	readonly published: number;
	/** u32 a label from `firstLabel` on: 1 + its place, 0 for none. */
	readonly places: number;
	readonly firstLabel: number;
	readonly labels: number;
	/** u32 a place: its label. */
	readonly labelsOf: number;
	/** A pair {i32 norm, f32 residual of its code} a place, the residual 0 where no reader has wanted it yet; 0 in a graph without codes. */
	readonly errors: number;
	/** A u32 that goes over the words of a bitmap. */
	readonly cursor: number;
	/** {@link BOUND_QUERY}, two planes of a coded query and a row of zeros; 0 without codes. */
	readonly bounds: number;
	readonly scratch: number;
	readonly query: number;
	readonly queryCode: number;
	readonly eligibility: number;
	readonly room: number;
	/** Keys and labels of a chunk of an exact scan. */
	readonly scan: number;
	/** For many queries at once; `null`: none. */
	readonly many: ManySpec | null;
}

/** The numbers of a graph that every reader of it gets. */
export type SharedSpec = Pick<ReaderSpec, "published" | "places" | "firstLabel" | "labels" | "labelsOf" | "errors">;

/** The planes behind it start at a multiple of 16. */
const CURSOR_BYTES = 16;

/** The memory of one reader: a scratch, a graph struct and room for a scan. Taken whole or not at all. */
export class ReaderMemory {
	readonly spec: ReaderSpec;
	readonly #graph: HnswGraph;
	readonly #scratch: Scratch;
	readonly #boundBytes: number;
	readonly #manyBytes: number;

	constructor(graph: HnswGraph, shared: SharedSpec, options: ReaderOptions) {
		checkOptions(options, ["maxEf", "maxK", "many"] satisfies (keyof ReaderOptions)[], "readerSpec");
		const maxEf = checkInteger("maxEf", options.maxEf ?? HNSW_BOUNDS.ef.max, HNSW_BOUNDS.ef);
		const maxK = checkInteger("maxK", options.maxK ?? BOUNDS.k.max, BOUNDS.k);
		const many = options.many === undefined ? null : { address: 0, ...checkMany(options.many) };
		this.#graph = graph;
		const scratch = new Scratch(graph);
		this.#scratch = scratch;
		const { arena, rows } = graph;
		let ownGraph = 0;
		let scan = 0;
		let cursor = 0;
		let manyAt = 0;
		this.#manyBytes = many === null ? 0 : layOutMany(graph.rows, many).bytes;
		const { codes } = graph;
		this.#boundBytes = CURSOR_BYTES + (codes === undefined ? 0 : BOUND_QUERY.bytes + 2 * codes.bytes + rows.bytes);
		try {
			scratch.fit(graph.capacity, Math.max(maxEf, maxK));
			scratch.fitHeap();
			ownGraph = arena.alloc(graph.structBytes);
			scan = arena.alloc(SCAN_BYTES);
			cursor = arena.alloc(this.#boundBytes);
			if (many !== null) manyAt = arena.alloc(this.#manyBytes);
		} catch (error) {
			scratch.dispose();
			arena.free(ownGraph);
			arena.free(scan);
			arena.free(cursor);
			throw error;
		}
		arena.u8(ownGraph, graph.structBytes).set(arena.u8(graph.address, graph.structBytes));
		arena.u32(ownGraph + GRAPH.labels, 1)[0] = shared.labelsOf;
		this.spec = {
			dimensions: rows.dimensions,
			metric: namedMetric(graph),
			ef: graph.parameters.ef,
			maxEf,
			maxK,
			M: graph.M,
			capacity: graph.capacity,
			factors: rows.factors,
			origin: graph.codes?.origin ?? 0,
			graph: graph.address,
			ownGraph,
			payload: graph.payload,
			payloadBytes: graph.payloadBytes,
			blocks: graph.blocks,
			blockStride: graph.blockStride,
			vectors: graph.vectors,
			vectorStride: graph.vectorStride,
			levels: graph.levelsAddress,
			...shared,
			scratch: scratch.address,
			query: scratch.query,
			queryCode: scratch.queryCode,
			eligibility: scratch.eligibility,
			room: scratch.room,
			scan,
			cursor,
			bounds: codes === undefined ? 0 : cursor + CURSOR_BYTES,
			many: many === null ? null : { ...many, address: manyAt },
		};
	}

	get bytes(): number {
		return this.#scratch.bytes + this.#graph.structBytes + SCAN_BYTES + this.#boundBytes + this.#manyBytes;
	}

	dispose(): void {
		const { arena } = this.#graph;
		this.#scratch.dispose();
		arena.free(this.spec.ownGraph);
		arena.free(this.spec.scan);
		arena.free(this.spec.cursor);
		if (this.spec.many !== null) arena.free(this.spec.many.address);
	}
}

/** @throws NighError `INVALID_OPTION` where no other thread could read the graph. */
export function namedMetric({ arena, rows }: HnswGraph): Metric {
	if (arena.shared && typeof rows.metric === "string") return rows.metric;
	throw new NighError(
		"INVALID_OPTION",
		"readers on other threads need a shared arena: create the index with shared: true",
		{
			field: "shared",
		},
	);
}
