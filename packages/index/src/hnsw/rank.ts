import { BOUND_QUERY } from "@nigh/kernels";
import { longestOf, writeBoundQuery } from "../rows/bound-query.ts";
import type { RowCoder } from "../rows/row-coder.ts";
import type { GraphView, SearchScratch } from "./graph-view.ts";
import type { ReaderSpec } from "./reader-spec.ts";
import { keysOf, type ScanOptions } from "./scan.ts";

/** Fewer matches are compared by their rows at once: what bounds need for each query would cost more than they save. */
const FEW = 800;
/** Where more than one in so many matches is wanted, codes exclude next to nothing. */
const MANY = 8;
/** A residual that is known is not 0. */
const LEAST_RESIDUAL = 2 ** -126;

/** Labels of a bitmap. */
export interface Bitmap {
	readonly address: number;
	/** Labels that it covers. */
	readonly covered: number;
}

/** Where the words of a bitmap end that a reader can have places for. */
export function wordsOf({ covered }: Bitmap, { firstLabel, labels }: ReaderSpec): number {
	return Math.ceil(Math.min(covered, firstLabel + labels) / 32);
}

/**
 * Ranks the labels of a bitmap by exact keys to the query in the scratch. Their codes are read first, which are a quarter of the bytes:
 * with what is known of how far a row lies from its code that leaves few whose rows have to be read, and loses none. How far that
 * is, is learnt when a match is met for the first time. Returns how many answers there are.
 */
export function rankBitmap(
	graph: GraphView,
	scratch: SearchScratch,
	spec: ReaderSpec,
	bitmap: Bitmap,
	{ k, eligibility }: ScanOptions,
): number {
	const { arena, codes } = graph;
	const { kernels } = arena;
	const { room } = scratch;
	const answer = scratch.get("answer");
	const [nodesAt, keysAt, labelsAt] = [scratch.get("ids"), scratch.get("keys"), scratch.get("selected")];
	const words = wordsOf(bitmap, spec);
	const cursor = arena.u32(spec.cursor, 1);
	cursor[0] = 0;
	let size = 0;
	let bounds: MatchBounds | undefined;
	while ((cursor[0] as number) < words) {
		const { places, firstLabel, labels } = spec;
		let n = kernels.listMatches(
			bitmap.address,
			spec.cursor,
			words,
			places,
			firstLabel,
			labels,
			room,
			labelsAt,
			nodesAt,
		);
		let dated = eligibility;
		if (codes !== undefined && n >= FEW && n >= MANY * k) {
			bounds ??= new MatchBounds(graph, scratch, spec, codes, k);
			n = bounds.exclude(n, eligibility);
			dated = 0;
		}
		keysOf(graph, scratch, nodesAt, n, keysAt);
		size = kernels.topk(keysAt, labelsAt, n, k, answer, size, dated);
	}
	return size;
}

/** Bounds of one query's keys, from the codes. */
class MatchBounds {
	readonly #graph: GraphView;
	readonly #scratch: SearchScratch;
	readonly #spec: ReaderSpec;
	readonly #codes: RowCoder;
	readonly #k: number;

	constructor(graph: GraphView, scratch: SearchScratch, spec: ReaderSpec, codes: RowCoder, k: number) {
		this.#graph = graph;
		this.#scratch = scratch;
		this.#spec = spec;
		this.#codes = codes;
		this.#k = k;
		const planes = spec.bounds + BOUND_QUERY.bytes;
		const candidates = scratch.get("candidates");
		const { rows, arena } = graph;
		writeBoundQuery(arena, rows, codes, {
			struct: spec.bounds,
			row: scratch.query,
			planes,
			zeroRow: planes + 2 * codes.bytes,
			k,
			pool: scratch.get("pool"),
			keptRows: candidates,
			keptBounds: candidates + 4 * scratch.room,
			...longestOf(arena, codes, rows.dimensions),
		});
	}

	/** Leaves of the `n` listed places those that may be among the k nearest and may be answered, and their labels; returns how many. */
	exclude(n: number, eligibility: number): number {
		const { arena, blocks, blockStride, payloadBytes } = this.#graph;
		const scratch = this.#scratch;
		const { bounds, errors, labelsOf, capacity } = this.#spec;
		const [nodesAt, labelsAt] = [scratch.get("ids"), scratch.get("selected")];
		const codes = [blocks, blockStride, payloadBytes] as const;
		arena.kernels.boundMany(bounds, ...codes, errors, nodesAt, n, labelsAt, eligibility);
		const words = arena.u32(bounds, BOUND_QUERY.bytes / 4);
		const kept = words[BOUND_QUERY.kept / 4] as number;
		words[BOUND_QUERY.kept / 4] = 0;
		const isFull = words[BOUND_QUERY.poolSize / 4] === this.#k;
		const most = isFull
			? (arena.f32(scratch.get("pool") + 8 * (this.#k - 1), 1)[0] as number)
			: Number.POSITIVE_INFINITY;
		const candidates = scratch.get("candidates");
		const rows = arena.u32(candidates, kept);
		const least = arena.f32(candidates + 4 * scratch.room, kept);
		const [nodes, labels] = [arena.u32(nodesAt, kept), arena.u32(labelsAt, kept)];
		const labelOf = arena.u32(labelsOf, capacity);
		let left = 0;
		for (let i = 0; i < kept; i++) {
			const bound = least[i] as number;
			if (bound > most) continue;
			const row = rows[i] as number;
			if (bound === Number.NEGATIVE_INFINITY) this.#learn(row);
			nodes[left] = row;
			labels[left++] = labelOf[row] as number;
		}
		return left;
	}

	/** Other readers may do the same at the same time: they all come to the same number. */
	#learn(node: number): void {
		const { arena, rows, vectors, vectorStride, blocks, blockStride, payloadBytes } = this.#graph;
		const { origin, unit } = this.#codes;
		const code = blocks + node * blockStride;
		const residual = arena.kernels.residual(vectors + node * vectorStride, origin, unit, rows.bytes, code);
		const pair = this.#spec.errors + 8 * node;
		arena.i32(pair, 1)[0] = arena.i32(code + payloadBytes, 1)[0] as number;
		// The residual says that the norm is there, also to other readers.
		Atomics.store(arena.i32(pair + 4, 1), 0, bitsOf(Math.max(residual, LEAST_RESIDUAL)));
	}
}

const bits = new DataView(new ArrayBuffer(4));

function bitsOf(float: number): number {
	bits.setFloat32(0, float);
	return bits.getInt32(0);
}
