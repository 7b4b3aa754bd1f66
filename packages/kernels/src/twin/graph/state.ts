import { BLOCK_TAIL, CODE_FORMS, GRAPH, PAYLOADS, SCRATCH } from "../../layout.ts";
import { codeKeysMany } from "../codes.ts";
import { distanceMany } from "../distance.ts";
import type { Eligibility } from "../eligibility.ts";
import { encodeSigned } from "../encode.ts";
import type { TwinMemory } from "../memory.ts";

const { codesL2: PAYLOAD_CODES_L2, codesDot: PAYLOAD_CODES_DOT } = PAYLOADS;

/** Set in a pool's node while it has been expanded: nodes stay below 2^31. */
const EXPANDED = 0x80000000;

/** A node of the pool with the mark of having been expanded. */
export function expanded(node: number): number {
	return (node | EXPANDED) >>> 0;
}

export function isExpanded(node: number): boolean {
	return (node & EXPANDED) !== 0;
}

/** A node of the pool without the mark. */
export function plain(node: number): number {
	return (node & ~EXPANDED) >>> 0;
}

/** A graph and a scratch area in memory, opened before each call. The structs are drawn in assembly/graph/state.ts. */
export class GraphState {
	readonly m: TwinMemory;
	readonly eligible: Eligibility;
	graph = 0;
	scratch = 0;
	payload = 0;
	metric = 0;
	payloadBytes = 0;
	blocks = 0;
	blockStride = 0;
	vectors = 0;
	vectorStride = 0;
	vectorBytes = 0;
	degree = 0;
	degree0 = 0;
	upper = 0;
	upperStride = 0;
	upperOf = 0;
	levels = 0;
	labels = 0;
	linksAt = 0;
	marks = 0;
	pool = 0;
	ids = 0;
	keys = 0;
	query = 0;
	queryCode = 0;
	queryNorm = 0;
	candidates = 0;
	selected = 0;
	abortAt = 0;
	mark = 0;

	constructor(eligible: Eligibility) {
		this.m = eligible.m;
		this.eligible = eligible;
	}

	open(graph: number, scratch: number): void {
		const { m } = this;
		this.graph = graph >>> 0;
		this.payload = m.loadU32(graph + GRAPH.payload);
		this.metric = m.loadI32(graph + GRAPH.metric);
		this.payloadBytes = m.loadU32(graph + GRAPH.payloadBytes);
		this.blocks = m.loadU32(graph + GRAPH.blocks);
		this.blockStride = m.loadU32(graph + GRAPH.blockStride);
		this.vectors = m.loadU32(graph + GRAPH.vectors);
		this.vectorStride = m.loadU32(graph + GRAPH.vectorStride);
		this.vectorBytes = m.loadU32(graph + GRAPH.vectorBytes);
		this.degree = m.loadI32(graph + GRAPH.degree);
		this.degree0 = m.loadI32(graph + GRAPH.degree0);
		this.upper = m.loadU32(graph + GRAPH.upper);
		this.upperStride = 4 * (this.degree + 1);
		this.upperOf = m.loadU32(graph + GRAPH.upperOf);
		this.levels = m.loadU32(graph + GRAPH.levels);
		this.labels = m.loadU32(graph + GRAPH.labels);
		this.linksAt = this.payloadBytes + BLOCK_TAIL.count;
		this.scratch = scratch >>> 0;
		this.marks = m.loadU32(scratch + SCRATCH.marks);
		this.mark = m.loadU32(scratch + SCRATCH.mark);
		this.pool = m.loadU32(scratch + SCRATCH.pool);
		this.ids = m.loadU32(scratch + SCRATCH.ids);
		this.keys = m.loadU32(scratch + SCRATCH.keys);
		this.query = m.loadU32(scratch + SCRATCH.query);
		this.queryCode = m.loadU32(scratch + SCRATCH.queryCode);
		this.queryNorm = m.loadI32(scratch + SCRATCH.queryNorm);
		this.candidates = m.loadU32(scratch + SCRATCH.candidates);
		this.selected = m.loadU32(scratch + SCRATCH.selected);
		this.abortAt = m.loadU32(scratch + SCRATCH.abort);
	}

	entryPoint(): number {
		return this.m.atomicLoadU32(this.graph + GRAPH.entry);
	}

	topLevel(): number {
		return this.m.atomicLoadI32(this.graph + GRAPH.topLevel);
	}

	blockOf(node: number): number {
		return this.blocks + node * this.blockStride;
	}

	vectorOf(node: number): number {
		return this.vectors + node * this.vectorStride;
	}

	labelOf(node: number): number {
		return this.m.loadU32(this.blockOf(node) + this.payloadBytes + BLOCK_TAIL.label);
	}

	/** The same without a look at the block, where labels lie together. */
	labelHere(node: number): number {
		return this.labels === 0 ? this.labelOf(node) : this.m.loadU32(this.labels + 4 * node);
	}

	levelOf(node: number): number {
		return this.m.loadU8(this.levels + node);
	}

	/** The address of a node's count of links on a layer; the links follow it. */
	linksOf(node: number, layer: number): number {
		if (layer === 0) return this.blockOf(node) + this.linksAt;
		return this.upper + (this.m.loadU32(this.upperOf + 4 * node) + layer - 1) * this.upperStride;
	}

	capacityOf(layer: number): number {
		return layer === 0 ? this.degree0 : this.degree;
	}

	aborted(): boolean {
		return this.abortAt !== 0 && this.m.atomicLoadI32(this.abortAt) !== 0;
	}

	/** Starts a search: nothing is marked any more. */
	unmarkAll(): void {
		const { m, scratch } = this;
		this.mark = (this.mark + 1) & 0xffff;
		if (this.mark === 0) {
			m.fill(this.marks, 0, 2 * m.loadU32(scratch + SCRATCH.markCount));
			this.mark = 1;
		}
		m.storeU32(scratch + SCRATCH.mark, this.mark);
	}

	/** Marks a node; says whether it was unmarked. */
	markNew(node: number): boolean {
		const at = this.marks + 2 * node;
		if (this.m.loadU16(at) === this.mark) return false;
		this.m.storeU16(at, this.mark);
		return true;
	}

	isMarked(node: number): boolean {
		return this.m.loadU16(this.marks + 2 * node) === this.mark;
	}

	unmark(node: number): void {
		this.m.storeU16(this.marks + 2 * node, 0);
	}

	/** Keys of the query to nodes ids[0..n), by payload, into keys[0..n). */
	keysToPayload(n: number): void {
		this.#count(SCRATCH.keysComputed, n);
		const { m, payload, blocks, blockStride, payloadBytes, ids, keys } = this;
		if (this.coded()) {
			const form = payload === PAYLOAD_CODES_L2 ? CODE_FORMS.l2 : CODE_FORMS.dot;
			codeKeysMany(m, form, this.queryCode, this.queryNorm, blocks, blockStride, payloadBytes, ids, n, keys);
		} else distanceMany(m, this.metric, this.query, blocks, blockStride, payloadBytes, ids, n, keys);
	}

	/** Exact keys of the query to nodes ids[0..n) into keys[0..n). */
	keysToExact(n: number): void {
		this.#count(SCRATCH.keysComputed, n);
		const { m, metric, query, vectors, vectorStride, vectorBytes, ids, keys } = this;
		distanceMany(m, metric, query, vectors, vectorStride, vectorBytes, ids, n, keys);
	}

	countExpanded(n: number): void {
		this.#count(SCRATCH.nodesExpanded, n);
	}

	#count(field: number, n: number): void {
		const at = this.scratch + field;
		this.m.storeU32(at, this.m.loadU32(at) + n);
	}

	/** Whether exact keys differ from those of the payload. */
	coded(): boolean {
		return this.payload === PAYLOAD_CODES_L2 || this.payload === PAYLOAD_CODES_DOT;
	}

	/** Makes a stored node the query. Only the dot form needs another code than the stored one. */
	queryNode(node: number): void {
		const { m } = this;
		this.query = this.vectorOf(node);
		if (this.payload === PAYLOAD_CODES_L2) {
			this.queryCode = this.blockOf(node);
			this.queryNorm = m.loadI32(this.queryCode + this.payloadBytes);
		} else if (this.payload === PAYLOAD_CODES_DOT) {
			this.queryCode = m.loadU32(this.scratch + SCRATCH.queryCode);
			encodeSigned(m, this.query, this.vectorBytes, this.queryCode, this.payloadBytes);
		}
	}
}
