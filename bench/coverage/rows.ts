import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { formatOf, readAll } from "@nigh/formats";
import { KNOWN_SETS } from "../sets/known.ts";
import { seeded } from "../sets/random.ts";
import { type Collection, isRealSet, type RealSet } from "./collections.ts";
import { DISTRIBUTIONS, QUERY_KINDS } from "./distributions.ts";

/** Queries of the pilot split, which are not in the pool. */
export const PILOT = 1_000;

/** The queries that the distribution of queries consists of, each as likely as any other, at least. */
export const POOL = 20_000;

export interface CollectionRows {
	readonly base: Float32Array;
	/** Places the ladder, and is not used again. */
	readonly pilot: Float32Array;
	/** Never inserted. */
	readonly pool: Float32Array;
}

/** Whether a collection can be made: real sets need their files. */
export function isThere({ rows }: Collection, data: string): boolean {
	return !isRealSet(rows) || existsSync(fileOf(rows, "base", data));
}

/** Draws a collection's base, its pilot queries and its pool. */
export async function drawRows(collection: Collection, data: string, pool = POOL): Promise<CollectionRows> {
	const { rows, queries, n } = collection;
	if (isRealSet(rows)) return readReal(rows, collection, data, pool);
	const draw = DISTRIBUTIONS[rows](collection);
	const base = draw(n);
	const ask = QUERY_KINDS[queries](draw, collection, rows);
	return { base, pilot: ask(PILOT), pool: ask(pool) };
}

/**
 * The rows of a real set. Images that are not inserted are the queries of images. Of questions there are only 2,000: the queries are those
 * half way between two of them (as averages of word vectors, questions of both their words), which lie where questions lie.
 */
async function readReal(
	set: RealSet,
	{ n, dimensions, seed }: Collection,
	data: string,
	pool: number,
): Promise<CollectionRows> {
	const base = await readRows(fileOf(set, "base", data));
	const asked = await readRows(fileOf(set, "queries", data));
	const wanted = PILOT + pool;
	const queries =
		set === "squad-sif-300d"
			? betweenPairs(asked, dimensions, wanted, seed)
			: joined(base.subarray(n * dimensions), asked).subarray(0, wanted * dimensions);
	if (queries.length < wanted * dimensions) throw new Error(`${set} has no ${wanted} queries beside ${n} vectors`);
	return {
		base: base.slice(0, n * dimensions),
		pilot: queries.slice(0, PILOT * dimensions),
		pool: queries.slice(PILOT * dimensions),
	};
}

function betweenPairs(rows: Float32Array, dimensions: number, count: number, seed: number): Float32Array {
	const random = seeded(seed);
	const n = rows.length / dimensions;
	const made = new Float32Array(count * dimensions);
	for (let i = 0; i < count; i++) {
		const one = Math.floor(random.uniform() * n) * dimensions;
		const other = Math.floor(random.uniform() * n) * dimensions;
		for (let j = 0; j < dimensions; j++)
			made[i * dimensions + j] = ((rows[one + j] as number) + (rows[other + j] as number)) / 2;
	}
	return made;
}

function joined(one: Float32Array, other: Float32Array): Float32Array {
	const both = new Float32Array(one.length + other.length);
	both.set(one);
	both.set(other, one.length);
	return both;
}

function fileOf(set: RealSet, part: "base" | "queries", data: string): string {
	return join(data, set, (KNOWN_SETS[set] as (typeof KNOWN_SETS)[string])[part]);
}

async function readRows(path: string): Promise<Float32Array> {
	const format = formatOf(path);
	if (format === undefined) throw new Error(`${path}: no format goes by that ending`);
	return Float32Array.from((await readAll(format, createReadStream(path))).values as ArrayLike<number>);
}
