import { BOUNDS, checkInteger, NighError } from "@nigh/contract";
import { type EngineName, FREE_LEVEL, GRAPH, NO_NODE, SCRATCH, type WasmMemory } from "@nigh/kernels";
import { type ArenaView, AttachedArena } from "../arena-view.ts";
import { writeEligible } from "../eligibility.ts";
import { ManyScan, noRoomForMany } from "../many/many-scan.ts";
import { checkAbortWord, interrupted, type ReaderScanOptions } from "../reader-call.ts";
import { RowCoder } from "../rows/row-coder.ts";
import { RowWriter } from "../rows/row-writer.ts";
import type { Label } from "../vector-index.ts";
import type { GraphView, SearchScratch } from "./graph-view.ts";
import { HNSW_BOUNDS } from "./parameters.ts";
import { type Bitmap, rankBitmap, wordsOf } from "./rank.ts";
import type { ReaderSpec } from "./reader-spec.ts";
import { keysOf, rankLabels, SCAN_ROWS, scanChunk } from "./scan.ts";
import { NO_LABEL, PUBLISHED } from "./sharing.ts";
import { beamWidth, patienceOf, rerankDepth, walk } from "./walk.ts";

/** Beam widths of a walk for what is allowed; `ef` is that through what is allowed alone. */
export interface AllowedWidths {
	/** Through everything: `full` times the root of the share that is allowed around the query, and no less than `least`. */
	readonly least: number;
	readonly full: number;
	/**
	 * Through what is allowed alone: `ef`, and up to this where the query lies far from all of it, so that many are about as near. 0: no such
	 * walk; where little around the query is allowed there are no answers then.
	 */
	readonly widest: number;
}

export interface ReaderSearchOptions extends ReaderScanOptions {
	/** Beam width, k to the reader's `maxEf`. Default: the index's, and from k = 11 on no less than `adaptiveEf(k)`. */
	readonly ef?: number | undefined;
	/**
	 * Ends the walk early, after so many expansions in a row that put nothing into the best min(ef, max(2 k, k + 16)) of its candidates, as
	 * that of `SearchOptions` does; 0 to 10,000. With `eligibility` only expansions of what may be answered count, with `dropAfter` all of
	 * them. Not together with `allowedWidths`. Default: 0, none.
	 */
	readonly patience?: number | undefined;
	/**
	 * Walks as if everything could be answered, and drops from the best max(2 k, k + 16) what may not: costs next to nothing beside a plain
	 * walk, where minding on the way needs a heap. For a graph of which nearly everything may be answered: it may leave fewer than k.
	 * Default false.
	 */
	readonly dropAfter?: boolean | undefined;
	/**
	 * With `eligibility.allow`: looks around the query how much of that is allowed, and where that is little walks through what is allowed
	 * alone, looking past the rest. That costs less than to walk through everything, above all where much lies nearer to the query than what
	 * is allowed. Where less than about 1 % is, such a walk does not get everywhere. Left out: walks through everything.
	 */
	readonly allowedWidths?: AllowedWidths | undefined;
}

/** Nodes that a walk through what is allowed begins at besides: what is allowed may lie in several places that no links join. */
const SEEDS = 128;

/** A graph as the reader's thread sees it. */
interface ReadGraph extends GraphView {
	readonly codes: RowCoder | undefined;
}

/**
 * Opens a graph for reading on this thread, with what `HnswIndex.readerSpec` gave on the thread that owns it. `memory` and `engine` are
 * those of the owner's arena.
 *
 * @example
 * worker.postMessage({ memory: index.arena.memory, engine: index.arena.engine, spec: index.readerSpec() });
 * // on the other thread:
 * const reader = openReader(memory, engine, spec);
 * const found = reader.search(query, 10);
 * for (let i = 0; i < found; i++) console.log(reader.labelAt(i), reader.distanceAt(i));
 */
export function openReader(memory: WasmMemory, engine: EngineName, spec: ReaderSpec): GraphReader {
	return new GraphReader(new AttachedArena(memory, engine), spec);
}

/**
 * Searches a graph that another thread owns and adds to meanwhile. It takes no memory, locks nothing and does one thing at a time; the
 * answers stay until the next call. Queries must have been checked: floats, finite, of the graph's dimensions, or packed bits.
 *
 * A walk meets what was linked when it began and may meet what is linked meanwhile; a scan and {@link GraphReader.rank} see every vector
 * that has been written, linked or not, and so at least what a walk can meet.
 */
export class GraphReader {
	readonly spec: ReaderSpec;
	readonly #arena: ArenaView;
	readonly #graph: ReadGraph;
	readonly #scratch: SearchScratch;
	readonly #answerWords: Uint32Array;
	readonly #answerKeys: Float32Array;
	readonly #ownerGraph: Uint32Array;
	readonly #ownGraph: Uint32Array;
	readonly #published: Uint32Array;
	readonly #unit: Float64Array;
	readonly #places: Uint32Array;
	readonly #labels: Uint32Array;
	readonly #many: ManyScan | undefined;
	#count = 0;
	/** Number of the search that the answers belong to: a scan that has been interrupted by another must not go on. */
	#turn = 0;

	/** Use {@link openReader}. */
	constructor(arena: ArenaView, spec: ReaderSpec) {
		this.spec = spec;
		this.#arena = arena;
		this.#graph = readGraph(arena, spec);
		this.#scratch = readScratch(arena, spec);
		const answer = this.#scratch.get("answer");
		this.#answerWords = arena.u32(answer, 2 * spec.room);
		this.#answerKeys = arena.f32(answer, 2 * spec.room);
		this.#ownerGraph = arena.u32(spec.graph, GRAPH.bytes / 4);
		this.#ownGraph = arena.u32(spec.ownGraph, GRAPH.bytes / 4);
		this.#published = arena.u32(spec.published, PUBLISHED.bytes / 4);
		this.#unit = arena.f64(spec.published + PUBLISHED.unit, 1);
		this.#places = arena.u32(spec.places, spec.labels);
		this.#labels = arena.u32(spec.labelsOf, spec.capacity);
		this.#many = spec.many === null ? undefined : new ManyScan(arena, this.#graph.rows, spec.many);
	}

	/** Places of the graph that are written by now: its vectors, and a few that could not be linked. */
	get slots(): number {
		return Atomics.load(this.#published, PUBLISHED.slots / 4);
	}

	/** Answers of the last search. */
	get count(): number {
		return this.#count;
	}

	/** The label of answer `i`, nearest first; equal distances in the order of labels. */
	labelAt(i: number): Label {
		return this.#answerWords[2 * i + 1] as number;
	}

	/** The distance of answer `i`. */
	distanceAt(i: number): number {
		return this.#graph.rows.distanceOf(this.#answerKeys[2 * i] as number);
	}

	/** Whether a label is one of those that {@link GraphReader.rank} can find. */
	covers(label: Label): boolean {
		return label >= this.spec.firstLabel && label < this.spec.firstLabel + this.spec.labels;
	}

	/**
	 * The nearest `k` by a walk over the graph. Returns how many there are: fewer than `k` where the walk met fewer that may be answered,
	 * although there may be others, which {@link GraphReader.scan} finds.
	 *
	 * @throws NighError `INVALID_OPTION` for a k or an ef above what the reader has room for, a patience outside its bound or beside
	 * `allowedWidths`; `ABORTED`.
	 */
	search(query: Float32Array | Uint8Array, k: number, options: ReaderSearchOptions = {}): number {
		const { spec } = this;
		const ef = beamWidth(this.#graph, k, options.ef);
		if (ef > spec.maxEf) checkInteger("ef", ef, { ...HNSW_BOUNDS.ef, max: spec.maxEf });
		const patience = readPatience(options);
		const eligibility = this.#begin(query, k, options);
		if (!this.#enter()) return 0;
		const abort = options.abort ?? 0;
		const depth = rerankDepth(k, ef);
		const { allowedWidths } = options;
		const allow = options.eligibility?.allow;
		if (allowedWidths !== undefined && allow !== undefined) {
			const matching = { ...this.#widths(allowedWidths), ...this.#sample(allow, eligibility) };
			this.#count = walk(this.#graph, this.#scratch, { k, ef, depth, patience, eligibility, abort, matching });
			return this.#count;
		}
		const late = options.dropAfter === true && eligibility !== 0;
		this.#count = late
			? this.#dropAfter(
					walk(this.#graph, this.#scratch, { k: depth, ef, depth, patience, eligibility: 0, abort }),
					k,
					eligibility,
				)
			: walk(this.#graph, this.#scratch, { k, ef, depth, patience, eligibility, abort });
		return this.#count;
	}

	/**
	 * The nearest `k` by exact keys of all vectors, {@link SCAN_ROWS} at a time: a generator that yields how many places it has looked at
	 * and returns how many answers there are. They can be read then, and those by now at each yield. Another search in between ends it.
	 *
	 * @throws NighError `INVALID_OPTION`; `ABORTED`; `LOCKED` when it goes on after another search.
	 */
	*scan(
		query: Float32Array | Uint8Array,
		k: number,
		options: ReaderScanOptions = {},
	): Generator<number, number, undefined> {
		const eligibility = this.#begin(query, k, options);
		const turn = this.#turn;
		const { slots } = this;
		let size = 0;
		for (let first = 0; first < slots; first += SCAN_ROWS) {
			if (first > 0) yield first;
			if (turn !== this.#turn) throw interrupted();
			checkAbortWord(this.#arena, options.abort);
			const n = Math.min(SCAN_ROWS, slots - first);
			const chunk = { first, n, room: this.spec.scan, size };
			size = scanChunk(this.#graph, this.#scratch, chunk, { k, eligibility });
			this.#count = size;
		}
		return size;
	}

	/**
	 * The nearest `k` of each of many queries, as {@link GraphReader.scan} finds them, in one pass over the vectors: a generator that yields
	 * how many places it has looked at, some hundred at a time. Afterwards {@link GraphReader.manyCount} and the like tell the answers, until
	 * the next call of this; other searches may come in between. Costs far less than as many scans: from 8
	 * queries on, most pairs are excluded by codes that are made on the way.
	 *
	 * @throws NighError `INVALID_OPTION` for a reader without room for it, and for more queries or answers than it has room for; `ABORTED`;
	 * `LOCKED` when it goes on after another call of this.
	 */
	*scanMany(
		queries: readonly (Float32Array | Uint8Array)[],
		k: number,
		options: ReaderScanOptions = {},
	): Generator<number, void, undefined> {
		const { vectors, vectorStride: stride } = this.#graph;
		const rowsOf = (first: number) => vectors + first * stride;
		const labelsOf = (first: number, n: number, room: number) => this.#nameUsed(first, n, room);
		yield* this.#forMany().scan({ places: this.slots, stride, isAtHand: true, labelsOf, rowsOf }, queries, k, options);
	}

	/** Answers of query `i` of the last {@link GraphReader.scanMany}: fewer than k where fewer may be answered. */
	manyCount(i: number): number {
		return this.#forMany().count(i);
	}

	/** The label of answer `j` of query `i`, nearest first; equal distances in the order of labels. */
	manyLabelAt(i: number, j: number): Label {
		return this.#forMany().labelAt(i, j);
	}

	/** The distance of answer `j` of query `i`. */
	manyDistanceAt(i: number, j: number): number {
		return this.#forMany().distanceAt(i, j);
	}

	/**
	 * The nearest `k` of some labels by exact keys; those that are not in the graph, or that the reader does not
	 * {@link GraphReader.covers cover}, are passed over. Returns how many there are.
	 *
	 * @throws NighError `INVALID_OPTION`; `ABORTED`.
	 */
	rank(query: Float32Array | Uint8Array, labels: Iterable<Label>, k: number, options: ReaderScanOptions = {}): number {
		const eligibility = this.#begin(query, k, options);
		checkAbortWord(this.#arena, options.abort);
		this.#count = rankLabels(this.#graph, this.#scratch, labels, (label) => this.#nodeOf(label), { k, eligibility });
		return this.#count;
	}

	/**
	 * As {@link GraphReader.rank}, of all that `eligibility.allow` lets through.
	 *
	 * @throws NighError `INVALID_OPTION`; `ABORTED`.
	 */
	rankAllowed(query: Float32Array | Uint8Array, k: number, options: ReaderScanOptions): number {
		const eligibility = this.#begin(query, k, options);
		checkAbortWord(this.#arena, options.abort);
		const { codes } = this.#graph;
		if (codes !== undefined) codes.unit = this.#unit[0] as number;
		const bitmap = options.eligibility?.allow as Bitmap;
		this.#count = rankBitmap(this.#graph, this.#scratch, this.spec, bitmap, { k, eligibility });
		return this.#count;
	}

	#forMany(): ManyScan {
		if (this.#many === undefined) throw noRoomForMany();
		return this.#many;
	}

	/** Writes the labels of places to `room`, its address; returns that. Those without a vector get the label of none. */
	#nameUsed(first: number, n: number, room: number): number {
		const named = this.#arena.u32(room, n);
		const levels = this.#graph.levels();
		for (let i = 0; i < n; i++) {
			named[i] = levels[first + i] === FREE_LEVEL ? NO_LABEL : (this.#labels[first + i] as number);
		}
		return room;
	}

	/** Held to what there is room for. */
	#widths({ least, full, widest }: AllowedWidths): AllowedWidths {
		const { maxEf } = this.spec;
		return { least: Math.min(maxEf, least), full: Math.min(maxEf, full), widest: Math.min(maxEf, widest) };
	}

	/** Places of some labels of a bitmap, to begin a walk at. */
	#sample(bitmap: Bitmap, eligibility: number): { seeds: number; count: number } {
		const { places, firstLabel, labels } = this.spec;
		const seeds = this.#scratch.get("candidates");
		const words = wordsOf(bitmap, this.spec);
		const range = [places, firstLabel, labels] as const;
		const count = this.#arena.kernels.sampleMatches(bitmap.address, words, ...range, eligibility, SEEDS, seeds);
		return { seeds, count };
	}

	/** Writes the distance of each label to `distances`, in the same order; NaN for those that {@link GraphReader.rank} would pass over. */
	distances(
		query: Float32Array | Uint8Array,
		labels: ArrayLike<Label>,
		distances: Float32Array | Float64Array = new Float64Array(labels.length),
	): Float32Array | Float64Array {
		this.#begin(query, 1, {});
		const scratch = this.#scratch;
		const { room } = this.spec;
		const ids = this.#arena.u32(scratch.get("ids"), room);
		const keys = this.#arena.f32(scratch.get("keys"), room);
		for (let from = 0; from < labels.length; from += room) {
			const to = Math.min(labels.length, from + room);
			let n = 0;
			for (let i = from; i < to; i++) {
				const node = this.#nodeOf(labels[i] as number);
				if (node !== undefined) ids[n++] = node;
				distances[i] = node === undefined ? Number.NaN : 0;
			}
			keysOf(this.#graph, scratch, scratch.get("ids"), n, scratch.get("keys"));
			n = 0;
			for (let i = from; i < to; i++) {
				if (!Number.isNaN(distances[i])) distances[i] = this.#graph.rows.distanceOf(keys[n++] as number);
			}
		}
		return distances;
	}

	/** Checks k, writes the query and what may be answered; returns what kernels are to be told of that. */
	#begin(query: Float32Array | Uint8Array, k: number, { eligibility }: ReaderScanOptions): number {
		checkInteger("k", k, { ...BOUNDS.k, max: this.spec.maxK });
		this.#turn++;
		this.#count = 0;
		this.#graph.rows.write(query, this.#scratch.query);
		return writeEligible(this.#arena, this.#scratch.eligibility, eligibility);
	}

	/**
	 * Takes over the entry point; returns whether there is one. The level is read first: the owner writes it last, so that the node reaches
	 * it. The step of the codes is read after: it is written before there is an entry point, and not again.
	 */
	#enter(): boolean {
		const topLevel = Atomics.load(this.#ownerGraph, GRAPH.topLevel / 4);
		const entry = Atomics.load(this.#ownerGraph, GRAPH.entry / 4);
		if (entry === NO_NODE) return false;
		this.#ownGraph[GRAPH.topLevel / 4] = topLevel;
		this.#ownGraph[GRAPH.entry / 4] = entry;
		const { codes } = this.#graph;
		if (codes !== undefined) codes.unit = this.#unit[0] as number;
		return true;
	}

	/** Keeps of the answers those that may be answered, at most k. */
	#dropAfter(found: number, k: number, eligibility: number): number {
		const scratch = this.#scratch;
		const [keysAt, labelsAt] = [scratch.get("keys"), scratch.get("selected")];
		const keys = this.#arena.f32(keysAt, found);
		const labels = this.#arena.u32(labelsAt, found);
		for (let i = 0; i < found; i++) {
			keys[i] = this.#answerKeys[2 * i] as number;
			labels[i] = this.#answerWords[2 * i + 1] as number;
		}
		return this.#arena.kernels.topk(keysAt, labelsAt, found, k, scratch.get("answer"), 0, eligibility);
	}

	#nodeOf(label: Label): number | undefined {
		// A label outside reads `undefined`.
		const place = this.#places[label - this.spec.firstLabel] ?? 0;
		return place === 0 ? undefined : place - 1;
	}
}

/** A walk that grows where much is about as near would be ended by patience just there. */
function readPatience({ patience, allowedWidths }: ReaderSearchOptions): number {
	const asked = patienceOf(patience);
	if (asked === 0 || allowedWidths === undefined) return asked;
	throw new NighError(
		"INVALID_OPTION",
		"patience is not for walks of allowedWidths, which are as long as what is allowed calls for: leave one of them out",
		{ field: "patience", value: patience },
	);
}

function readGraph(arena: ArenaView, spec: ReaderSpec): ReadGraph {
	const rows = new RowWriter(arena, spec, spec.factors);
	const { origin, payload, payloadBytes, blocks, blockStride, vectors, vectorStride } = spec;
	const levels = arena.u8(spec.levels, spec.capacity);
	return {
		arena,
		address: spec.ownGraph,
		rows,
		codes: origin === 0 ? undefined : new RowCoder(arena, { origin, rowBytes: rows.bytes, bytes: payloadBytes }),
		parameters: { ef: spec.ef },
		payload,
		payloadBytes,
		blocks,
		blockStride,
		vectors,
		vectorStride,
		levels: () => levels,
	};
}

function readScratch(arena: ArenaView, spec: ReaderSpec): SearchScratch {
	const { scratch: address, query, queryCode, eligibility, room } = spec;
	const words = arena.u32(address, SCRATCH.bytes / 4);
	return {
		address,
		query,
		queryCode,
		eligibility,
		room,
		get: (field) => words[SCRATCH[field] / 4] as number,
		set: (field, value) => {
			words[SCRATCH[field] / 4] = value;
		},
	};
}
