import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { formatOf, readAll } from "@nigh/formats";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { KNOWN_SETS } from "./known.ts";
import { MADE_SETS, type MadeSet } from "./made.ts";
import { exactNeighbors, type Truth } from "./truth.ts";

/** What a run is about: vectors, queries, and which vectors are nearest to each query. */
export interface BenchSet {
	readonly name: string;
	readonly about: string;
	readonly metric: "l2" | "cosine";
	readonly dimensions: number;
	/** n x dimensions, row-major. */
	readonly base: Float32Array;
	readonly n: number;
	/** count x dimensions, row-major. */
	readonly queries: Float32Array;
	readonly queryCount: number;
	readonly truth: Truth;
}

export interface SetOptions {
	/** A name of {@link MADE_SETS} or {@link KNOWN_SETS}, or the path of a file of vectors. */
	readonly set: string;
	/** Folder with the known sets. */
	readonly data: string;
	/** Vectors, for the sets that are made (default: their own number); of a file, the first ones. */
	readonly n: number | undefined;
	/** Of the made sets that can have any. */
	readonly dimensions: number;
	readonly queries: number;
	readonly metric: "l2" | "cosine" | undefined;
	readonly seed: number;
	/** Neighbours of a query that have to be known. */
	readonly k: number;
}

/** Makes or reads a set. Truth comes from the set's file where all of its vectors are used, else from an exact scan. */
export async function loadSet(options: SetOptions): Promise<BenchSet> {
	const { set, queries, seed } = options;
	if (Object.hasOwn(MADE_SETS, set)) {
		const made = MADE_SETS[set] as MadeSet;
		const shape = { n: options.n ?? made.n, dimensions: made.dimensions ?? options.dimensions, queries, seed };
		const { base, queries: asked } = made.make(shape);
		const name = `${set}-${shape.n}x${shape.dimensions}`;
		return withTruth(name, made.about(shape), options.metric ?? "l2", shape.dimensions, base, asked, options);
	}
	if (Object.hasOwn(KNOWN_SETS, set)) return loadKnown(set, options);
	return loadFile(options);
}

async function loadKnown(name: string, options: SetOptions): Promise<BenchSet> {
	const known = KNOWN_SETS[name] as (typeof KNOWN_SETS)[string];
	const folder = join(options.data, name);
	if (!existsSync(join(folder, known.base))) {
		throw new UsageError(
			`There is no ${join(folder, known.base)}: name the folder that holds ${name} with --data FOLDER.`,
		);
	}
	const base = await readRows(join(folder, known.base), options.n);
	const queries = await readRows(join(folder, known.queries), options.queries);
	const all = options.n === undefined;
	if (!all || (options.metric !== undefined && options.metric !== known.metric)) {
		const metric = options.metric ?? known.metric;
		return withTruth(
			`${name}-${base.count}`,
			known.about,
			metric,
			base.dimensions,
			base.values,
			queries.values,
			options,
		);
	}
	const truth = await readAll("ivecs", createReadStream(join(folder, known.truth)), { limit: queries.count });
	return {
		name,
		about: known.about,
		metric: known.metric,
		dimensions: base.dimensions,
		base: base.values,
		n: base.count,
		queries: queries.values,
		queryCount: queries.count,
		truth: { width: truth.dimensions, ids: Int32Array.from(truth.values as ArrayLike<number>) },
	};
}

/** A file of vectors: the queries are its last rows, which are left out of the base. */
async function loadFile(options: SetOptions): Promise<BenchSet> {
	if (!existsSync(options.set)) {
		const names = [...Object.keys(KNOWN_SETS), ...Object.keys(MADE_SETS)].join(", ");
		throw new UsageError(`--set ${options.set} is neither a file nor one of ${names}.`);
	}
	const limit = options.n === undefined ? undefined : options.n + options.queries;
	const { values, count, dimensions } = await readRows(options.set, limit);
	const queryCount = Math.min(options.queries, Math.floor(count / 10));
	if (queryCount === 0)
		throw new UsageError(`${options.set} has ${count} vectors: a tenth of them are the queries, so it needs 10.`);
	const cut = (count - queryCount) * dimensions;
	const about = `the first ${count - queryCount} vectors of a file; its last ${queryCount} are the queries`;
	const name = (options.set.split("/").at(-1) as string).replace(/\.[a-z]+$/, "");
	return withTruth(
		name,
		about,
		options.metric ?? "l2",
		dimensions,
		values.subarray(0, cut),
		values.subarray(cut),
		options,
	);
}

async function withTruth(
	name: string,
	about: string,
	metric: "l2" | "cosine",
	dimensions: number,
	base: Float32Array,
	queries: Float32Array,
	{ k }: SetOptions,
): Promise<BenchSet> {
	const truth = await exactNeighbors({ base, queries, dimensions, metric }, k);
	return {
		name,
		about,
		metric,
		dimensions,
		base,
		n: base.length / dimensions,
		queries,
		queryCount: queries.length / dimensions,
		truth,
	};
}

async function readRows(path: string, limit: number | undefined) {
	const format = formatOf(path);
	if (format === undefined)
		throw new UsageError(`${path}: no format goes by that ending; .fvecs, .bvecs, .npy and .jsonl do.`);
	const rows = await readAll(format, createReadStream(path), limit === undefined ? {} : { limit });
	return { ...rows, values: Float32Array.from(rows.values as ArrayLike<number>) };
}
