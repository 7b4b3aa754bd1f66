import type { Collection, RecordInput } from "@nigh/contract";
import { generated, type Rows } from "../sets/generated.ts";
import { seeded } from "../sets/random.ts";
import { DIMENSIONS, SEED } from "./measurement.ts";

/** The clustered set of the bench. */
export function vectors(n: number, queries: number, seed = SEED): Rows {
	return generated({ n, dimensions: DIMENSIONS, queries, seed });
}

export function rowOf(rows: Float32Array, at: number): Float32Array {
	return rows.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS);
}

/** The id of the record with the vector `at`. */
export function idOf(at: number): string {
	return `record-${at}`;
}

/** The vector that an id belongs to. */
export function placeOf(id: string): number {
	return Number(id.slice("record-".length));
}

/** Records of the vectors `from` to `to`; what else they have is told by `more`. */
export function records(
	base: Float32Array,
	from: number,
	to: number,
	more: (at: number) => Omit<RecordInput, "id" | "vector"> = () => ({}),
): RecordInput[] {
	return Array.from({ length: to - from }, (_, i) => ({
		id: idOf(from + i),
		vector: rowOf(base, from + i),
		...more(from + i),
	}));
}

/** Records of all vectors, in batches. */
export function batches(
	base: Float32Array,
	size: number,
	more?: (at: number) => Omit<RecordInput, "id" | "vector">,
): RecordInput[][] {
	const n = base.length / DIMENSIONS;
	const all: RecordInput[][] = [];
	for (let from = 0; from < n; from += size) all.push(records(base, from, Math.min(n, from + size), more));
	return all;
}

/** Records a second that are written fastest and that a caller has at hand. */
export const BATCH = 1_000;

/** Writes all vectors, a batch after the other. */
export async function load(
	collection: Collection,
	base: Float32Array,
	more?: (at: number) => Omit<RecordInput, "id" | "vector">,
): Promise<void> {
	const n = base.length / DIMENSIONS;
	for (let from = 0; from < n; from += BATCH) {
		await collection.upsert(records(base, from, Math.min(n, from + BATCH), more));
	}
}

const VOCABULARY = 20_000;
const WORDS = 40;

/** Texts of 40 words, whose frequencies fall about as those of a language do. */
export function texts(n: number, seed = SEED): string[] {
	const random = seeded(seed);
	const words = Array.from({ length: VOCABULARY }, (_, rank) => wordOf(rank));
	return Array.from({ length: n }, () =>
		Array.from({ length: WORDS }, () => words[Math.floor(VOCABULARY ** random.uniform()) - 1]).join(" "),
	);
}

/** A word of its own for each rank, pronounceable, of two syllables or more. */
function wordOf(rank: number): string {
	const syllables = ["ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu", "el"];
	let word = "";
	for (let rest = rank + 16; rest > 0; rest = Math.floor(rest / 16)) word += syllables[rest % 16];
	return word;
}
