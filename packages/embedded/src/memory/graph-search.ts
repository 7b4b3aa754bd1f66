import {
	type AllowedWidths,
	type AttachedArena,
	adaptiveEf,
	GraphReader,
	HNSW_BOUNDS,
	type ReaderSpec,
} from "@nigh/index";
import { type MainSearch, type MainState, manyFound, type Way, type Widths } from "./main-search.ts";
import type { SlotQuery } from "./searcher.ts";

/** Searches a graph: by a walk, or by comparing what a filter lets through. */
export class GraphSearch implements MainSearch {
	readonly #graph: GraphReader;
	widths: Widths = {};

	constructor(arena: AttachedArena, spec: ReaderSpec) {
		this.#graph = new GraphReader(arena, spec);
	}

	get count(): number {
		return this.#graph.count;
	}

	slotAt(i: number): number {
		return this.#graph.labelAt(i);
	}

	distanceAt(i: number): number {
		return this.#graph.distanceAt(i);
	}

	/** A walk is quick however many there are. */
	bytesOf(): number {
		return 0;
	}

	*search(query: SlotQuery, state: MainState): Generator<void, Way> {
		const { vector, k, matches, patience } = query;
		const { mainEnd, dead, eligibility } = state;
		const graph = this.#graph;
		const usual = this.#width(query);
		this.widths = {};
		if (matches !== undefined && (query.exact || isRanked(matches.count, mainEnd, usual))) {
			return this.#rank(query, state);
		}
		if (!query.exact) {
			const { ef, allowedWidths } =
				matches === undefined ? { ef: usual } : filteredWalk(query, matches.count, mainEnd, usual);
			this.widths = { ef };
			// A walk through what is allowed alone has an end of its own.
			const how = allowedWidths === undefined ? { patience } : { allowedWidths };
			const wanted = Math.min(k, matches?.count ?? mainEnd - dead);
			const dropAfter = matches === undefined && dead <= mainEnd * MOST_DROPPED;
			let found = graph.search(vector, k, { ef, ...how, eligibility, dropAfter });
			if (found < wanted && dropAfter) found = graph.search(vector, k, { ef, patience, eligibility });
			// A walk can miss parts of a graph. What was promised is min(k, matches) answers.
			if (found >= wanted) return matches === undefined ? "index" : "filtered-index";
		}
		if (matches !== undefined) return this.#rank(query, state);
		const steps = graph.scan(vector, k, { eligibility });
		while (steps.next().done !== true) yield;
		return "scan";
	}

	*scanMany(vectors: readonly SlotQuery["vector"][], k: number, { eligibility }: MainState): Generator<void> {
		for (const _ of this.#graph.scanMany(vectors, k, { eligibility })) yield;
	}

	foundOf(i: number): ReturnType<MainSearch["foundOf"]> {
		return manyFound(this.#graph, i);
	}

	/** Beam width where there is no filter. */
	#width({ k, ef }: SlotQuery): number {
		return ef ?? Math.max(this.#graph.spec.ef, k > 10 ? adaptiveEf(k) : k);
	}

	/** Compares the matches of a filter, one by one. */
	#rank({ vector, k }: SlotQuery, { eligibility }: MainState): Way {
		this.#graph.rankAllowed(vector, k, { eligibility });
		return "filtered-scan";
	}
}

/** Dead slots, as a share, up to which an unfiltered walk drops them afterwards instead of minding them on the way. */
const MOST_DROPPED = 0.05;

/** Filters that let this share of the nodes through stand in the way of a walk so little that it goes through everything. */
const LARGE_SHARE = 0.2;

/**
 * Whether a filter's matches are compared one by one, most of them by their codes alone, at about 60 ns each. A walk takes about as long as
 * for so many matches, one through much that matches far less; and where few nodes match, a walk through those does not get everywhere.
 */
function isRanked(matches: number, nodes: number, usual: number): boolean {
	const perWidth = matches < LARGE_SHARE * nodes ? RANKED_PER_WIDTH : RANKED_OF_MANY;
	return matches <= perWidth * usual || matches <= LEAST_WALKED * nodes;
}

const RANKED_PER_WIDTH = 75;
const RANKED_OF_MANY = 10;
const LEAST_WALKED = 0.0125;

/**
 * How a filtered walk goes. By the time it has met ef nodes that match, of a share s, it has seen ef / s, so that the beam may be narrower
 * than without a filter. A query that lies far from what matches is not served so: up to a number its matches are compared all the same,
 * which finds them all; of more, the walk goes through those that match alone, with a wider beam where they are far apart.
 */
function filteredWalk(
	{ k, isWidthAsked }: SlotQuery,
	matches: number,
	nodes: number,
	usual: number,
): { readonly ef: number; readonly allowedWidths?: AllowedWidths } {
	const share = matches / nodes;
	if (share >= LARGE_SHARE) {
		const width = Math.max(k + 10, Math.round(usual * Math.min(1, 1.6 * Math.sqrt(share))));
		return { ef: isWidthAsked ? usual : Math.min(HNSW_BOUNDS.ef.max, width) };
	}
	if (isWidthAsked) return { ef: usual, allowedWidths: { least: usual, full: usual, widest: usual } };
	const around = { least: k + 4, full: Math.round(1.2 * usual) };
	if (matches <= RANKED_WHEN_FAR * usual) return { ef: usual, allowedWidths: { ...around, widest: 0 } };
	const ef = Math.max(k, Math.min(HNSW_BOUNDS.ef.max, Math.round(usual * Math.max(1, 0.05 / share))));
	return { ef, allowedWidths: { ...around, widest: 8 * ef } };
}

const RANKED_WHEN_FAR = 300;
