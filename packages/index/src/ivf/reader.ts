import { BOUNDS, checkInteger, NighError } from "@nigh/contract";
import { type EngineName, NO_PLACE, type WasmMemory } from "@nigh/kernels";
import { type ArenaView, AttachedArena } from "../arena-view.ts";
import { writeEligible } from "../eligibility.ts";
import { ManyScan, noRoomForMany } from "../many/many-scan.ts";
import { checkAbortWord, interrupted, type ReaderScanOptions } from "../reader-call.ts";
import type { Label } from "../vector-index.ts";
import { probeMatches } from "./probe-matches.ts";
import { type Probed, probeRows, probeSettings } from "./probe-rows.ts";
import { rankMatches } from "./rank.ts";
import { mayHave, type ReadRows, rankRows, rankStaged } from "./rank-rows.ts";
import { type IvfReaderSpec, readView } from "./reader-spec.ts";
import { checkHeld, checkInMemory } from "./refusals.ts";
import { rankPlaces, scanPlaces } from "./scan.ts";
import { CHUNK_ROWS, type IvfScratch, layOutScratch, stagedRows } from "./scratch.ts";
import { type CellQuery, type CellSearchReport, cellSettings, searchCells } from "./search-cells.ts";
import { PUBLISHED } from "./sharing.ts";
import type { IvfView } from "./view.ts";

export interface IvfReaderSearchOptions extends ReaderScanOptions {
	/** Cells to look into, 1 to nlist: more are looked into where those have fewer than `wanted` vectors that may be answered. Default: the index's. */
	readonly nprobe?: number | undefined;
	/** Rows that may be scanned, from 1; the cell in which they run out is finished. Default: the index's, or no limit. */
	readonly budget?: number | undefined;
	/** Candidates to rank again by the vectors, at least k; 0: none, distances are estimates then. Default: the index's. Not for `"ivf"`. */
	readonly rerank?: number | undefined;
	/**
	 * Answers that the search owes, 0 to k: it looks into further cells until it has as many. Default k; less where the caller knows that fewer may be
	 * answered, or every cell would be looked into for nothing.
	 */
	readonly wanted?: number | undefined;
}

/** How the last call went: what was looked at. */
export type IvfReaderReport = Omit<CellSearchReport, "found">;

const NOTHING: IvfReaderReport = { cells: 0, rows: 0, wentOn: false, budgetSpent: false, ranked: 0 };

/**
 * Opens an inverted file for reading on this thread, with what `IvfIndex.readerSpec` gave on the thread that owns it. `memory` and `engine` are
 * those of the owner's arena.
 *
 * @example
 * worker.postMessage({ memory: index.arena.memory, engine: index.arena.engine, spec: index.readerSpec() });
 * // on the other thread:
 * const reader = openIvfReader(memory, engine, spec);
 * const found = reader.search(query, 10);
 * for (let i = 0; i < found; i++) console.log(reader.labelAt(i), reader.distanceAt(i));
 */
export function openIvfReader(memory: WasmMemory, engine: EngineName, spec: IvfReaderSpec): IvfReader {
	return new IvfReader(new AttachedArena(memory, engine), spec);
}

/**
 * Searches an inverted file that another thread owns and adds to meanwhile. It takes no memory, locks nothing and does one thing at a time; the
 * answers stay until the next call. Queries must have been checked: floats, finite, of the file's dimensions.
 *
 * A row is seen whole or not at all. What a search meets in cells, a scan and {@link IvfReader.rank} that begin after it see too.
 */
export class IvfReader {
	readonly spec: IvfReaderSpec;
	readonly #arena: ArenaView;
	readonly #view: IvfView;
	readonly #scratch: IvfScratch;
	readonly #answerLabels: Uint32Array;
	readonly #answerKeys: Float32Array;
	readonly #published: Uint32Array;
	readonly #places: Uint32Array;
	readonly #many: ManyScan | undefined;
	#count = 0;
	#report = NOTHING;
	/** Number of the call that the answers belong to: a scan that has been interrupted by another must not go on. */
	#turn = 0;

	/** Use {@link openIvfReader}. */
	constructor(arena: ArenaView, spec: IvfReaderSpec) {
		this.spec = spec;
		this.#arena = arena;
		this.#view = readView(arena, spec, () => this.slots);
		this.#scratch = layOutScratch(this.#view, spec.scratch, spec.maxK);
		const { answer } = this.#scratch;
		this.#answerLabels = arena.u32(answer, 2 * spec.maxK);
		this.#answerKeys = arena.f32(answer, 2 * spec.maxK);
		this.#published = arena.u32(spec.published, PUBLISHED.bytes / 4);
		this.#places = arena.u32(spec.places, spec.labelCount);
		this.#many = spec.many === null ? undefined : new ManyScan(arena, this.#view.rows, spec.many);
	}

	/** Places of the file that are complete by now: its rows, and such as have been removed. */
	get slots(): number {
		return Atomics.load(this.#published, PUBLISHED.slots / 4);
	}

	/** Rows there are by now. */
	get #rows(): number {
		return Atomics.load(this.#published, PUBLISHED.rows / 4);
	}

	/** Answers of the last call. */
	get count(): number {
		return this.#count;
	}

	/** How the last call went. */
	get report(): IvfReaderReport {
		return this.#report;
	}

	/** The label of answer `i`, nearest first; equal distances in the order of labels. */
	labelAt(i: number): Label {
		return this.#answerLabels[2 * i + 1] as number;
	}

	/** The distance of answer `i`. */
	distanceAt(i: number): number {
		return this.#view.rows.distanceOf(this.#answerKeys[2 * i] as number);
	}

	/** Whether a label is one of those that {@link IvfReader.rank} can find. */
	covers(label: Label): boolean {
		return label >= this.spec.firstLabel && label < this.spec.firstLabel + this.spec.labelCount;
	}

	/**
	 * The nearest `k` in the cells nearest to the query. Returns how many there are: fewer than `k` where no more may be answered, or where
	 * the budget or what was `wanted` ended it.
	 *
	 * @throws NighError `INVALID_OPTION` for a k above what the reader has room for, and options outside their bounds; `ABORTED`.
	 */
	search(query: Float32Array | Uint8Array, k: number, options: IvfReaderSearchOptions = {}): number {
		checkHeld(this.spec.parameters, options);
		const eligibility = this.#begin(query, k, options);
		const asked = this.#cellQuery(k, options, cellSettings(this.#view, k, options), eligibility);
		if (asked === undefined) return 0;
		const { found, ...report } = searchCells(this.#view, this.#scratch, asked);
		this.#report = report;
		this.#count = found;
		return found;
	}

	/**
	 * The first half of a search whose vectors are elsewhere: which rows decide the answer. {@link IvfReader.rankRows}, given their vectors, answers then; other
	 * calls may come in between. The options are those of a search. What it is of which kind, {@link IvfIndex.probe} says.
	 *
	 * @throws NighError `INVALID_OPTION`, `ABORTED` as {@link IvfReader.search}; `UNSUPPORTED` for `"ivf"` without 7-bit codes.
	 */
	probe(query: Float32Array | Uint8Array, k: number, options: IvfReaderSearchOptions = {}): Probed {
		const eligibility = this.#begin(query, k, options);
		const asked = this.#cellQuery(k, options, probeSettings(this.#view, k, options), eligibility);
		if (asked === undefined) return { labels: new Uint32Array(0), report: NOTHING };
		const probed = probeRows(this.#view, this.#scratch, asked);
		this.#report = probed.report;
		return probed;
	}

	/**
	 * As {@link IvfReader.probe}, of all that `eligibility.allow` lets through: the labels that may be among the nearest `k`. Of `"ivf"` these are what bounds of
	 * 7-bit codes do not exclude, in the order of their bounds; of other kinds all, in their own order, or `undefined` where they are more than 16,000.
	 *
	 * @throws NighError `INVALID_OPTION`, also where there is no `allow`; `ABORTED`; `UNSUPPORTED` for `"ivf"` without 7-bit codes.
	 */
	probeAllowed(query: Float32Array | Uint8Array, k: number, options: ReaderScanOptions): Uint32Array | undefined {
		const allow = options.eligibility?.allow;
		if (allow === undefined) throw unrestricted("probeAllowed looks at");
		const eligibility = this.#begin(query, k, options);
		checkAbortWord(this.#arena, options.abort);
		const labels = probeMatches(this.#view, this.#scratch, this.spec, allow, { k, eligibility });
		this.#report = { ...NOTHING, ranked: labels?.length ?? 0 };
		return labels;
	}

	/**
	 * The second half of a search: the nearest `k` of some rows by exact keys. Returns how many there are; they can be read as after a search.
	 *
	 * @param labels One for each row, all different: as a rule those of {@link IvfReader.probe}.
	 * @param rows As they are stored, one after the other, each with its padding: {@link RowFormat.bytes} bytes.
	 * @param options What may be answered: where it has changed since the probe, it is that of now.
	 * @throws NighError `INVALID_OPTION`; `DIMENSION_MISMATCH` where there are not as many rows as labels; `UNSUPPORTED` where vectors are in memory.
	 */
	rankRows(
		query: Float32Array | Uint8Array,
		k: number,
		labels: Uint32Array,
		rows: Uint8Array,
		options: Pick<ReaderScanOptions, "eligibility"> = {},
	): number {
		this.#checkElsewhere();
		const { bytes } = this.#view.rows;
		if (rows.length !== labels.length * bytes) throw notAsMany(labels.length, bytes, rows.length);
		const eligibility = this.#begin(query, k, options);
		const { staged } = this.#scratch;
		const found = rankRows(this.#view, this.#scratch, staged, labels, { k, eligibility }, (first, n, address) => {
			this.#arena.u8(address, n * bytes).set(rows.subarray(first * bytes, (first + n) * bytes));
		});
		return this.#found(found, labels.length);
	}

	/**
	 * As {@link IvfReader.scan}, of rows that are elsewhere, in the order of their labels: the nearest `k` by exact keys of all rows of the index below label
	 * `end` that the reader {@link IvfReader.covers covers}. `read` brings them, some hundred at a time, and not those of which `eligibility.allow` has none. A
	 * generator that yields before it reads on, with the label it has come to; what `read` throws ends it.
	 *
	 * @throws NighError `INVALID_OPTION`; `ABORTED`; `LOCKED` when it goes on after another call; `UNSUPPORTED` where vectors are in memory.
	 */
	*scanRows(
		query: Float32Array | Uint8Array,
		k: number,
		end: Label,
		read: ReadRows,
		options: ReaderScanOptions = {},
	): Generator<Label, number, undefined> {
		this.#checkElsewhere();
		checkInteger("end", end, { min: 0, max: 2 ** 32 });
		const eligibility = this.#begin(query, k, options);
		const turn = this.#turn;
		const allow = options.eligibility?.allow;
		const { bytes } = this.#view.rows;
		const step = stagedRows(bytes);
		const isHeld = (label: Label) => this.#placeOf(label) !== undefined;
		let [size, looked] = [0, 0];
		for (let first = 0; first < end; first += step) {
			const n = Math.min(step, end - first);
			if (allow !== undefined && !mayHave(this.#arena, allow, first, n)) continue;
			if (looked > 0) yield first;
			if (turn !== this.#turn) throw interrupted();
			checkAbortWord(this.#arena, options.abort);
			read(first, n, this.#arena.u8(this.#scratch.staged, n * bytes));
			size = rankStaged(this.#view, this.#scratch, { first, n }, isHeld, { size, k, eligibility });
			looked += n;
			this.#found(size, looked);
		}
		return size;
	}

	/**
	 * The nearest `k` by exact keys of all rows, {@link CHUNK_ROWS} at a time: a generator that yields how many places it has looked at and
	 * returns how many answers there are. They can be read then, and those by now at each yield. Another call in between ends it.
	 *
	 * @throws NighError `INVALID_OPTION`; `ABORTED`; `LOCKED` when it goes on after another call.
	 */
	*scan(
		query: Float32Array | Uint8Array,
		k: number,
		options: ReaderScanOptions = {},
	): Generator<number, number, undefined> {
		checkInMemory(this.spec.parameters, "a scan of vectors", "let scanRows() read them");
		const eligibility = this.#begin(query, k, options);
		const turn = this.#turn;
		const { slots } = this;
		let size = 0;
		for (let first = 0; first < slots; first += CHUNK_ROWS) {
			if (first > 0) yield first;
			if (turn !== this.#turn) throw interrupted();
			checkAbortWord(this.#arena, options.abort);
			const n = Math.min(CHUNK_ROWS, slots - first);
			size = scanPlaces(this.#view, this.#scratch, { first, n, size }, { k, eligibility });
			this.#found(size, first + n);
		}
		return size;
	}

	/**
	 * The nearest `k` of each of many queries, as {@link IvfReader.scan} finds them, in one pass over the vectors: a generator that yields how
	 * many places it has looked at, some hundred at a time. Afterwards {@link IvfReader.manyCount} and the like tell the answers, until the
	 * next call of this; other searches may come in between. Costs far less than as many scans: from 8
	 * queries on, most pairs are excluded by codes that are made on the way.
	 *
	 * @throws NighError `INVALID_OPTION` for a reader without room for it, and for more queries or answers than it has room for; `ABORTED`;
	 * `LOCKED` when it goes on after another call of this; `UNSUPPORTED` where vectors are elsewhere.
	 */
	*scanMany(
		queries: readonly (Float32Array | Uint8Array)[],
		k: number,
		options: ReaderScanOptions = {},
	): Generator<number, void, undefined> {
		checkInMemory(this.spec.parameters, "a scan of vectors", "let scanRowsMany() read them");
		const { labels, vectors, rows } = this.#view;
		const rowsOf = (first: number) => vectors + first * rows.bytes;
		const labelsOf = (first: number) => labels + 4 * first;
		const source = { places: this.slots, stride: rows.bytes, isAtHand: true, labelsOf, rowsOf };
		yield* this.#forMany().scan(source, queries, k, options);
	}

	/**
	 * As {@link IvfReader.scanMany}, of rows that are elsewhere, in the order of their labels: what {@link IvfReader.scanRows} finds for each query.
	 * `read` brings each row once, and none of labels of which no one may be answered; what it throws ends the pass.
	 *
	 * @throws NighError `INVALID_OPTION`, `ABORTED`, `LOCKED` as {@link IvfReader.scanMany}; `UNSUPPORTED` where vectors are in memory.
	 */
	*scanRowsMany(
		queries: readonly (Float32Array | Uint8Array)[],
		k: number,
		end: Label,
		read: ReadRows,
		options: ReaderScanOptions = {},
	): Generator<Label, void, undefined> {
		this.#checkElsewhere();
		checkInteger("end", end, { min: 0, max: 2 ** 32 });
		const { bytes } = this.#view.rows;
		const { staged } = this.#scratch;
		const rowsOf = (first: Label, n: number) => {
			read(first, n, this.#arena.u8(staged, n * bytes));
			return staged;
		};
		const labelsOf = (first: Label, n: number, room: number) => this.#nameHeld(first, n, room);
		const source = { places: end, stride: bytes, most: stagedRows(bytes), isAtHand: false, labelsOf, rowsOf };
		yield* this.#forMany().scan(source, queries, k, options);
	}

	/** Answers of query `i` of the last scan of many: fewer than k where fewer may be answered. */
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
	 * The nearest `k` of some labels by exact keys; those that are not in the file, or that the reader does not {@link IvfReader.covers cover}, are
	 * passed over. Returns how many there are.
	 *
	 * @throws NighError `INVALID_OPTION`; `ABORTED`.
	 */
	rank(query: Float32Array | Uint8Array, labels: Iterable<Label>, k: number, options: ReaderScanOptions = {}): number {
		checkInMemory(this.spec.parameters, "ranking labels", "give their vectors to rankRows()");
		const eligibility = this.#begin(query, k, options);
		checkAbortWord(this.#arena, options.abort);
		let ranked = 0;
		const placeOf = (label: Label) => {
			const place = this.#placeOf(label);
			if (place !== undefined) ranked++;
			return place;
		};
		const found = rankPlaces(this.#view, this.#scratch, labels, placeOf, { k, eligibility });
		return this.#found(found, ranked);
	}

	/**
	 * As {@link IvfReader.rank}, of all that `eligibility.allow` lets through.
	 *
	 * @throws NighError `INVALID_OPTION`, also where there is no `allow`; `ABORTED`.
	 */
	rankAllowed(query: Float32Array | Uint8Array, k: number, options: ReaderScanOptions): number {
		const allow = options.eligibility?.allow;
		if (allow === undefined) throw unrestricted("rankAllowed ranks");
		checkInMemory(
			this.spec.parameters,
			"rankAllowed",
			"let probeAllowed() name the rows, and give their vectors to rankRows()",
		);
		const eligibility = this.#begin(query, k, options);
		checkAbortWord(this.#arena, options.abort);
		const { found, ranked } = rankMatches(this.#view, this.#scratch, this.spec, allow, { k, eligibility });
		return this.#found(found, ranked);
	}

	/** Writes the distance of each label to `distances`, in the same order; NaN for those that {@link IvfReader.rank} would pass over. */
	distances(
		query: Float32Array | Uint8Array,
		labels: ArrayLike<Label>,
		distances: Float32Array | Float64Array = new Float64Array(labels.length),
	): Float32Array | Float64Array {
		checkInMemory(this.spec.parameters, "distances", "give the vectors to rankRows()");
		this.#begin(query, 1, {});
		const { rows, vectors } = this.#view;
		const { query: row, places: placesAt, keys: keysAt } = this.#scratch;
		const places = this.#arena.u32(placesAt, CHUNK_ROWS);
		const keys = this.#arena.f32(keysAt, CHUNK_ROWS);
		for (let from = 0; from < labels.length; from += CHUNK_ROWS) {
			const to = Math.min(labels.length, from + CHUNK_ROWS);
			let n = 0;
			for (let i = from; i < to; i++) {
				const place = this.#placeOf(labels[i] as number);
				if (place !== undefined) places[n++] = place;
				distances[i] = place === undefined ? Number.NaN : 0;
			}
			this.#arena.kernels.distanceMany(rows.metricCode, row, vectors, rows.bytes, rows.bytes, placesAt, n, keysAt);
			n = 0;
			for (let i = from; i < to; i++) {
				if (!Number.isNaN(distances[i])) distances[i] = rows.distanceOf(keys[n++] as number);
			}
		}
		return distances;
	}

	/** Checks k, writes the query and what may be answered; returns what kernels are to be told of that. */
	#begin(query: Float32Array | Uint8Array, k: number, { eligibility }: ReaderScanOptions): number {
		checkInteger("k", k, { ...BOUNDS.k, max: this.spec.maxK });
		this.#turn++;
		this.#count = 0;
		this.#report = NOTHING;
		this.#view.rows.write(query, this.#scratch.query);
		return writeEligible(this.#arena, this.#scratch.eligibility, eligibility);
	}

	/** What is asked of cells; `undefined` where there is nothing to look at. */
	#cellQuery(
		k: number,
		{ wanted = k, abort = 0 }: IvfReaderSearchOptions,
		settings: ReturnType<typeof cellSettings>,
		eligibility: number,
	): CellQuery | undefined {
		checkInteger("wanted", wanted, { ...BOUNDS.k, min: 0, max: k });
		const most = Math.min(k, this.#rows);
		if (most === 0) return undefined;
		return { ...settings, k: most, wanted: Math.min(most, wanted), eligibility, abort };
	}

	#forMany(): ManyScan {
		if (this.#many === undefined) throw noRoomForMany();
		return this.#many;
	}

	/** Writes `n` labels from `first` on to `room`, its address; returns that. Those that the file does not hold are replaced by that of none. */
	#nameHeld(first: Label, n: number, room: number): number {
		const named = this.#arena.u32(room, n);
		for (let i = 0; i < n; i++) named[i] = this.#placeOf(first + i) === undefined ? NO_PLACE : first + i;
		return room;
	}

	/** @throws NighError `UNSUPPORTED` where the index has the vectors, and no room for others. */
	#checkElsewhere(): void {
		if (this.spec.parameters.storage === "memory") throw atHand();
	}

	#found(found: number, ranked: number): number {
		this.#count = found;
		this.#report = { ...NOTHING, rows: ranked, ranked };
		return found;
	}

	#placeOf(label: Label): number | undefined {
		// A label outside reads `undefined`.
		const place = this.#places[label - this.spec.firstLabel] ?? 0;
		return place === 0 ? undefined : place - 1;
	}
}

function unrestricted(what: string): NighError {
	return new NighError("INVALID_OPTION", `${what} what eligibility.allow lets through: give a bitmap`, {
		field: "eligibility.allow",
	});
}

function atHand(): NighError {
	return new NighError("UNSUPPORTED", "this index has the vectors itself: search() it, rank() labels, or scan() all", {
		field: "storage",
		value: "memory",
	});
}

function notAsMany(labels: number, rowBytes: number, bytes: number): NighError {
	return new NighError(
		"DIMENSION_MISMATCH",
		`${labels} labels need as many rows of ${rowBytes} bytes, ${labels * rowBytes} in all, not ${bytes}`,
		{ expected: labels * rowBytes, actual: bytes },
	);
}
