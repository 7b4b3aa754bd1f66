import { BOUNDS, checkInteger, checkOptions, type Metric, NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import { checkFlag, checkInsertOptions, refuseWalkOptions } from "../call-options.ts";
import { checkAbortFlag } from "../eligibility.ts";
import { throwIfAborted } from "../insert-signal.ts";
import { withinArena } from "../memory-limit.ts";
import { checkReaders } from "../open-readers.ts";
import { checkLanes, type Parallel } from "../parallel.ts";
import { checkedLabels, checkLabel, type LabelRange, labelsFor, MAX_LABEL } from "../rows/label-table.ts";
import { extentOf, NO_LABELS } from "../rows/shared-labels.ts";
import type {
	CompactReport,
	InsertManyOptions,
	Label,
	Neighbor,
	SearchOptions,
	Vector,
	VectorIndex,
	VectorRows,
} from "../vector-index.ts";
import { analyzeCells, type CellAnalysis } from "./analyze.ts";
import { checkStored } from "./check-stored.ts";
import { compactIvf } from "./compact.ts";
import { createFile, type IvfOptions } from "./create-file.ts";
import { learntBy, placeRow } from "./insert.ts";
import { insertRows } from "./insert-rows.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { disposeLearnt } from "./learnt.ts";
import { checkRoom } from "./limits.ts";
import { type IvfMemoryReport, memoryOf } from "./memory.ts";
import { type CellFill, cellFill, hasDrifted } from "./nlist.ts";
import { OwnScratch } from "./own-scratch.ts";
import { defaultNprobe, IVF_BOUNDS, type IvfStorage } from "./parameters.ts";
import { type IvfParts, partsOf } from "./parts.ts";
import type { Probed } from "./probe-rows.ts";
import { checkShared, type IvfReaderOptions, type IvfReaderSpec } from "./reader-spec.ts";
import { checkHeld, notHeld } from "./refusals.ts";
import { fits, goesBehind, reserveRows, roomOf } from "./reserve.ts";
import {
	checkAsked,
	checkProbed,
	type IvfAnswer,
	type IvfSearchOptions,
	probeIvf,
	rankIvf,
	searchIvf,
} from "./search.ts";
import { serializeIvf } from "./serialize.ts";
import { prepareTakeOver, type TakeOver } from "./take-over.ts";
import { type TrainingReport, trainIvf } from "./train.ts";
import { givenRows, ownRows } from "./training-rows.ts";
import { type StoredRows, type Validation, validateIvf } from "./validate.ts";
import { bestBound, validateOnDisk } from "./validate-on-disk.ts";

export interface IvfTrainOptions {
	/** Vectors that the index is to hold, for which cells are counted. Default: as many as there are rows, or vectors in it. */
	readonly vectors?: number;
	/** Vectors there may be one day: the ceiling of the rule `adaptive` grows with it. Default: `vectors`. */
	readonly capacity?: number;
	/** The rows are as `vector()` gives them back (scaled by the weights, of length 1 under cosine) and are taken as they are. Default: false. */
	readonly stored?: boolean;
	/** Who does the work. Default: this thread. The result does not depend on it. */
	readonly parallel?: Parallel;
	/** Ends the training with `ABORTED`; what served goes on serving. */
	readonly signal?: AbortSignal;
	/** Called after every iteration of k-means over the cells. */
	readonly onProgress?: (iteration: number, iterations: number) => void;
}

/** Vectors in cells around k-means centroids: a search looks into the cells that are nearest to it. */
export class IvfIndex implements VectorIndex {
	readonly arena: Arena;
	readonly #file: InvertedFile;
	readonly #scratch: OwnScratch;
	#report: TrainingReport | undefined;
	#closed = false;
	#writing = false;
	/** What is being written moves rows, or puts others in their places. */
	#movesRows = false;
	#needsRetraining = false;

	/** Use {@link createIvf}. */
	constructor(file: InvertedFile) {
		this.arena = file.arena;
		this.#file = file;
		this.#scratch = new OwnScratch(file);
	}

	get kind(): "ivf" | "ivfpq" | "ivfrabitq" {
		return this.#file.parameters.kind;
	}

	get metric(): Metric {
		return this.#file.rows.metric as Metric;
	}

	get dimensions(): number {
		return this.#file.rows.dimensions;
	}

	get size(): number {
		return this.#file.size;
	}

	/** Where the vectors are. */
	get storage(): IvfStorage {
		return this.#file.parameters.storage;
	}

	/** Whether vectors can be inserted. */
	get isTrained(): boolean {
		return this.#open().learnt !== undefined;
	}

	/** What the last training came to; `undefined` before the first, and after loading. */
	get trainingReport(): TrainingReport | undefined {
		return this.#report;
	}

	/** Whether a training has failed since the one that serves. */
	get needsRetraining(): boolean {
		return this.#needsRetraining;
	}

	/**
	 * Learns cells (and codes) from rows, or from the vectors that the index holds where none are given, and puts what it holds into the new cells.
	 * Until all of that is done, or where it fails, what served goes on serving; {@link needsRetraining} says that it failed. An index of storage `"disk"` learns
	 * from rows, before it holds any.
	 *
	 * @throws NighError `NOT_TRAINED` where the rows teach nothing, with distinctCentroids, nonEmptyCells and nlist; `ABORTED`, `MEMORY_LIMIT`,
	 * `INVALID_OPTION`, `INVALID_VECTOR`, `DIMENSION_MISMATCH`, `LOCKED`; `UNSUPPORTED` where it holds rows whose vectors are on disk.
	 */
	async train(rows?: VectorRows, options: IvfTrainOptions = {}): Promise<TrainingReport> {
		const file = this.#unread();
		checkOptions(
			options,
			["vectors", "capacity", "stored", "parallel", "signal", "onProgress"] satisfies (keyof IvfTrainOptions)[],
			"train",
		);
		if (file.isOnDisk && file.size > 0) throw notHeld("training an index that holds rows", REBUILD);
		checkLanes(this.arena, options.parallel);
		checkFlag("stored", options.stored);
		const { vectors, capacity } = options;
		if (vectors !== undefined) checkInteger("vectors", vectors, BOUNDS.maxRecords);
		if (capacity !== undefined) checkInteger("capacity", capacity, BOUNDS.maxRecords);
		const source = rows === undefined ? ownRows(file) : givenRows(file, rows, options.stored === true);
		this.#writing = true;
		this.#movesRows = true;
		try {
			const { learnt, report } = await trainIvf(this.arena, file.rows, file.parameters, source, {
				...options,
				vectors: vectors ?? Math.max(file.size, rows === undefined ? 0 : source.n),
			});
			let next: TakeOver | undefined;
			try {
				next = await prepareTakeOver(file, learnt, source, options);
				// Laid out for the old cells; and nobody searches between here and the end of it.
				this.#scratch.free();
				next.commit();
			} catch (error) {
				if (file.learnt !== learnt) disposeLearnt(learnt);
				throw error;
			} finally {
				next?.dispose();
			}
			this.#report = report;
			this.#needsRetraining = false;
			return report;
		} catch (error) {
			if (file.learnt !== undefined) this.#needsRetraining = true;
			return withinArena("training", () => {
				throw error;
			});
		} finally {
			this.#writing = false;
			this.#movesRows = false;
			if (this.#closed) this.#release();
		}
	}

	insert(label: Label, vector: Vector): void {
		const file = this.#writable();
		checkLabel(label);
		const checked = file.rows.check(vector);
		learntBy(file);
		if (file.table.get(label) === undefined) checkRoom(file, 1);
		checkReaders(file.sharing, () => fits(file, [label]));
		try {
			withinArena("another vector", () => {
				file.reserve(file.size + 1);
				file.staging?.begin(file.slots, 1);
				placeRow(file, () => {
					const place = file.takePlace();
					file.name(place, label);
					file.rows.write(checked, file.vectorOf(place));
					return place;
				});
			});
		} finally {
			file.staging?.end();
		}
	}

	async insertMany(rows: VectorRows, options: InsertManyOptions = {}): Promise<void> {
		const file = this.#writable();
		checkInsertOptions(options);
		checkLanes(this.arena, options.parallel);
		if (options.together !== undefined) {
			throw new NighError(
				"INVALID_OPTION",
				"together is of a graph, which links vectors; cells have no links: leave it out",
				{ field: "together" },
			);
		}
		const n = file.rows.checkRows(rows);
		if (n > 0) learntBy(file);
		const labels = labelsFor(file.table, n, options.labels);
		const known = labels.reduce((count, label) => count + (file.table.get(label) === undefined ? 0 : 1), 0);
		checkRoom(file, n - known);
		checkReaders(file.sharing, () => fits(file, labels));
		this.#writing = true;
		this.#movesRows = true;
		try {
			throwIfAborted(options.signal, 0, n);
			file.reserve(file.size + n, file.size === 0);
			this.#movesRows = known > 0 || !goesBehind(file, n);
			file.sharing.coming = extentOf(labels);
			await insertRows(file, rows, labels, { ...options, beforeStep: () => this.#open() });
			if (n === 0) options.onProgress?.(0, 0);
		} catch (error) {
			withinArena(`${n} more vectors`, () => {
				throw error;
			});
		} finally {
			file.staging?.end();
			file.sharing.coming = NO_LABELS;
			this.#writing = false;
			this.#movesRows = false;
			if (this.#closed) this.#release();
		}
	}

	remove(labels: Iterable<Label>): number {
		const file = this.#unread();
		let removed = 0;
		for (const label of checkedLabels(labels)) if (file.remove(label)) removed++;
		return removed;
	}

	has(label: Label): boolean {
		return this.#open().table.get(label) !== undefined;
	}

	labels(): Uint32Array {
		return this.#open().table.labels();
	}

	/**
	 * A copy of the vector as it is stored; `undefined` where there is none.
	 *
	 * @throws NighError `UNSUPPORTED` where vectors are on disk.
	 */
	vector(label: Label): Float32Array | undefined {
		const file = this.#open();
		if (file.isOnDisk) throw notHeld("vector()", "read it from where the owner of the index keeps it");
		const place = file.table.get(label);
		return place === undefined ? undefined : (file.rows.read(file.vectorOf(place)) as Float32Array);
	}

	search(query: Vector, k: number, options: IvfSearchOptions = {}): Neighbor[] {
		return this.explain(query, k, options).neighbors;
	}

	/** As {@link search}, with how it went: cells and rows that were looked at, and by which way. */
	explain(query: Vector, k: number, options: IvfSearchOptions = {}): IvfAnswer {
		const file = this.#open();
		this.#checkSearch(k, options);
		return this.#search(file.rows.check(query), k, options);
	}

	searchMany(queries: VectorRows, k: number, options: IvfSearchOptions = {}): Neighbor[][] {
		const file = this.#open();
		this.#checkSearch(k, options);
		const n = file.rows.checkRows(queries);
		return Array.from({ length: n }, (_, row) => this.#search(file.rows.rowOf(queries, row), k, options).neighbors);
	}

	/**
	 * The first half of a search, for who has the vectors: which rows decide the answer to a query. {@link IvfIndex.rank}, given their vectors, answers then. The
	 * options are those of a search. Of `"ivf"` the nearest k of these rows are exactly those that a search in memory finds, also with `exact: true`; of codes
	 * these are the `rerank` best (0 stands for k) by their estimates, with RaBitQ codes so many by default that the answer is hardly ever another.
	 *
	 * @throws NighError `INVALID_OPTION`, `ABORTED`; `UNSUPPORTED` for `"ivf"` without 7-bit codes, and for `exact: true` over other codes.
	 */
	probe(query: Vector, k: number, options: IvfSearchOptions = {}): Probed {
		const file = this.#open();
		this.#checkSearch(k, options);
		const checked = file.rows.check(query);
		if (options.exact === true && file.parameters.kind !== "ivf") {
			throw notHeld("exact: true", "rank() the vectors of all labels; or leave it out");
		}
		if (file.size === 0) {
			checkProbed(file, k, options);
			return { labels: new Uint32Array(0), report: nothing().report };
		}
		return withinArena("a search", () =>
			probeIvf(file, this.#scratch.get(Math.min(k, file.size)), checked, k, options),
		);
	}

	/**
	 * The second half of a search: the nearest `k` of some rows by exact distance, equal distances in the order of labels.
	 *
	 * @param labels One for each row, all different: as a rule those of {@link IvfIndex.probe}.
	 * @param rows Their vectors as `vector()` gives them back (scaled by the weights, of length 1 under cosine): n x dimensions floats.
	 * @throws NighError `INVALID_OPTION`, `INVALID_VECTOR`, `DIMENSION_MISMATCH` where there are not as many rows as labels; `NOT_TRAINED`.
	 */
	rank(query: Vector, k: number, labels: Uint32Array, rows: Float32Array): Neighbor[] {
		const file = this.#open();
		checkInteger("k", k, BOUNDS.k);
		learntBy(file);
		const checked = file.rows.check(query);
		const n = checkStored(file, labels, rows);
		if (n === 0) return [];
		const most = Math.min(k, n);
		return withinArena("a search", () => rankIvf(file, this.#scratch.get(most), checked, most, labels, rows));
	}

	/** Gives up tombstones and puts the rows of a cell next to one another. Worth calling once after a bulk load. */
	compact(options: { readonly keepRoom?: boolean } = {}): CompactReport {
		const file = this.#unread();
		checkOptions(options, ["keepRoom"], "compact");
		checkFlag("keepRoom", options.keepRoom);
		return withinArena("compacting", () => compactIvf(file, options.keepRoom === true));
	}

	/**
	 * Looks up some vectors by themselves, as a user would, and whether cells have collapsed since: what has been trained badly shows in one or
	 * the other. Changes nothing. Where vectors are on disk, those to look up are given, as `vector()` would give them back, and up to so many of them are;
	 * labels that the index does not hold are passed over. Without them only the cells are looked at.
	 *
	 * @throws NighError `INVALID_OPTION`, also for `given` where the index has the vectors itself; `INVALID_VECTOR`, `DIMENSION_MISMATCH`.
	 */
	validate(probes = 5, given?: StoredRows): Validation {
		const file = this.#open();
		checkInteger("probes", probes, { min: 1, max: 10_000, default: 5 });
		if (!file.isOnDisk) {
			if (given !== undefined) throw heldAlready();
			return validateIvf(file, probes, (vector) => this.#search(vector, 1, {}).neighbors);
		}
		if (given !== undefined) checkStored(file, given.labels, given.rows);
		return validateOnDisk(file, probes, given, {
			probe: (vector) => this.probe(vector, 1).labels,
			best: (vector) => withinArena("a search", () => bestBound(file, this.#scratch.get(1), vector)),
		});
	}

	/** Whether the number of vectors has moved so far from what it was trained for that it should be trained again. */
	hasDrifted(capacity?: number): boolean {
		const { learnt, size } = this.#open();
		return learnt !== undefined && hasDrifted(learnt.choice, size, capacity);
	}

	/** How the vectors lie in the cells. */
	analyze(capacity?: number): CellAnalysis {
		return analyzeCells(this.#open(), capacity);
	}

	/** How well the number of cells suits the number of vectors. */
	fill(capacity?: number): CellFill {
		const { learnt, size, nlist } = this.#open();
		return cellFill(size, learnt === undefined ? undefined : nlist, capacity);
	}

	memory(): IvfMemoryReport {
		const file = this.#open();
		return memoryOf(file, this.#scratch.bytes + file.sharing.bytes + (file.staging?.bytes ?? 0));
	}

	effective(): Readonly<Record<string, unknown>> {
		const { rows, parameters, scalar, learnt } = this.#open();
		return {
			dimensions: rows.dimensions,
			metric: rows.metric,
			weights: rows.weights === undefined ? undefined : [...rows.weights],
			codes: parameters.kind === "ivf" ? (scalar === undefined ? "none" : "sq7") : undefined,
			engine: this.arena.engine,
			shared: this.arena.shared,
			...parameters,
			isTrained: learnt !== undefined,
			...(learnt !== undefined && {
				nlist: learnt.coarse.nlist,
				nlistRule: learnt.choice.rule,
				trainedFor: learnt.choice.n,
				nprobe: Math.min(learnt.coarse.nlist, parameters.nprobe ?? defaultNprobe(learnt.coarse.nlist)),
				width: learnt.coarse.projection.width,
				...(learnt.product !== undefined && { M: learnt.product.subs }),
			}),
		};
	}

	/**
	 * Takes the memory for `vectors` in all, exactly: rows, labels, and blocks for whatever way they fall into cells (before training, those are taken with
	 * it). While the number stays within it, no insert moves anything that other threads read; {@link IvfIndex.fits} says so beforehand.
	 * `compact` gives back what is not used of it, unless it is told to keep it.
	 *
	 * `labels` are those that readers can find by label ({@link IvfReader.rank}), 4 bytes each. Default: from the smallest there is to the
	 * largest there ever was and one more for each vector still to come.
	 *
	 * @throws NighError `INVALID_OPTION`, `MEMORY_LIMIT`; `LOCKED` while there are readers.
	 */
	reserve(vectors: number, labels?: LabelRange): void {
		const file = this.#unread();
		const max = file.parameters.maxElements ?? IVF_BOUNDS.maxElements.max;
		checkInteger("vectors", vectors, { ...IVF_BOUNDS.maxElements, max });
		const range = labels ?? file.table.range(Math.max(0, vectors - file.size));
		checkInteger("labels.from", range.from, { min: 0, max: MAX_LABEL });
		checkInteger("labels.count", range.count, { min: 0, max: MAX_LABEL + 1 - range.from });
		withinArena(`${vectors} vectors`, () => {
			reserveRows(file, vectors);
			file.sharing.reserveLabels(range, labels === undefined ? vectors : undefined);
		});
	}

	/** Whether a `train` or an `insertMany` is running: what writes or takes memory fails with `LOCKED` meanwhile. */
	get isInserting(): boolean {
		return this.#writing;
	}

	/**
	 * Vectors that can be inserted, one by one or many at once, before something must move, wherever they fall. Readers go on beside that many. Places of
	 * vectors that were removed count only while there are no readers, beside whom they are not used again.
	 */
	get room(): number {
		return roomOf(this.#open());
	}

	/**
	 * Whether inserting vectors under these different labels moves nothing that other threads read: there is room, none of them is there
	 * already, and they are within the labels that have been reserved, if any.
	 */
	fits(labels: Iterable<Label>): boolean {
		return fits(this.#open(), checkedLabels(labels));
	}

	/**
	 * What 7-bit codes of rows mean, once training has taught it: the address of what code 0 stands for, a float a dimension, and one step. Also where
	 * cells hold other codes; none under l1, below 32 dimensions, or where the index was told to have none.
	 */
	get codes(): { readonly origin: number; readonly unit: number } | undefined {
		const { codes } = this.#open();
		return codes === undefined || codes.trainedOn === 0 ? undefined : { origin: codes.origin, unit: codes.unit };
	}

	/**
	 * Takes the memory of a reader on another thread, and returns what that thread needs to open it with {@link openIvfReader}: plain data, to
	 * be sent with a message. From then on vectors are only added, and only as many as {@link IvfIndex.fits}; everything else that writes
	 * fails with `LOCKED`. A thread needs a reader for each search that it does at the same time.
	 *
	 * @throws NighError `INVALID_OPTION` over an arena that is not shared, and for options outside their bounds; `NOT_TRAINED`; `MEMORY_LIMIT`;
	 * `LOCKED` while `train` runs, or an `insertMany` that replaces vectors or uses places again.
	 */
	readerSpec(options: IvfReaderOptions = {}): IvfReaderSpec {
		const file = this.#open();
		checkShared(file);
		learntBy(file);
		if (this.#movesRows) throw running();
		return withinArena("a reader", () => file.sharing.open(options));
	}

	/** Gives a reader's memory back, once its thread has done with it. Returns whether there was such a reader. */
	releaseReader(spec: IvfReaderSpec): boolean {
		return this.#open().sharing.close(spec);
	}

	/**
	 * Gives every vector another label, which must be different ones. Readers would not follow.
	 *
	 * @throws NighError `INVALID_RECORD` for labels that are out of range or given twice; `LOCKED` while there are readers.
	 */
	relabel(labelFor: (label: Label) => Label): void {
		const file = this.#unread();
		const labels = checkedLabels(Array.from(file.table.labels(), (label) => labelFor(label)));
		file.relabel(labelsFor(file.table, file.size, Uint32Array.from(labels)));
	}

	/** One more than the largest label there ever was. */
	get nextLabel(): number {
		return this.#open().table.next;
	}

	serialize(): Iterable<Uint8Array> {
		return serializeIvf(this.#writable());
	}

	/**
	 * The index in parts, for whoever writes and checks bytes in a way of his own; {@link restoreIvf} makes the index of them again. Copies
	 * nothing.
	 */
	parts(): IvfParts {
		return partsOf(this.#writable());
	}

	dispose(): void {
		if (this.#closed) return;
		this.#closed = true;
		if (!this.#writing) this.#release();
	}

	#search(query: Float32Array | Uint8Array, k: number, options: IvfSearchOptions): IvfAnswer {
		const file = this.#open();
		checkHeld(file.parameters, options);
		if (file.size === 0) {
			checkAsked(file, k, options);
			return nothing();
		}
		return withinArena("a search", () => searchIvf(file, this.#scratch.get(Math.min(k, file.size)), query, k, options));
	}

	#checkSearch(k: number, options: SearchOptions): void {
		checkOptions(options, ["nprobe", "budget", "rerank", "allow", "exact", "abort", "ef", "patience"], "search");
		refuseWalkOptions(options, "cells are asked for by nprobe");
		checkFlag("exact", options.exact);
		checkAbortFlag(this.arena, options.abort);
		checkInteger("k", k, BOUNDS.k);
	}

	#open(): InvertedFile {
		if (this.#closed) throw closed();
		return this.#file;
	}

	#writable(): InvertedFile {
		const file = this.#open();
		if (!this.#writing) return file;
		throw running();
	}

	/** For what moves or uses again what readers on other threads read. */
	#unread(): InvertedFile {
		const file = this.#writable();
		checkReaders(file.sharing);
		return file;
	}

	#release(): void {
		this.#scratch.free();
		this.#file.dispose();
	}
}

/** What to do where vectors would be needed to learn from. */
const REBUILD = "train another index on rows from where they are kept, and insert them all";

/** The answer of an index that holds nothing: each caller's own. */
function nothing(): IvfAnswer {
	return {
		neighbors: [],
		report: { way: "cells", cells: 0, rows: 0, wentOn: false, budgetSpent: false, ranked: 0 },
	};
}

/**
 * An empty inverted file, which has to be trained before vectors are inserted.
 *
 * @throws NighError `INVALID_OPTION` naming the option, the value and the bound; `UNSUPPORTED` for a metric or codes that it cannot have.
 */
export function createIvf(options: IvfOptions): IvfIndex {
	return new IvfIndex(createFile(options));
}

function heldAlready(): NighError {
	return new NighError(
		"INVALID_OPTION",
		"given is for an index whose vectors are on disk; this one has them itself: leave it out",
		{ field: "given" },
	);
}

function running(): NighError {
	return new NighError("LOCKED", "train or insertMany is still running: wait until its promise has been resolved");
}

function closed(): NighError {
	return new NighError("CLOSED", "the index has been disposed of: create or load another one");
}
