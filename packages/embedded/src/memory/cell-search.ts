import { type AttachedArena, IvfReader, type IvfReaderSpec } from "@nigh/index";
import { type MainSearch, type MainState, manyFound, type Way, type WidthAsked, type Widths } from "./main-search.ts";
import type { SlotQuery } from "./searcher.ts";

/** So few matches are compared one by one: a probe looks at about as many rows. */
export const FEW = 2_000;
/** Where a probe would look at such a share of all rows, matches are compared one by one as well. */
const LARGE_SHARE = 0.5;
/** Rows that are scanned for each answer at least, where nobody has said how many cells to look into. */
const ROWS_PER_ANSWER = 4;

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

	bytesOf(query: WidthAsked, mainEnd: number): number {
		const nprobe = probeWidth(this.#reader.spec, query, mainEnd);
		if (query.matches !== undefined && this.#isRanked(query.matches.count, nprobe)) return 0;
		return bytesProbed(this.#reader.spec, nprobe, mainEnd);
	}

	*search(query: SlotQuery, state: MainState): Generator<void, Way> {
		const { vector, k, matches } = query;
		const { mainEnd, dead, eligibility } = state;
		this.widths = {};
		const nprobe = probeWidth(this.#reader.spec, query, mainEnd);
		if (matches !== undefined && (query.exact || this.#isRanked(matches.count, nprobe))) {
			return this.#rank(query, state);
		}
		// For who reads the state of before more is alive than now: how many, nobody has counted.
		const isEverything = matches === undefined && k > mainEnd - dead;
		if (!query.exact && !isEverything) {
			const wanted = Math.min(k, matches?.count ?? k);
			const { rerank, budget } = query;
			const found = this.#reader.search(vector, k, { nprobe, rerank, budget, wanted, eligibility });
			const { cells, rows, ranked } = this.#reader.report;
			const isCoded = this.#reader.spec.parameters.kind !== "ivf";
			this.widths = { nprobe, ...(isCoded && { rerank: ranked }), cells, rows };
			// A budget may have ended it. What was promised is min(k, matches) answers.
			if (found >= wanted) return matches === undefined ? "index" : "filtered-index";
			this.widths = {};
		}
		if (matches !== undefined) return this.#rank(query, state);
		const steps = this.#reader.scan(vector, k, { eligibility });
		while (steps.next().done !== true) yield;
		return "scan";
	}

	*scanMany(vectors: readonly SlotQuery["vector"][], k: number, { eligibility }: MainState): Generator<void> {
		for (const _ of this.#reader.scanMany(vectors, k, { eligibility })) yield;
	}

	foundOf(i: number): ReturnType<MainSearch["foundOf"]> {
		return manyFound(this.#reader, i);
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

/** Bytes of a row that a scan reads: of its code, where it has one. */
function scannedBytes({ product, rabitq, scalar, dimensions }: IvfReaderSpec): number {
	if (product !== null) return product.bits === 4 ? product.subs / 2 : product.subs;
	if (rabitq !== null) return (rabitq.spec.bits * dimensions) / 8;
	return scalar?.bytes ?? 4 * dimensions;
}

/** Bytes of so many rows that a probe of so many cells reads, about. */
export function bytesProbed(spec: IvfReaderSpec, nprobe: number, mainEnd: number): number {
	return (nprobe / spec.nlist) * mainEnd * scannedBytes(spec);
}

/**
 * Cells to look into. Where only a share of the rows matches, the nearest of them lie farther off, in more cells; and so do many neighbours:
 * where the cells that are looked into hold little more than is asked for, what they hold is the answer, near or not.
 */
export function probeWidth(
	spec: Pick<IvfReaderSpec, "nlist" | "parameters">,
	{ nprobe, k, breadth = 1, matches }: WidthAsked,
	mainEnd: number,
): number {
	const { nlist, parameters } = spec;
	if (nprobe !== undefined) return nprobe;
	const share = Math.max(1 / nlist, matches === undefined ? 1 : matches.count / mainEnd);
	const usual = (usualNprobe(spec) * breadth) / Math.sqrt(share);
	const forMany = parameters.nprobe === undefined ? (ROWS_PER_ANSWER * k * nlist) / (mainEnd * share) : 0;
	return Math.max(1, Math.min(nlist, Math.round(Math.max(usual, forMany))));
}

/** Cells that a search looks into that does not say. */
export function usualNprobe({ nlist, parameters }: Pick<IvfReaderSpec, "nlist" | "parameters">): number {
	return Math.min(nlist, parameters.nprobe ?? Math.ceil(Math.sqrt(nlist)));
}
