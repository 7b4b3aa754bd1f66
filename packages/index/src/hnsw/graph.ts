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
import type { GraphView } from "./graph-view.ts";
import { Linker } from "./link.ts";
import { efConstructionFor, type HnswParameters } from "./parameters.ts";
import { Scratch } from "./scratch.ts";
import { Sharing } from "./sharing.ts";
import { UpperRecords } from "./upper.ts";

/** A new graph has room for so many nodes; a full one grows by half. */
const FIRST_CAPACITY = 64;
const CACHE_LINE = 64;
const MOST_SURCHARGE = 2 ** 29;

/** Bytes from one node block to the next. */
export function blockStride(payloadBytes: number, M: number): number {
	return Math.ceil((payloadBytes + BLOCK_TAIL.links + 8 * M) / CACHE_LINE) * CACHE_LINE;
}

/**
 * Where an HNSW index lives in the arena: node blocks (payload, norm, label, links of layer 0), exact rows, levels, links of the upper
 * layers; and beside the arena the table of labels. Verbs (insert, search, remove ...) stand in files of their own and work on this.
 * The layout is drawn in the kernels' assembly/graph/state.ts.
 */
export class HnswGraph implements GraphView {
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
	/** Places without a node, the first one last: it is the next to be taken. */
	readonly freeNodes: number[] = [];
	blocks = 0;
	vectors = 0;
	/** Links of the layers above 0. */
	readonly upper: UpperRecords;
	readonly linker: Linker;
	/** What readers on other threads are told. */
	readonly sharing: Sharing;
	/** Whether codes stay as they were trained. They do while there are readers, in any case. */
	codesHeld = false;
	/** Nodes inserted since it was last seen to that all can be reached. */
	unchecked = 0;
	#levels = 0;
	#upperOf = 0;
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
		this.blockStride = blockStride(this.payloadBytes, this.M);
		this.vectorStride = codes === undefined ? this.blockStride : rows.bytes;
		this.upper = new UpperRecords(arena, this.M);
		this.linker = new Linker(this);
		this.sharing = new Sharing(this);
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

	/** Beam width of inserts, for the size there is now. */
	get efConstruction(): number {
		return efConstructionFor(this.size, this.parameters);
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

	/** The entry point first: a reader looks at the level before, so that the node it then gets reaches that level, as levels only rise beside readers. */
	setEntry(node: number, level: number): void {
		this.set("entry", node);
		this.set("topLevel", level);
	}

	/** Bytes of the graph struct. */
	get structBytes(): number {
		return GRAPH.bytes;
	}

	get levelsAddress(): number {
		return this.#levels;
	}

	get upperOfAddress(): number {
		return this.#upperOf;
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

	/** All blocks as words, for loops over every node: words from one block to the next, and where label and count of links are in it. */
	blockWords(): { words: Uint32Array; stride: number; label: number; count: number } {
		return {
			words: this.arena.u32(this.blocks, (this.slots * this.blockStride) / 4),
			stride: this.blockStride / 4,
			label: (this.payloadBytes + BLOCK_TAIL.label) / 4,
			count: (this.payloadBytes + BLOCK_TAIL.count) / 4,
		};
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
		return this.upper.address + ((this.upperOf()[node] as number) + layer - 1) * this.upper.stride;
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

	/** Gives back the working memory and, unless the room is to be kept, what is behind the last place in use. */
	trim(keepRoom = false): void {
		for (const scratch of this.#scratches) scratch?.dispose();
		this.#scratches.length = 0;
		this.linker.dispose();
		if (!keepRoom && this.capacity > this.slots) this.#resize(Math.max(1, this.slots));
	}

	/** Makes room for so many upper records in all. */
	reserveUpper(records: number, exactly = false): void {
		this.#allocate(() => this.upper.reserve(records, exactly), this.size);
		this.set("upper", this.upper.address);
	}

	/** Takes a place for a node of a level; its block still has to be written. Takes nothing where there is no room. */
	place(label: Label, level: number): number {
		if (this.freeNodes.length === 0) this.reserve(this.slots + 1);
		if (level > 0) {
			// Before any view is made: it may grow the memory, which detaches them.
			const record = this.#allocate(() => this.upper.take(level), this.size + 1);
			this.set("upper", this.upper.address);
			this.arena.u32(this.#upperOf, this.capacity)[this.freeNodes.at(-1) ?? this.slots] = record;
		}
		const node = this.freeNodes.pop() ?? this.slots++;
		this.levels()[node] = level;
		const tail = this.arena.u32(this.blockOf(node) + this.payloadBytes, 3);
		tail[BLOCK_TAIL.label / 4] = label;
		tail[BLOCK_TAIL.count / 4] = 0;
		for (let layer = 1; layer <= level; layer++) this.setLinks(node, layer, []);
		this.table.set(label, node);
		return node;
	}

	/** Gives every node another label: different ones, in the order of `table.labels()`. */
	relabel(labels: Uint32Array): void {
		const nodes = new Uint32Array(labels.length);
		let at = 0;
		let end = 0;
		this.table.forEach((_, node) => {
			end = Math.max(end, (labels[at] as number) + 1);
			nodes[at++] = node;
		});
		this.table.clear();
		this.table.next = 0;
		this.table.reserve(labels.length, end);
		const { words, stride, label } = this.blockWords();
		for (let i = 0; i < nodes.length; i++) {
			const node = nodes[i] as number;
			words[node * stride + label] = labels[i] as number;
			this.table.set(labels[i] as number, node);
		}
	}

	/** Takes nodes out of the table that could not be linked. Links to them must be gone. Where readers may look at their places, those wait. */
	abandon(nodes: Iterable<number>): void {
		if (!this.sharing.active) {
			this.release(nodes);
			return;
		}
		const levels = this.levels();
		for (const node of nodes) {
			this.sharing.abandon(node);
			this.table.delete(this.labelOf(node));
			levels[node] = FREE_LEVEL;
		}
	}

	/** Places that were abandoned and that no reader looks at any more can be taken again. */
	reuse(nodes: readonly number[]): void {
		this.freeNodes.push(...nodes);
		this.freeNodes.sort((a, b) => b - a);
		this.upper.findGaps(this.levels(), this.upperOf());
	}

	/** Gives places up. Links to them must be gone. The entry point moves to a tallest node where it is among them. */
	release(nodes: Iterable<number>): void {
		const levels = this.levels();
		const { entry } = this;
		let entryGone = false;
		for (const node of nodes) {
			this.table.delete(this.labelOf(node));
			levels[node] = FREE_LEVEL;
			this.freeNodes.push(node);
			if (node === entry) entryGone = true;
		}
		if (this.size === 0) {
			this.clear();
			return;
		}
		this.freeNodes.sort((a, b) => b - a);
		this.upper.findGaps(levels, this.upperOf());
		if (entryGone) this.#enterAtTallest();
	}

	/** Writes a node's vector, `stored`: as it is, and its code where codes have been trained. */
	write(node: number, vector: Float32Array | Uint8Array, stored = false): void {
		if (stored) this.rows.writeStored(vector, this.vectorOf(node));
		else this.rows.write(vector, this.vectorOf(node));
		if (this.codes !== undefined && this.codes.trainedOn > 0) this.encode(node);
	}

	encode(node: number): void {
		const { codes, arena } = this;
		if (codes === undefined) return;
		const norm = codes.encode(this.vectorOf(node), this.blockOf(node));
		if (this.rows.metric !== "cosine" || arena.kernels.sumOfSquares(this.vectorOf(node), this.rows.bytes) !== 0) return;
		// A zero vector is at cosine distance 1 from everything, so at a squared Euclidean distance of 2 among unit vectors: 1 more than its code says.
		// Held to what an int32 has room for beside the largest norm, 127^2 x 16,384: far enough where rows lie that close together.
		const more = Math.min(MOST_SURCHARGE, Math.round(1 / (codes.unit * codes.unit)));
		arena.i32(this.blockOf(node) + this.payloadBytes, 1)[0] = norm + more;
	}

	/** Whether there are enough rows by now that codes would be learnt better. */
	codesAreStale(): boolean {
		return this.codes !== undefined && this.size > 0 && this.codes.isStale(this.size);
	}

	/** Learns the codes from all rows and codes all rows, where that is due and they are not held. */
	trainCodes(): void {
		const { codes } = this;
		if (codes === undefined || !this.codesAreStale()) return;
		if (codes.trainedOn > 0 && (this.codesHeld || this.sharing.active)) return;
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
		// The flag of the last search must not end the next one, nor an insert.
		scratch.set("abort", 0);
		return scratch;
	}

	/** Forgets everything but the settings. */
	clear(): void {
		this.setEntry(NO_NODE, 0);
		this.slots = 0;
		this.unchecked = 0;
		this.freeNodes.length = 0;
		this.upper.clear();
		this.table.clear();
		if (this.codes !== undefined) this.codes.trainedOn = 0;
	}

	/** After nodes have been renumbered: nothing is free between them, and upper records lie in the order of the nodes. */
	setSlots(slots: number): void {
		this.slots = slots;
		this.freeNodes.length = 0;
		this.upper.pack(this.levels(), this.upperOf());
		this.set("upper", this.upper.address);
	}

	/** Bytes by what they are for. */
	bytes(): { blocks: number; vectors: number; upper: number; tables: number; scratch: number; sharing: number } {
		return {
			blocks: this.capacity * this.blockStride,
			vectors: this.codes === undefined ? 0 : this.capacity * this.vectorStride,
			upper: this.upper.bytes,
			tables: this.capacity * 5 + this.table.bytes + GRAPH.bytes,
			scratch: this.#scratches.reduce((sum, scratch) => sum + scratch.bytes, this.linker.bytes),
			sharing: this.sharing.bytes,
		};
	}

	dispose(): void {
		// Lanes that never ran are holes.
		for (const scratch of this.#scratches) scratch?.dispose();
		this.sharing.dispose();
		for (const address of [this.blocks, this.#levels, this.#upperOf, this.address]) this.arena.free(address);
		this.upper.dispose();
		this.linker.dispose();
		if (this.codes !== undefined) this.arena.free(this.vectors);
		this.codes?.dispose();
		this.rows.dispose();
	}

	set(field: keyof typeof GRAPH, value: number): void {
		Atomics.store(this.arena.u32(this.address, GRAPH.bytes / 4), GRAPH[field] / 4, value);
	}

	#enterAtTallest(): void {
		const levels = this.levels();
		let best = NO_NODE;
		for (let node = 0; node < levels.length; node++) {
			const level = levels[node] as number;
			if (level !== FREE_LEVEL && (best === NO_NODE || level > (levels[best] as number))) best = node;
		}
		this.setEntry(best, levels[best] as number);
	}

	/** Each address is written down at once: where the arena ends in the middle, what has moved already has moved. */
	#resize(capacity: number): void {
		this.#allocate(() => {
			this.blocks = this.arena.resize(this.blocks, capacity * this.blockStride);
			this.set("blocks", this.blocks);
			this.vectors =
				this.codes === undefined ? this.blocks : this.arena.resize(this.vectors, capacity * this.vectorStride);
			this.set("vectors", this.vectors);
			this.#levels = this.arena.resize(this.#levels, capacity);
			this.set("levels", this.#levels);
			this.#upperOf = this.arena.resize(this.#upperOf, capacity * 4);
			this.set("upperOf", this.#upperOf);
		}, capacity);
		this.capacity = capacity;
	}

	#allocate<T>(take: () => T, wanted: number): T {
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
