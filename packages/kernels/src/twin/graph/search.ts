import { GRAPH, NO_NODE, SCRATCH } from "../../layout.ts";
import { place } from "../topk.ts";
import { beam, beamEligible, descend } from "./beam.ts";
import { beamMatching } from "./matching.ts";
import { type GraphState, plain } from "./state.ts";

/**
 * A whole search (algorithm 5): down the upper layers, a beam of `ef` on layer 0, the nearest `depth` of its pool re-ranked by exact
 * keys where the payload is codes. What a `patience` above 0 does is told at {@link beam}. The query (and its code) lies in the scratch.
 * Writes at most `k` pairs {f32 key, u32 label} in ascending order of (key, label) to the scratch's answer; returns how many, or -1 when
 * the abort word was raised.
 */
export function searchGraph(
	g: GraphState,
	graph: number,
	scratch: number,
	k: number,
	ef: number,
	depth: number,
	patience: number,
	eligibility: number,
): number {
	g.open(graph, scratch);
	const entry = g.entryPoint();
	if (entry === NO_NODE) return 0;
	if (g.aborted()) return -1;
	g.eligible.open(eligibility);
	const start = descend(g, entry, g.topLevel(), 0);
	const found =
		eligibility === 0
			? beam(g, start, 0, ef, depth, patience)
			: beamEligible(g, start, 0, ef, Infinity, depth, patience);
	return found < 0 ? -1 : answerWith(g, found, k, depth);
}

/**
 * The same where there is a bitmap, by {@link beamMatching}: the beam of a walk through everything is `least` to `full` wide, that of one
 * through eligible nodes alone, from `count` of them (u32 at `seeds`) besides, `ef` to `widest`. There may be eligible nodes that neither
 * gets to.
 */
export function searchMatching(
	g: GraphState,
	graph: number,
	scratch: number,
	k: number,
	least: number,
	full: number,
	ef: number,
	widest: number,
	depth: number,
	eligibility: number,
	seeds: number,
	count: number,
): number {
	g.open(graph, scratch);
	const entry = g.entryPoint();
	if (entry === NO_NODE) return 0;
	if (g.aborted()) return -1;
	g.eligible.open(eligibility);
	const start = descend(g, entry, g.topLevel(), 0);
	const found = beamMatching(g, start, seeds, count, { k, least, full, ef, widest });
	return found < 0 ? -1 : answerWith(g, found, k, depth);
}

/** Ranks the nearest of a pool of `found` nodes and writes the answer; returns how many it has. */
function answerWith(g: GraphState, found: number, k: number, depth: number): number {
	const { m, pool, ids, keys, scratch } = g;
	const n = g.coded() ? Math.min(found, depth) : found;
	for (let i = 0; i < n; i++) m.storeU32(ids + 4 * i, plain(m.loadU32(pool + 8 * i + 4)));
	if (g.coded()) g.keysToExact(n);
	else for (let i = 0; i < n; i++) m.storeF32(keys + 4 * i, m.loadF32(pool + 8 * i));
	const answer = m.loadU32(scratch + SCRATCH.answer);
	let size = 0;
	for (let i = 0; i < n; i++) {
		size = place(m, answer, size, k, m.loadF32(keys + 4 * i), g.labelOf(m.loadU32(ids + 4 * i)));
	}
	return size;
}

/**
 * Many searches: query i of `count` has its exact row at `rows + i * rowStride` and its code at `codes + i * codeStride`, the norm
 * behind it; its answer goes to `answers + i * 8 k`, and how many there are (-1: aborted) to `found + 4 i`. Queries are shared with other
 * lanes through the cursor, a u32 in memory that starts at 0.
 */
export function searchRange(
	g: GraphState,
	graph: number,
	scratch: number,
	k: number,
	ef: number,
	depth: number,
	patience: number,
	eligibility: number,
	rows: number,
	rowStride: number,
	codes: number,
	codeStride: number,
	answers: number,
	found: number,
	count: number,
	cursor: number,
): void {
	const { m } = g;
	for (;;) {
		const i = m.atomicAdd(cursor, 1);
		if (i >= count) return;
		const code = codes + i * codeStride;
		m.storeU32(scratch + SCRATCH.query, rows + i * rowStride);
		m.storeU32(scratch + SCRATCH.queryCode, code);
		m.storeI32(scratch + SCRATCH.queryNorm, m.loadI32(code + m.loadU32(graph + GRAPH.payloadBytes)));
		m.storeU32(scratch + SCRATCH.answer, answers + i * 8 * k);
		m.storeI32(found + 4 * i, searchGraph(g, graph, scratch, k, ef, depth, patience, eligibility));
	}
}
