import type { Neighbor, VectorIndex } from "@nigh/index";
import type { Column } from "../../../packages/nigh/src/terminal/table.ts";
import { NIGH } from "../../report/report.ts";
import { lessIsBetter, recallText } from "../../report/rounding.ts";
import type { Random } from "../../sets/random.ts";
import type { BuiltKind } from "../built-kind.ts";
import type { TableOptions, TablePart } from "../table.ts";
import { timeSearches } from "../time-searches.ts";

/** What one weakness was measured to be, for programs and for people. */
export interface Weakness {
	readonly part: TablePart;
	readonly rows: readonly WeaknessRow[];
}

/** One figure more or less; which there are is the affair of the weakness. */
export interface WeaknessRow {
	readonly weakness: string;
	readonly index: string;
	readonly [figure: string]: string | number;
}

export type MeasureWeakness = (options: TableOptions) => Promise<Weakness>;

export const PASSES = 3;
/** Enough for a recall to two digits. */
export const ASKED = 300;

export interface Figures {
	readonly recall: number;
	readonly p50Us: number;
}

/** Anything that answers queries, by its own labels. */
export interface Searched {
	readonly search: (query: Float32Array) => readonly Neighbor[];
}

/** Recall against the first of them, which has to be exact, and the median time; all in turns. */
export function figuresOf(all: readonly Searched[], queries: readonly Float32Array[]): Figures[] {
	const times = timeSearches({ settings: all, queries, search: (query, { search }) => search(query), passes: PASSES });
	const truth = (times[0] as (typeof times)[number]).answers;
	return times.map(({ answers, p50Us }) => ({ recall: recallAgainst(truth, answers), p50Us }));
}

/** The share of the exact answers that was found; whatever is as near as the last of them counts. */
export function recallAgainst(
	truth: readonly (readonly Neighbor[])[],
	answers: readonly (readonly Neighbor[])[],
): number {
	let [found, owed] = [0, 0];
	truth.forEach((exact, query) => {
		const labels = new Set(exact.map(({ label }) => label));
		const hits = answers[query] ?? [];
		owed += exact.length;
		found += hits.filter(({ label }) => labels.has(label)).length;
	});
	return owed === 0 ? 1 : found / owed;
}

/** The first is flat, which is exact. */
export function searchersOf(built: readonly BuiltKind[], k: number): Searched[] {
	return built.map(({ index }) => ({ search: (query) => index.search(query, k) }));
}

/** Rows in another order: `order[i]` is the row that comes i-th. */
export function reordered(rows: Float32Array, dimensions: number, order: ArrayLike<number>): Float32Array {
	const out = new Float32Array(rows.length);
	for (let i = 0; i < order.length; i++) {
		const from = (order[i] as number) * dimensions;
		out.set(rows.subarray(from, from + dimensions), i * dimensions);
	}
	return out;
}

/** The order of rows by their first number: a crude way of taking neighbours one after the other. */
export function byFirstNumber(rows: Float32Array, dimensions: number): Uint32Array {
	const order = Uint32Array.from({ length: rows.length / dimensions }, (_, i) => i);
	return order.sort((a, b) => (rows[a * dimensions] as number) - (rows[b * dimensions] as number));
}

/** A random order (Fisher and Yates). */
export function shuffled(n: number, random: Random): Uint32Array {
	const order = Uint32Array.from({ length: n }, (_, i) => i);
	for (let i = n - 1; i > 0; i--) {
		const j = Math.floor(random.uniform() * (i + 1));
		[order[i], order[j]] = [order[j] as number, order[i] as number];
	}
	return order;
}

export function disposeAll(built: readonly { readonly index: VectorIndex }[]): void {
	for (const { index } of built) index.dispose();
}

export const left = (title: string): Column => ({ title, align: "left" });
export const right = (title: string): Column => ({ title, align: "right" });

/** `recall, us` as two cells. */
export function figureCells({ recall, p50Us }: Figures): string[] {
	return [recallText(recall), lessIsBetter(NIGH, p50Us, 1)];
}

export const seconds = (value: number): string => lessIsBetter(NIGH, value, 2);
export const bytes = (value: number): string => lessIsBetter(NIGH, value, 1);
