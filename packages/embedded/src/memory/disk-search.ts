import { type AttachedArena, IvfReader, type IvfReaderSearchOptions, type IvfReaderSpec } from "@nigh/index";
import type { RowFiles } from "../row-files/read.ts";
import { bytesProbed, FEW, probeWidth } from "./cell-search.ts";
import { type MainSearch, type MainState, manyFound, type Way, type WidthAsked, type Widths } from "./main-search.ts";
import type { SlotQuery } from "./searcher.ts";

const NONE = new Uint32Array(0);

/**
 * Searches cells whose vectors are on disk: tells by their codes which slots' rows decide the answer, and ranks those that the caller has read.
 * What it takes all rows for reads the files in order, in the steps after {@link waitsForDisk} is set.
 */
export class DiskSearch implements MainSearch {
	readonly #reader: IvfReader;
	readonly #files: Pick<RowFiles, "readSync">;
	/** Answers by now: of rows that have been compared, or by estimates where nothing is to be ranked. */
	count = 0;
	widths: Widths = {};
	/** Slots whose rows are to be ranked. */
	unranked: Uint32Array = NONE;
	/** The search under way blocks its thread from its next step on. */
	waitsForDisk = false;

	constructor(arena: AttachedArena, spec: IvfReaderSpec, files: Pick<RowFiles, "readSync">) {
		this.#reader = new IvfReader(arena, spec);
		this.#files = files;
	}

	slotAt(i: number): number {
		return this.#reader.labelAt(i);
	}

	distanceAt(i: number): number {
		return this.#reader.distanceAt(i);
	}

	bytesOf(query: WidthAsked, mainEnd: number): number {
		if (query.matches !== undefined && query.matches.count <= FEW) return 0;
		const { spec } = this.#reader;
		return bytesProbed(spec, probeWidth(spec, query, mainEnd), mainEnd);
	}

	*search(query: SlotQuery, state: MainState): Generator<void, Way> {
		const { vector, k, matches, exact, rerank, budget } = query;
		const { mainEnd, dead, eligibility } = state;
		this.widths = {};
		this.unranked = NONE;
		this.count = 0;
		const nprobe = probeWidth(this.#reader.spec, query, mainEnd);
		if (matches !== undefined && matches.count <= FEW) {
			const labels = this.#reader.probeAllowed(vector, k, { eligibility });
			if (labels === undefined) return yield* this.#scan(query, state);
			this.#name(labels, mainEnd);
			return "filtered-scan";
		}
		// For who reads the state of before more is alive than now: how many, nobody has counted.
		if (exact || (matches === undefined && k > mainEnd - dead)) return yield* this.#scan(query, state);
		const wanted = Math.min(k, matches?.count ?? k);
		const found = this.#probe(query, { nprobe, rerank, budget, wanted, eligibility }, mainEnd);
		// A budget may have ended it. What was promised is min(k, matches) answers.
		if (found < wanted) return yield* this.#scan(query, state);
		const { cells, rows } = this.#reader.report;
		this.widths = { nprobe, rerank: this.unranked.length, cells, rows };
		return matches === undefined ? "index" : "filtered-index";
	}

	/** Reads every row once, for all of them. */
	*scanMany(vectors: readonly SlotQuery["vector"][], k: number, { mainEnd, eligibility }: MainState): Generator<void> {
		const read = (from: number, n: number, into: Uint8Array) => this.#files.readSync(from, n, into);
		for (const _ of this.#reader.scanRowsMany(vectors, k, mainEnd, read, { eligibility })) yield;
	}

	foundOf(i: number): ReturnType<MainSearch["foundOf"]> {
		return manyFound(this.#reader, i);
	}

	/** Makes the nearest of slots whose rows have been read the answers. */
	rank(
		{ vector, k }: Pick<SlotQuery, "vector" | "k">,
		slots: Uint32Array,
		rows: Uint8Array,
		eligibility: MainState["eligibility"],
	): void {
		this.count = this.#reader.rankRows(vector, k, slots, rows, { eligibility });
	}

	/** Compares all rows that may be answered. */
	*#scan({ vector, k, matches }: SlotQuery, { mainEnd, eligibility }: MainState): Generator<void, Way> {
		this.unranked = NONE;
		this.count = 0;
		this.waitsForDisk = true;
		try {
			yield;
			const read = (from: number, n: number, into: Uint8Array) => this.#files.readSync(from, n, into);
			const steps = this.#reader.scanRows(vector, k, mainEnd, read, { eligibility });
			while (steps.next().done !== true) {
				this.count = this.#reader.count;
				yield;
			}
			this.count = this.#reader.count;
		} finally {
			this.waitsForDisk = false;
		}
		return matches === undefined ? "scan" : "filtered-scan";
	}

	#probe({ vector, k }: SlotQuery, options: IvfReaderSearchOptions, mainEnd: number): number {
		const { rerank = this.#reader.spec.parameters.rerank } = options;
		if (rerank === 0) {
			this.count = this.#reader.search(vector, k, options);
			return this.count;
		}
		const { labels } = this.#reader.probe(vector, k, options);
		this.#name(labels, mainEnd);
		return labels.length;
	}

	/** Slots beyond `mainEnd` were taken in meanwhile, and are found in the tail. */
	#name(labels: Uint32Array, mainEnd: number): void {
		this.unranked = labels.filter((slot) => slot < mainEnd);
	}
}
