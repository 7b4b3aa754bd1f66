import { isSameRung, kBandsFor, type Rung, type SelectivityBand, selectivityBand, targetFor } from "@nigh/recall";
import { churnOf, type Generation } from "../memory/generation.ts";
import { changedSince, type ServedCell, type ServedTable, STALE_FROM, VOID_FROM } from "./served.ts";

/** What a search is to find, as far as its recall depends on it. */
export interface Asked {
	/** Hits that are looked for, 1 to 4,000. */
	readonly k: number;
	/** The mean recall that is wanted: 0.5 to below 1. */
	readonly recall: number;
	/** Records that its filter lets through; `undefined` without one. */
	readonly matches: number | undefined;
}

/** How a search is served. */
export interface Service {
	/** The cells that it belongs to: of one band of k, or of those on both sides. Empty: nothing is known of one of them. */
	readonly cells: readonly ServedCell[];
	/** What is certified for all of them; `null`: the exact search alone. `undefined`: nothing is known. */
	readonly rung: Rung | null | undefined;
	/** What promises nothing and is the widest that was measured, where nothing is certified. */
	readonly widest?: Rung | undefined;
	readonly state: "certified" | "provisional" | "stale" | "breached" | "refused" | "unknown";
}

const UNKNOWN: Service = { cells: [], rung: undefined, state: "unknown" };

/** Which certified setting a search is served by: what the examiner has found out, for the index that is searched. */
export class Serving {
	#table: ServedTable | undefined;
	readonly #cells = new Map<string, ServedCell>();

	get table(): ServedTable | undefined {
		return this.#table;
	}

	set table(table: ServedTable | undefined) {
		this.#table = table;
		this.#cells.clear();
		for (const cell of table?.cells ?? []) this.#cells.set(nameOf(cell.k, cell.selectivity, cell.target), cell);
	}

	/** What serves a search of a generation. */
	serviceFor({ k, recall, matches }: Asked, generation: Generation): Service {
		if (this.#table === undefined || this.#table.identity !== generation.handle.identity?.id) return UNKNOWN;
		const band = selectivityBand(matches === undefined ? undefined : matches / Math.max(1, generation.live));
		const target = targetFor(recall);
		const cells: ServedCell[] = [];
		for (const bandOfK of kBandsFor(k)) {
			const cell = this.#cell(bandOfK, band, target);
			if (cell === undefined) return UNKNOWN;
			cells.push(cell);
		}
		const changed = Math.max(...cells.map((cell) => changedSince(cell, churnOf(generation))));
		if (changed > VOID_FROM) return UNKNOWN;
		const rung = strictest(cells.map((cell) => cell.rung));
		const state = stateOf(cells, changed > STALE_FROM);
		if (rung !== null) return { cells, rung, state };
		const widest = strictest(cells.map((cell) => cell.rung ?? cell.widest ?? null));
		return { cells, rung, state, widest: widest ?? undefined };
	}

	/** A certificate for a higher target holds for a lower one too, which may not have been looked at yet. */
	#cell(k: number, band: SelectivityBand, target: number): ServedCell | undefined {
		const own = this.#cells.get(nameOf(k, band, target));
		if (own !== undefined) return own;
		let nearest: ServedCell | undefined;
		for (const cell of this.#cells.values()) {
			if (cell.k !== k || cell.selectivity !== band || cell.target < target) continue;
			if (nearest === undefined || cell.target < nearest.target) nearest = cell;
		}
		return nearest;
	}
}

/** A cell in the order of the table, by its name. */
export function nameOf(k: number, band: SelectivityBand, target: number): string {
	return `${k}/${band}/${target}`;
}

/** What looks at no less than what serves each, in every respect; exact where one of them is. */
function strictest(rungs: readonly (Rung | null)[]): Rung | null {
	let all: Rung | undefined;
	for (const rung of rungs) {
		if (rung === null) return null;
		all = all === undefined ? rung : both(all, rung);
		if (all === undefined) return null;
	}
	return all ?? null;
}

/** `undefined` where the two are of different indexes. */
function both(a: Rung, b: Rung): Rung | undefined {
	if (isSameRung(a, b)) return a;
	if (a.kind === "graph" && b.kind === "graph") {
		const patience = atLeast(a.patience, b.patience);
		return { kind: "graph", ef: Math.max(a.ef, b.ef), ...(patience !== undefined && { patience }) };
	}
	if (a.kind !== "cells" || b.kind !== "cells") return undefined;
	const budget = atLeast(a.budget, b.budget);
	// As many as the index takes by itself are the fewest that a ladder has.
	const rerank = Math.max(a.rerank ?? 0, b.rerank ?? 0);
	return {
		kind: "cells",
		nprobe: Math.max(a.nprobe, b.nprobe),
		...(rerank > 0 && { rerank }),
		...(budget !== undefined && { budget }),
	};
}

/** The larger of two limits; one that is left out is none. */
function atLeast(a: number | undefined, b: number | undefined): number | undefined {
	return a === undefined || b === undefined ? undefined : Math.max(a, b);
}

function stateOf(cells: readonly ServedCell[], isStale: boolean): Service["state"] {
	for (const state of ["breached", "refused"] as const) if (cells.some((cell) => cell.state === state)) return state;
	if (isStale) return "stale";
	return cells.every(({ state }) => state === "certified") ? "certified" : "provisional";
}
