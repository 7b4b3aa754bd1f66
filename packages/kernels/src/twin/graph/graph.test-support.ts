import { Bench, type BenchOptions, randomNumbers } from "../../kernels.test-support.ts";
import { FREE_LEVEL, GRAPH, METRIC_CODES, NO_NODE, PAYLOADS, SCRATCH } from "../../layout.ts";

export interface GraphOptions extends BenchOptions {
	readonly payload: (typeof PAYLOADS)[keyof typeof PAYLOADS];
	readonly metric: number;
	/** The most nodes that are inserted before links back are made. Default 16. */
	readonly batch?: number;
	readonly seed?: number;
}

const DEGREE = 5;
const DEGREE0 = 10;
const EF_BUILD = 24;

/** Rows as the graph gets them: floats, or packed bits. */
export type Row = Float32Array | Uint8Array;

/** A small graph on a {@link Bench}, built as an index builds one: batches of nodes, then links back on each layer. */
export class TestGraph {
	readonly bench: Bench;
	readonly graph: number;
	readonly scratch: number;
	readonly n: number;
	readonly abort: number;
	readonly degree = DEGREE;
	readonly degree0 = DEGREE0;
	readonly blocks: number;
	readonly blockStride: number;
	readonly vectorBytes: number;
	readonly levels: number;
	readonly upperOf: number;
	readonly metric: number;
	readonly vectors: number;
	readonly #payloadBytes: number;
	readonly #upper: number;
	readonly #options: GraphOptions;
	readonly #query: number;
	readonly #queryCode: number;
	readonly #origin: number;
	readonly #answer: number;

	constructor(rows: readonly Row[], options: GraphOptions) {
		const bench = new Bench(options);
		const n = rows.length;
		const coded = options.payload === PAYLOADS.codesL2 || options.payload === PAYLOADS.codesDot;
		this.bench = bench;
		this.n = n;
		this.metric = options.metric;
		this.#options = options;
		const first = rows[0] as Row;
		this.vectorBytes = Math.ceil(first.byteLength / 16) * 16;
		this.#payloadBytes = coded ? Math.ceil(first.length / 16) * 16 : this.vectorBytes;
		this.blockStride = Math.ceil((this.#payloadBytes + 12 + 4 * DEGREE0) / 64) * 64;
		this.blocks = bench.room(n * this.blockStride);
		this.vectors = coded ? bench.room(n * this.vectorBytes) : this.blocks;
		this.#origin = bench.room(this.vectorBytes);
		// Every number of the tests is in -1..1; the dot form codes them from there too.
		bench.write(this.#origin, new Float32Array(first.length).fill(-1));
		const random = randomNumbers(options.seed ?? 1);
		const levels = Uint8Array.from({ length: n }, () => Math.min(3, Math.floor(-Math.log(1 - random()) / Math.log(4))));
		let records = 0;
		const upperOf = Uint32Array.from(levels, (level) => {
			records += level;
			return records - level;
		});
		this.levels = bench.put(levels);
		this.upperOf = bench.put(upperOf);
		this.#upper = bench.room(4 * (DEGREE + 1) * records);
		this.graph = bench.putWords(GRAPH, {
			payload: options.payload,
			metric: options.metric,
			payloadBytes: this.#payloadBytes,
			blocks: this.blocks,
			blockStride: this.blockStride,
			vectors: this.vectors,
			vectorStride: coded ? this.vectorBytes : this.blockStride,
			vectorBytes: this.vectorBytes,
			degree: DEGREE,
			degree0: DEGREE0,
			upper: this.#upper,
			upperOf: this.upperOf,
			levels: this.levels,
			entry: NO_NODE,
		});
		this.abort = bench.room(4);
		this.#query = bench.room(this.vectorBytes);
		this.#queryCode = bench.room(this.#payloadBytes + 16);
		this.#answer = bench.room(8 * (n + 1));
		this.scratch = bench.putWords(SCRATCH, {
			marks: bench.room(2 * n),
			// So that the marks wrap around in the middle of the build.
			mark: 0xffff - 100,
			markCount: n,
			pool: bench.room(8 * (n + 1)),
			ids: bench.room(8 * (n + DEGREE0)),
			keys: bench.room(8 * (n + DEGREE0)),
			query: this.#query,
			queryCode: this.#queryCode,
			heap: bench.room(8 * (n + 1)),
			candidates: bench.room(16 * (n + DEGREE0)),
			selected: bench.room(4 * (2 * DEGREE0 + 1)),
			abort: this.abort,
			answer: this.#answer,
		});
		rows.forEach((row, node) => {
			this.#place(row, node, coded);
		});
		this.#build(options.batch ?? 16);
	}

	#place(row: Row, node: number, coded: boolean): void {
		const { bench } = this;
		const block = this.blocks + node * this.blockStride;
		// Labels run against the nodes, so that one is not mistaken for the other.
		bench.write(block + this.#payloadBytes + 4, Uint32Array.of(this.labelOf(node)));
		const vector = coded ? this.vectors + node * this.vectorBytes : block;
		bench.write(vector, row);
		if (coded) this.#encode(vector, block);
	}

	#encode(vector: number, code: number): number {
		return this.bench.run("encodeRow", vector, this.#origin, 63.5, this.vectorBytes, code, this.#payloadBytes);
	}

	labelOf(node: number): number {
		return 1000 + this.n - node;
	}

	#build(batch: number): void {
		const { bench, graph, scratch } = this;
		const levels = new Uint8Array(bench.buffer, this.levels, this.n);
		const nodes = bench.room(4 * batch);
		const room = bench.room(4 * (this.n * DEGREE0 + 8));
		const targetsAt = bench.room(4 * (this.n + 1));
		const offsetsAt = bench.room(4 * (this.n + 1));
		const cursor = bench.room(4);
		for (let first = 0; first < this.n; ) {
			// Doubling up to the size of a batch: the nodes of a batch do not see each other.
			const end = Math.min(this.n, first + Math.min(batch, Math.max(1, first)));
			const fresh = Array.from({ length: end - first }, (_, i) => first + i);
			bench.write(nodes, Uint32Array.from(fresh));
			bench.write(cursor, Uint32Array.of(0));
			bench.run("insertRange", graph, scratch, EF_BUILD, nodes, fresh.length, cursor);
			for (let layer = 0; layer <= 3; layer++) {
				const sources = new Map<number, number[]>();
				for (const node of fresh.filter((one) => (levels[one] as number) >= layer)) {
					for (const target of this.links(node, layer)) sources.set(target, [...(sources.get(target) ?? []), node]);
				}
				const targets = [...sources.keys()].sort((a, b) => a - b);
				const offsets = [0];
				for (const target of targets) offsets.push((offsets.at(-1) as number) + (sources.get(target)?.length ?? 0));
				bench.write(targetsAt, Uint32Array.from(targets));
				bench.write(offsetsAt, Uint32Array.from(offsets));
				bench.write(room, Uint32Array.from(targets.flatMap((target) => sources.get(target) ?? [])));
				bench.write(cursor, Uint32Array.of(0));
				bench.run("linkRange", graph, scratch, layer, targetsAt, offsetsAt, room, targets.length, cursor);
			}
			for (const node of fresh) this.#enter(node, levels[node] as number);
			first = end;
		}
	}

	#enter(node: number, level: number): void {
		const [entry, top] = this.bench.u32(this.graph + GRAPH.entry, 2) as unknown as [number, number];
		if (entry === NO_NODE || level > top) this.bench.write(this.graph + GRAPH.entry, Uint32Array.of(node, level));
	}

	get entry(): number {
		return this.bench.u32(this.graph + GRAPH.entry, 1)[0] as number;
	}

	level(node: number): number {
		return new Uint8Array(this.bench.buffer, this.levels, this.n)[node] as number;
	}

	links(node: number, layer = 0): number[] {
		const record = (this.bench.u32(this.upperOf, this.n)[node] as number) + layer - 1;
		const block = this.blocks + node * this.blockStride + this.#payloadBytes + 8;
		const at = layer === 0 ? block : this.#upper + record * 4 * (DEGREE + 1);
		const count = this.bench.u32(at, 1)[0] as number;
		return Array.from(this.bench.u32(at + 4, count));
	}

	/** All nodes that are in the graph with each of their layers. */
	lists(): { node: number; layer: number; links: number[] }[] {
		return Array.from({ length: this.n }, (_, node) => node)
			.filter((node) => this.level(node) !== FREE_LEVEL)
			.flatMap((node) =>
				Array.from({ length: this.level(node) + 1 }, (_, layer) => ({ node, layer, links: this.links(node, layer) })),
			);
	}

	/** The exact key of two nodes. */
	keyOf(a: number, b: number): number {
		const at = (node: number) =>
			this.vectors + node * (this.vectors === this.blocks ? this.blockStride : this.vectorBytes);
		return this.bench.run("distance", this.metric, at(a), at(b), this.vectorBytes);
	}

	/** Makes a row the query of the scratch, coded as the payload wants it. */
	ask(row: Row): void {
		const { bench } = this;
		bench.write(this.#query, row);
		if (this.#options.payload === PAYLOADS.codesL2) {
			const norm = this.#encode(this.#query, this.#queryCode);
			bench.write(this.scratch + SCRATCH.queryNorm, Int32Array.of(norm));
		} else if (this.#options.payload === PAYLOADS.codesDot) {
			bench.run("encodeSigned", this.#query, this.vectorBytes, this.#queryCode, this.#payloadBytes);
		}
	}

	/** Labels and keys of a search for the query that was asked; `undefined` where it was aborted. */
	search(
		k: number,
		ef: number,
		depth = ef,
		eligibility = 0,
		patience = 0,
	): { key: number; label: number }[] | undefined {
		const size = this.bench.run("searchGraph", this.graph, this.scratch, k, ef, depth, patience, eligibility);
		return size < 0 ? undefined : this.#answers(size);
	}

	#answers(size: number): { key: number; label: number }[] {
		const keys = this.bench.f32(this.#answer, 2 * size);
		const labels = this.bench.u32(this.#answer, 2 * size);
		return Array.from({ length: size }, (_, i) => ({
			key: keys[2 * i] as number,
			label: labels[2 * i + 1] as number,
		}));
	}

	/** A search for what a bitmap lets through, which begins at some nodes of it besides. */
	searchMatching(
		k: number,
		widths: { readonly least: number; readonly full: number; readonly ef: number; readonly widest: number },
		eligibility: number,
		seeds: readonly number[],
	): ReturnType<TestGraph["search"]> {
		const { least, full, ef, widest } = widths;
		const list = [this.bench.put(Uint32Array.from(seeds)), seeds.length] as const;
		const beam = [k, least, full, ef, widest] as const;
		const size = this.bench.run("searchMatching", this.graph, this.scratch, ...beam, widest, eligibility, ...list);
		return size < 0 ? undefined : this.#answers(size);
	}

	/** Several searches by one call of the kernel that lanes share, each query prepared in memory of its own. */
	searchRange(
		queries: readonly Row[],
		k: number,
		ef: number,
		depth = ef,
		patience = 0,
	): ReturnType<TestGraph["search"]>[] {
		const { bench } = this;
		const codeStride = this.#payloadBytes + 16;
		const rows = bench.room(this.vectorBytes * queries.length);
		const codes = bench.room(codeStride * queries.length);
		const answers = bench.room(8 * k * queries.length);
		const found = bench.room(4 * queries.length);
		const bytes = (at: number, n: number) => new Uint8Array(bench.buffer, at, n);
		queries.forEach((query, i) => {
			this.ask(query);
			bench.write(rows + i * this.vectorBytes, bytes(this.#query, this.vectorBytes));
			bench.write(codes + i * codeStride, bytes(this.#queryCode, codeStride));
		});
		const lists = [rows, this.vectorBytes, codes, codeStride, answers, found, queries.length, bench.room(4)] as const;
		bench.run("searchRange", this.graph, this.scratch, k, ef, depth, patience, 0, ...lists);
		return Array.from(new Int32Array(bench.buffer, found, queries.length), (size, i) => {
			if (size < 0) return undefined;
			const [keys, labels] = [bench.f32(answers + i * 8 * k, 2 * size), bench.u32(answers + i * 8 * k, 2 * size)];
			return Array.from({ length: size }, (_, j) => ({
				key: keys[2 * j] as number,
				label: labels[2 * j + 1] as number,
			}));
		});
	}

	/** What an exact scan over some nodes answers to the query that was asked. */
	scan(k: number, nodes: readonly number[]): { key: number; label: number }[] {
		const stride = this.vectors === this.blocks ? this.blockStride : this.vectorBytes;
		return nodes
			.map((node) => ({
				key: this.bench.run("distance", this.metric, this.#query, this.vectors + node * stride, this.vectorBytes),
				label: this.labelOf(node),
			}))
			.sort((a, b) => a.key - b.key || a.label - b.label)
			.slice(0, k);
	}

	/** Links from the source to each node that can be reached over layer 0, counted without the kernels. */
	depthsFrom(source: number): Map<number, number> {
		const depths = new Map([[source, 0]]);
		for (const [node, depth] of depths) {
			for (const neighbour of this.links(node)) if (!depths.has(neighbour)) depths.set(neighbour, depth + 1);
		}
		return depths;
	}
}

/** The kinds of graph that every promise is tested on. */
export const KINDS = {
	"float rows under l2": { payload: PAYLOADS.float, metric: METRIC_CODES.l2 },
	"float rows under ip": { payload: PAYLOADS.float, metric: METRIC_CODES.ip },
	"float rows under cosine": { payload: PAYLOADS.float, metric: METRIC_CODES.cosine },
	"float rows under l1": { payload: PAYLOADS.float, metric: METRIC_CODES.l1 },
	"codes in the l2 form": { payload: PAYLOADS.codesL2, metric: METRIC_CODES.l2 },
	"codes in the dot form": { payload: PAYLOADS.codesDot, metric: METRIC_CODES.ip },
	"bit rows": { payload: PAYLOADS.bits, metric: METRIC_CODES.hamming },
} as const satisfies Record<string, GraphOptions>;
