import { type AttachedArena, IvfReader, type IvfReaderSpec } from "@nigh/index";
import type { MainSearch, MainState, Way, Widths } from "./main-search.ts";
import type { SlotQuery } from "./searcher.ts";

/** So few matches are compared one by one: a probe looks at about as many rows. */
const FEW = 2_000;
/** Where a probe would look at such a share of all rows, matches are compared one by one as well. */
const LARGE_SHARE = 0.5;

/** Searches cells: those that are nearest, or what a filter lets through. */
export class CellSearch implements MainSearch {
	readonly #reader: IvfReader;
	widths: Widths = {};

	constructor(arena: AttachedArena, spec: IvfReaderSpec) {
		this.#reader = new IvfReader(arena, spec);
	}

	get count(): number {
		return this.#reader.count;
	}

	slotAt(i: number): number {
		return this.#reader.labelAt(i);
	}

	distanceAt(i: number): number {
		return this.#reader.distanceAt(i);
	}

	*search(query: SlotQuery, state: MainState): Generator<void, Way> {
		const { vector, k, matches } = query;
		const { mainEnd, dead, eligibility } = state;
		this.widths = {};
		const nprobe = this.#nprobe(query, matches === undefined ? 1 : matches.count / mainEnd);
		if (matches !== undefined && (query.exact || this.#isRanked(matches.count, nprobe))) {
			return this.#rank(query, state);
		}
		if (!query.exact) {
			const wanted = Math.min(k, matches?.count ?? mainEnd - dead);
			const { rerank, budget } = query;
			const found = this.#reader.search(vector, k, { nprobe, rerank, budget, wanted, eligibility });
			const { cells, rows } = this.#reader.report;
			this.widths = { nprobe, ...(rerank !== undefined && { rerank }), cells, rows };
			// A budget may have ended it. What was promised is min(k, matches) answers.
			if (found >= wanted) return matches === undefined ? "index" : "filtered-index";
			this.widths = {};
		}
		if (matches !== undefined) return this.#rank(query, state);
		const steps = this.#reader.scan(vector, k, { eligibility });
		while (steps.next().done !== true) yield;
		return "scan";
	}

	/** Cells to look into. Where only a share of the rows matches, the nearest of them lie farther off, in more cells. */
	#nprobe({ nprobe, breadth = 1 }: SlotQuery, share: number): number {
		const { nlist } = this.#reader.spec;
		if (nprobe !== undefined) return nprobe;
		const usual = usualNprobe(this.#reader.spec);
		return Math.max(1, Math.min(nlist, Math.round((usual * breadth) / Math.sqrt(Math.max(share, 1 / nlist)))));
	}

	/** Whether a filter's matches are compared one by one, which finds the nearest of them for certain. */
	#isRanked(matches: number, nprobe: number): boolean {
		return matches <= FEW || nprobe >= LARGE_SHARE * this.#reader.spec.nlist;
	}

	/** Compares the matches of a filter, one by one. */
	#rank({ vector, k }: SlotQuery, { eligibility }: MainState): Way {
		this.#reader.rankAllowed(vector, k, { eligibility });
		return "filtered-scan";
	}
}

/** Cells that a search looks into that does not say. */
export function usualNprobe({ nlist, parameters }: Pick<IvfReaderSpec, "nlist" | "parameters">): number {
	return Math.min(nlist, parameters.nprobe ?? Math.ceil(Math.sqrt(nlist)));
}
