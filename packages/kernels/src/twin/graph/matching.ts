/**
 * A walk through eligible nodes alone (after ACORN-1: Patel et al., arXiv 2403.04871), whose pool is as wide as there are nodes not much
 * farther than the k-th (Al-Jazzazi et al., arXiv 2505.15636). The reasons stand in assembly/graph/matching.ts.
 */
import { EXPANDED_TOGETHER } from "../../layout.ts";
import { BETWEEN_LOOKS, beamEligible, enter, unexpanded } from "./beam.ts";
import { expanded, type GraphState } from "./state.ts";

/** Looks past neighbours that are not eligible unless this share is eligible. */
const ENOUGH = 0.5;

/** A pool wider than `ef` holds what is within so many times the k-th squared distance. */
const REACH = Math.fround(1.25);

/** Where this share of what is around the nearest node is eligible, a walk through everything costs no more. */
const MANY = Math.fround(0.045);

/** Such a walk expands about its width / the share nodes; after so many times that, what it took for the share is not. */
const MARGIN = 1.5;

/** How wide the walks are; see {@link beamMatching}. */
export interface Widths {
	readonly k: number;
	readonly least: number;
	readonly full: number;
	readonly ef: number;
	readonly widest: number;
}

/** Keeps of ids[from..to) the unmarked nodes that are alive, marked; returns their new end. */
function keepNew(g: GraphState, from: number, to: number): number {
	let n = from;
	for (let i = from; i < to; i++) {
		const node = g.m.loadU32(g.ids + 4 * i);
		if (g.isMarked(node) || !g.eligible.isAlive(g.labelHere(node))) continue;
		g.markNew(node);
		g.m.storeU32(g.ids + 4 * n, node);
		n++;
	}
	return n;
}

/** A node's links on layer 0 behind each other: address of the first and how many. */
function linksAt(g: GraphState, node: number): { at: number; count: number } {
	const links = g.linksOf(node, 0);
	return { at: links + 4, count: g.m.atomicLoadI32(links) };
}

/**
 * Gathers unmarked eligible nodes behind ids[0..n): the node's neighbours and, where some of them are not eligible, what those lead to,
 * as far as there is room in a list of links. Marks what it has gathered or looked past; returns how many ids there are then.
 */
function gatherEligible(g: GraphState, node: number, from: number): number {
	const { m, ids, selected, eligible } = g;
	const links = linksAt(g, node);
	const end = from + g.degree0;
	let met = from;
	let others = 0;
	for (let i = 0; i < links.count; i++) {
		const neighbour = m.loadU32(links.at + 4 * i);
		const bit = eligible.allowedBit(g.labelHere(neighbour));
		m.storeU32(ids + 4 * met, neighbour);
		m.storeU32(selected + 4 * others, neighbour);
		met += bit;
		others += 1 - bit;
	}
	const isEnough = met - from >= links.count * ENOUGH;
	let n = keepNew(g, from, met);
	if (isEnough) return n;
	for (let i = 0; i < others && n < end; i++) {
		const other = m.loadU32(selected + 4 * i);
		if (!g.markNew(other)) continue;
		const beyond = linksAt(g, other);
		met = n;
		for (let j = 0; j < beyond.count; j++) {
			const neighbour = m.loadU32(beyond.at + 4 * j);
			m.storeU32(ids + 4 * met, neighbour);
			met += eligible.allowedBit(g.labelHere(neighbour));
		}
		n = keepNew(g, n, met);
	}
	// What there is no room for may be met again.
	while (n > end) g.unmark(m.loadU32(ids + 4 * --n));
	return n;
}

/** The share of eligible labels among a node's neighbours and theirs, by the bitmap. */
function shareAround(g: GraphState, node: number): number {
	const links = linksAt(g, node);
	let met = 0;
	let all = links.count;
	for (let i = 0; i < links.count; i++) {
		const neighbour = g.m.loadU32(links.at + 4 * i);
		met += g.eligible.allowedBit(g.labelHere(neighbour));
		const beyond = linksAt(g, neighbour);
		all += beyond.count;
		for (let j = 0; j < beyond.count; j++) {
			met += g.eligible.allowedBit(g.labelHere(g.m.loadU32(beyond.at + 4 * j)));
		}
	}
	return all === 0 ? 0 : Math.fround(met / all);
}

/** A walk through eligible nodes alone, and the pool that it fills. */
class Walk {
	readonly #g: GraphState;
	readonly #widths: Widths;
	size = 0;
	/** The first place of the pool that the last {@link take} has changed. */
	changed = 0;

	constructor(g: GraphState, widths: Widths) {
		this.#g = g;
		this.#widths = widths;
	}

	/** What is farther is not wanted. */
	get reach(): number {
		const { k, ef } = this.#widths;
		if (this.size < ef) return Infinity;
		return Math.max(this.#keyAt(ef - 1), Math.fround(this.#keyAt(k - 1) * REACH));
	}

	/** Whether the place of the pool is to be expanded. */
	goesOn(cursor: number): boolean {
		return cursor < this.size && !(this.#keyAt(cursor) > this.reach);
	}

	/** Computes the keys of ids[0..n) and puts what is near enough into the pool; `changed` is at most `from` then. */
	take(n: number, from: number): void {
		const { m, ids, keys } = this.#g;
		const { ef, widest } = this.#widths;
		this.#g.keysToPayload(n);
		this.changed = from;
		for (let i = 0; i < n; i++) {
			const key = m.loadF32(keys + 4 * i);
			if (this.size >= ef && !(key < this.reach)) continue;
			if (this.size === widest && !(key < this.#keyAt(widest - 1))) continue;
			const at = enter(this.#g, this.size, widest, key, m.loadU32(ids + 4 * i));
			if (this.size < widest) this.size++;
			if (at < this.changed) this.changed = at;
		}
	}

	#keyAt(place: number): number {
		return this.#g.m.loadF32(this.#g.pool + 8 * place);
	}
}

/** Puts the walk's first nodes into its pool: the eligible `seeds`, and what `from` leads to. */
function begin(g: GraphState, walk: Walk, from: number, seeds: number, count: number): void {
	const { m, ids } = g;
	g.unmarkAll();
	let n = 0;
	for (let i = 0; i < count; i++) {
		const seed = m.loadU32(seeds + 4 * i);
		if (g.markNew(seed)) m.storeU32(ids + 4 * n++, seed);
	}
	walk.take(n, 0);
	n = 0;
	if (g.markNew(from) && g.eligible.admits(g.labelHere(from))) {
		m.storeU32(ids, from);
		n = 1;
	}
	walk.take(gatherEligible(g, from, n), 0);
}

/**
 * Searches layer 0 from a node, eligible or not, and from `count` eligible `seeds`. Leaves the nearest eligible nodes it has met in the
 * pool, `ef` to `widest` of them, in ascending order of key, and returns how many; -1 when aborted.
 */
function beamThroughEligible(g: GraphState, from: number, seeds: number, count: number, widths: Widths): number {
	const { m, pool } = g;
	const walk = new Walk(g, widths);
	begin(g, walk, from, seeds, count);
	let expansions = 1;
	let look = BETWEEN_LOOKS;
	let cursor = 0;
	while (walk.goesOn(cursor)) {
		const width = walk.size < widths.ef ? 1 : EXPANDED_TOGETHER;
		let next = cursor;
		let n = 0;
		for (let w = 0; w < width && next < walk.size; w++) {
			const at = pool + 8 * next + 4;
			const node = m.loadU32(at);
			m.storeU32(at, expanded(node));
			n = gatherEligible(g, node, n);
			next = unexpanded(g, next + 1, walk.size);
			expansions++;
		}
		if (expansions >= look) {
			if (g.aborted()) return -1;
			look += BETWEEN_LOOKS;
		}
		walk.take(n, next);
		cursor = walk.changed;
	}
	g.countExpanded(expansions);
	return walk.size;
}

/**
 * The nearest eligible nodes, from the nearest node of all: where enough around that one are eligible by a walk through everything, of
 * `full` times the root of the share and at least `least`, else through eligible nodes alone, of `ef` to `widest`; none where that is 0.
 */
export function beamMatching(g: GraphState, from: number, seeds: number, count: number, widths: Widths): number {
	const share = shareAround(g, from);
	if (share >= MANY) {
		const width = Math.max(widths.least, Math.trunc(Math.fround(widths.full * Math.fround(Math.sqrt(share)))));
		const most = Math.trunc(Math.fround(Math.fround(width * MARGIN) / share));
		const found = beamEligible(g, from, 0, width, most, width, 0);
		if (found !== -2) return found;
	}
	return widths.widest === 0 ? 0 : beamThroughEligible(g, from, seeds, count, widths);
}
