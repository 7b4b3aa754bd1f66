import { NighError } from "@nigh/contract";
import {
	type Arena,
	ArenaFullError,
	BLOCK_TAIL,
	CODE_FORMS,
	FREE_LEVEL,
	GRAPH,
	NO_NODE,
	PAYLOADS,
} from "@nigh/kernels";
import { LabelTable } from "../rows/label-table.ts";
import type { RowFormat } from "../rows/row-format.ts";
import type { ScalarCodes } from "../rows/scalar-codes.ts";
import type { Label } from "../vector-index.ts";
import type { HnswParameters } from "./parameters.ts";
import { Scratch } from "./scratch.ts";

/** A new graph has room for so many nodes; a full one grows by half. */
const FIRST_CAPACITY = 64;
const CACHE_LINE = 64;

/**
 * Where an HNSW index lives in the arena: node blocks (payload, norm, label, links of layer 0), exact rows, levels, links of the upper
 * layers; and beside the arena the table of labels. Verbs (insert, search, remove ...) stand in files of their own and work on this.
 * The layout is drawn in the kernels' assembly/graph/state.ts.
 */
export class HnswGraph {
	readonly arena: Arena;
	readonly rows: RowFormat;
	/** `undefined` where the graph is searched by exact keys. */
	readonly codes: ScalarCodes | undefined;
	readonly parameters: HnswParameters;
	readonly table = new LabelTable();
	/** Address of the graph struct. */
	readonly address: number;
	readonly payload: number;
	readonly payloadBytes: number;
	readonly blockStride: number;
	/** Bytes from one exact row to the next. */
	readonly vectorStride: number;
	readonly M: number;
	readonly M0: number;
	/** Nodes there is room for. */
	capacity = 0;
	/** Places in use, free ones between them included. */
	slots = 0;
	readonly freeNodes: number[] = [];
	blocks = 0;
	vectors = 0;
	#levels = 0;
	#upper = 0;
	#upperOf = 0;
	#upperCapacity = 0;
	/** Upper records ever given out. */
	upperRecords = 0;
	/** Free runs of upper records, by their length. */
	#freeUpper = new Map<number, number[]>();
	readonly #scratches: Scratch[] = [];

	constructor(arena: Arena, rows: RowFormat, codes: ScalarCodes | undefined, parameters: HnswParameters) {
		this.arena = arena;
		this.rows = rows;
		this.codes = codes;
		this.parameters = parameters;
		this.M = parameters.M;
		this.M0 = 2 * parameters.M;
		const custom = typeof rows.metric !== "string";
		if (codes !== undefined) this.payload = rows.metric === "ip" ? PAYLOADS.codesDot : PAYLOADS.codesL2;
		else if (custom) this.payload = PAYLOADS.custom;
		else this.payload = rows.isBits ? PAYLOADS.bits : PAYLOADS.float;
		this.payloadBytes = codes === undefined ? rows.bytes : codes.bytes;
		const block = this.payloadBytes + BLOCK_TAIL.links + 4 * this.M0;
		this.blockStride = Math.ceil(block / CACHE_LINE) * CACHE_LINE;
		this.vectorStride = codes === undefined ? this.blockStride : rows.bytes;
		this.address = arena.alloc(GRAPH.bytes);
		this.set("payload", this.payload);
		this.set("metric", rows.metricCode);
		this.set("payloadBytes", this.payloadBytes);
		this.set("blockStride", this.blockStride);
		this.set("vectorStride", this.vectorStride);
		this.set("vectorBytes", rows.bytes);
		this.set("degree", this.M);
		this.set("degree0", this.M0);
		this.set("entry", NO_NODE);
	}

	get size(): number {
		return this.table.size;
	}

	/** How codes are compared. */
	get codeForm(): number {
		return this.payload === PAYLOADS.codesDot ? CODE_FORMS.dot : CODE_FORMS.l2;
	}

	get entry(): number {
		return Atomics.load(this.arena.u32(this.address, GRAPH.bytes / 4), GRAPH.entry / 4);
	}

	get topLevel(): number {
		return Atomics.load(this.arena.u32(this.address, GRAPH.bytes / 4), GRAPH.topLevel / 4);
	}

	setEntry(node: number, level: number): void {
		this.set("topLevel", level);
		this.set("entry", node);
	}

	blockOf(node: number): number {
		return this.blocks + node * this.blockStride;
	}

	vectorOf(node: number): number {
		return this.vectors + node * this.vectorStride;
	}

	labelOf(node: number): Label {
		return this.arena.u32(this.blockOf(node) + this.payloadBytes + BLOCK_TAIL.label, 1)[0] as Label;
	}

	/** The level of every place; `FREE_LEVEL` where there is no node. */
	levels(): Uint8Array {
		return this.arena.u8(this.#levels, this.slots);
	}

	levelOf(node: number): number {
		return this.levels()[node] as number;
	}

	/** First upper record of every place; only meaningful for nodes above layer 0. */
	upperOf(): Uint32Array {
		return this.arena.u32(this.#upperOf, this.slots);
	}

	/** Address of a node's count of links on a layer; the links follow. */
	linksAddress(node: number, layer: number): number {
		if (layer === 0) return this.blockOf(node) + this.payloadBytes + BLOCK_TAIL.count;
		return this.#upper + ((this.upperOf()[node] as number) + layer - 1) * this.upperStride;
	}

	/** A view of a node's links on a layer. */
	links(node: number, layer: number): Uint32Array {
		const at = this.linksAddress(node, layer);
		return this.arena.u32(at + 4, this.arena.u32(at, 1)[0] as number);
	}

	setLinks(node: number, layer: number, links: ArrayLike<number>): void {
		const at = this.linksAddress(node, layer);
		this.arena.u32(at + 4, links.length).set(links);
		Atomics.store(this.arena.u32(at, 1), 0, links.length);
	}

	capacityOf(layer: number): number {
		return layer === 0 ? this.M0 : this.M;
	}

	get upperStride(): number {
		return 4 * (1 + this.M);
	}

	get upperAddress(): number {
		return this.#upper;
	}

	/** Nodes in use, ascending. */
	*nodes(): Generator<number> {
		const levels = this.levels().slice();
		for (let node = 0; node < levels.length; node++) if (levels[node] !== FREE_LEVEL) yield node;
	}

	/** Makes room for so many nodes in all. */
	reserve(nodes: number, exactly = false): void {
		if (nodes <= this.capacity) return;
		const { maxElements } = this.parameters;
		const grown = exactly ? nodes : Math.max(FIRST_CAPACITY, nodes, Math.ceil(this.capacity * 1.5));
		this.#resize(Math.max(nodes, Math.min(grown, maxElements ?? grown)));
	}

	/** Gives back what is behind the last place in use. */
	trim(): void {
		this.#resize(Math.max(1, this.slots));
	}

	/** Takes a place for a node of a level; its block still has to be written. */
	place(label: Label, level: number): number {
		const node = this.freeNodes.pop() ?? this.slots;
		if (node === this.slots) {
			this.reserve(node + 1);
			this.slots++;
		}
		if (level > 0) {
			// Taken first: it may grow the memory, which detaches views.
			const record = this.#takeUpper(level);
			this.upperOf()[node] = record;
		}
		this.levels()[node] = level;
		const tail = this.arena.u32(this.blockOf(node) + this.payloadBytes, 3);
		tail[BLOCK_TAIL.label / 4] = label;
		tail[BLOCK_TAIL.count / 4] = 0;
		for (let layer = 1; layer <= level; layer++) this.setLinks(node, layer, []);
		this.table.set(label, node);
		return node;
	}

	/** Gives a place up. Links to it must be gone. */
	release(node: number): void {
		const level = this.levelOf(node);
		if (level > 0) {
			const start = this.upperOf()[node] as number;
			const runs = this.#freeUpper.get(level);
			if (runs === undefined) this.#freeUpper.set(level, [start]);
			else runs.push(start);
		}
		this.table.delete(this.labelOf(node));
		this.levels()[node] = FREE_LEVEL;
		this.freeNodes.push(node);
	}

	/** Writes a node's vector, and its code where codes have been trained. */
	write(node: number, vector: Float32Array | Uint8Array): void {
		this.rows.write(vector, this.vectorOf(node));
		if (this.codes !== undefined && this.codes.trainedOn > 0) this.encode(node);
	}

	encode(node: number): void {
		const { codes, arena } = this;
		if (codes === undefined) return;
		const norm = codes.encode(this.vectorOf(node), this.blockOf(node));
		if (this.rows.metric !== "cosine" || arena.kernels.sumOfSquares(this.vectorOf(node), this.rows.bytes) !== 0) return;
		// A zero vector is at cosine distance 1 from everything, so at a squared Euclidean distance of 2 among unit vectors: 1 more than its code says.
		arena.i32(this.blockOf(node) + this.payloadBytes, 1)[0] = norm + Math.round(1 / codes.unit ** 2);
	}

	/** Learns the codes from all rows and codes all rows, where that is due. */
	trainCodes(): void {
		const { codes } = this;
		if (codes === undefined || this.size === 0 || !codes.isStale(this.size)) return;
		const nodes = Uint32Array.from(this.nodes());
		codes.train(nodes.length, (i) => this.vectorOf(nodes[i] as number));
		for (const node of nodes) this.encode(node);
	}

	/** The scratch of a lane, with room for a beam of `ef`. */
	scratch(lane: number, ef: number): Scratch {
		let scratch = this.#scratches[lane];
		if (scratch === undefined) {
			scratch = new Scratch(this);
			this.#scratches[lane] = scratch;
		}
		scratch.fit(this.capacity, ef);
		return scratch;
	}

	/** Forgets everything but the settings. */
	clear(): void {
		this.setEntry(NO_NODE, 0);
		this.slots = 0;
		this.upperRecords = 0;
		this.freeNodes.length = 0;
		this.#freeUpper.clear();
		this.table.clear();
		if (this.codes !== undefined) this.codes.trainedOn = 0;
	}

	/** After nodes have been renumbered: what is free now. */
	setSlots(slots: number): void {
		this.slots = slots;
		this.freeNodes.length = 0;
	}

	/** Puts upper records into the arena as they were saved. */
	reserveUpper(records: number): void {
		if (records <= this.#upperCapacity) return;
		this.#upper = this.#allocate(() => this.arena.resize(this.#upper, records * this.upperStride), records);
		this.#upperCapacity = records;
		this.set("upper", this.#upper);
	}

	/** Bytes by what they are for. */
	bytes(): { blocks: number; vectors: number; upper: number; tables: number; scratch: number } {
		return {
			blocks: this.capacity * this.blockStride,
			vectors: this.codes === undefined ? 0 : this.capacity * this.vectorStride,
			upper: this.#upperCapacity * this.upperStride,
			tables: this.capacity * 5 + this.table.bytes + GRAPH.bytes,
			scratch: this.#scratches.reduce((sum, scratch) => sum + scratch.bytes, 0),
		};
	}

	dispose(): void {
		for (const scratch of this.#scratches) scratch.dispose();
		for (const address of [this.blocks, this.#levels, this.#upper, this.#upperOf, this.address])
			this.arena.free(address);
		if (this.codes !== undefined) this.arena.free(this.vectors);
		this.codes?.dispose();
		this.rows.dispose();
	}

	set(field: keyof typeof GRAPH, value: number): void {
		Atomics.store(this.arena.u32(this.address, GRAPH.bytes / 4), GRAPH[field] / 4, value);
	}

	#takeUpper(level: number): number {
		const free = this.#freeUpper.get(level)?.pop();
		if (free !== undefined) return free;
		const start = this.upperRecords;
		if (start + level > this.#upperCapacity)
			this.reserveUpper(Math.max(start + level, Math.ceil(this.#upperCapacity * 1.5), 16));
		this.upperRecords += level;
		return start;
	}

	#resize(capacity: number): void {
		this.#allocate(() => {
			this.blocks = this.arena.resize(this.blocks, capacity * this.blockStride);
			this.vectors =
				this.codes === undefined ? this.blocks : this.arena.resize(this.vectors, capacity * this.vectorStride);
			this.#levels = this.arena.resize(this.#levels, capacity);
			this.#upperOf = this.arena.resize(this.#upperOf, capacity * 4);
			return 0;
		}, capacity);
		this.capacity = capacity;
		this.set("blocks", this.blocks);
		this.set("vectors", this.vectors);
		this.set("levels", this.#levels);
		this.set("upperOf", this.#upperOf);
	}

	#allocate(take: () => number, wanted: number): number {
		try {
			return take();
		} catch (cause) {
			if (!(cause instanceof ArenaFullError)) throw cause;
			const perVector = this.blockStride + (this.codes === undefined ? 0 : this.vectorStride);
			throw new NighError(
				"MEMORY_LIMIT",
				`the index holds ${this.size} vectors and cannot grow to ${wanted}: one takes ${perVector} bytes and the arena ends at ${this.arena.maxBytes}. Use several indexes, fewer dimensions or a smaller M.`,
				{ size: this.size, wanted, bytesPerVector: perVector, maxBytes: this.arena.maxBytes },
				{ cause },
			);
		}
	}
}
