import { checkInteger } from "@nigh/contract";
import { PAYLOADS } from "@nigh/kernels";
import { aborted } from "../eligibility.ts";
import type { GraphView, SearchScratch } from "./graph-view.ts";
import { adaptiveEf, HNSW_BOUNDS } from "./parameters.ts";

/** How wide a walk for the labels of a bitmap is. */
export interface Matching {
	/** Where what is around the query matches: at least so wide, and `full` times the root of the share that does. */
	readonly least: number;
	readonly full: number;
	/** Elsewhere from ef to so wide, through what matches alone and from `count` places of that besides, u32 at `seeds`. */
	readonly widest: number;
	readonly seeds: number;
	readonly count: number;
}

export interface WalkOptions {
	readonly k: number;
	readonly ef: number;
	/** How many of the pool's best are ranked again by exact keys; see {@link rerankDepth}. */
	readonly depth: number;
	/** Expansions in a row that leave these best as they are, after which the walk ends; 0: it goes on. Not with `matching`. */
	readonly patience: number;
	/** Address of the eligibility struct; 0 where everything may be answered. */
	readonly eligibility: number;
	/** Address of the abort word; 0 where nothing ends it early. */
	readonly abort: number;
	/** For what a bitmap lets through; see {@link Matching}. */
	readonly matching?: Matching | undefined;
}

/**
 * The beam search for the query that lies in the scratch. Leaves pairs {key, label} in the scratch's answer; returns how many.
 *
 * @throws NighError `ABORTED`.
 */
export function walk(
	graph: GraphView,
	scratch: SearchScratch,
	{ k, ef, depth, patience, eligibility, abort, matching }: WalkOptions,
): number {
	scratch.set("queryNorm", encodeQuery(graph, scratch.query, scratch.queryCode));
	scratch.set("abort", abort);
	const { kernels } = graph.arena;
	const found =
		matching === undefined
			? kernels.searchGraph(graph.address, scratch.address, k, ef, depth, patience, eligibility)
			: searchMatching(graph, scratch, { k, ef, depth, eligibility, matching });
	if (found < 0) throw aborted();
	return found;
}

function searchMatching(
	{ arena, address }: GraphView,
	scratch: SearchScratch,
	{ k, ef, depth, eligibility, matching }: Omit<WalkOptions, "abort" | "patience"> & { readonly matching: Matching },
): number {
	const { least, full, widest, seeds, count } = matching;
	const widths = [least, full, ef, widest] as const;
	return arena.kernels.searchMatching(address, scratch.address, k, ...widths, depth, eligibility, seeds, count);
}

/** The ef in force: the one asked for, never below k; else the index's, and no less than k calls for. */
export function beamWidth({ parameters }: Pick<GraphView, "parameters">, k: number, asked: number | undefined): number {
	if (asked === undefined) return Math.max(parameters.ef, k > 10 ? adaptiveEf(k) : k);
	return checkInteger("ef", asked, { ...HNSW_BOUNDS.ef, min: Math.min(k, HNSW_BOUNDS.ef.max) });
}

/** The patience in force: the one asked for; 0, none, where it was left out. */
export function patienceOf(asked: number | undefined): number {
	return asked === undefined ? 0 : checkInteger("patience", asked, HNSW_BOUNDS.patience);
}

/** How many of the pool's best are ranked again by exact keys: codes swap neighbours that are close to one another. */
export function rerankDepth(k: number, ef: number): number {
	return Math.min(ef, Math.max(2 * k, k + 16));
}

/** Codes the query at an address, where the graph is searched by codes; returns the norm of the code (0 where it has none). */
export function encodeQuery({ arena, rows, codes, payload }: GraphView, query: number, code: number): number {
	if (codes === undefined) return 0;
	if (payload !== PAYLOADS.codesDot) return codes.encode(query, code);
	arena.kernels.encodeSigned(query, rows.bytes, code, codes.bytes);
	return 0;
}
