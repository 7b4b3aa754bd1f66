import { type AttachedArena, IvfReader, type IvfReaderSearchOptions, type IvfReaderSpec } from "@nigh/index";
import { bytesProbed, FEW, probeWidth } from "./cell-search.ts";
import type { MainSearch, MainState, Way, WidthAsked, Widths } from "./main-search.ts";
import type { SlotQuery } from "./searcher.ts";

const NONE = new Uint32Array(0);

/**
 * Searches cells whose vectors are on disk: tells by their codes which slots' rows decide the answer. What it takes all rows for is left to the
 * caller: the way is `"scan"` or `"filtered-scan"` then, and {@link toScan} is set.
 */
export class DiskSearch implements MainSearch {
	readonly #reader: IvfReader;
	/** Answers by estimates alone, where nothing is to be ranked. */
	count = 0;
	widths: Widths = {};
	/** Slots whose rows are to be ranked. */
	unranked: Uint32Array = NONE;
	/** All slots have to be ranked that may be answered. */
	toScan = false;

	constructor(arena: AttachedArena, spec: IvfReaderSpec) {
		this.#reader = new IvfReader(arena, spec);
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

	// biome-ignore lint/correctness/useYield: it takes one step.
	*search(query: SlotQuery, { mainEnd, dead, eligibility }: MainState): Generator<void, Way> {
		const { vector, k, matches, exact, rerank, budget } = query;
		this.widths = {};
		this.unranked = NONE;
		this.count = 0;
		this.toScan = false;
		const nprobe = probeWidth(this.#reader.spec, query, mainEnd);
		if (matches !== undefined && matches.count <= FEW) {
			const labels = this.#reader.probeAllowed(vector, k, { eligibility });
			this.toScan = labels === undefined;
			this.unranked = labels ?? NONE;
			return "filtered-scan";
		}
		// For who reads the state of before more is alive than now: how many, nobody has counted.
		this.toScan = exact || (matches === undefined && k > mainEnd - dead);
		if (this.toScan) return matches === undefined ? "scan" : "filtered-scan";
		const wanted = Math.min(k, matches?.count ?? k);
		const found = this.#probe(query, { nprobe, rerank, budget, wanted, eligibility });
		// A budget may have ended it. What was promised is min(k, matches) answers.
		if (found < wanted) {
			this.unranked = NONE;
			this.count = 0;
			this.toScan = true;
			return matches === undefined ? "scan" : "filtered-scan";
		}
		const { cells, rows } = this.#reader.report;
		this.widths = { nprobe, rerank: this.unranked.length, cells, rows };
		return matches === undefined ? "index" : "filtered-index";
	}

	#probe({ vector, k }: SlotQuery, options: IvfReaderSearchOptions): number {
		const { rerank = this.#reader.spec.parameters.rerank } = options;
		if (rerank === 0) {
			this.count = this.#reader.search(vector, k, options);
			return this.count;
		}
		this.unranked = this.#reader.probe(vector, k, options).labels;
		return this.unranked.length;
	}
}
