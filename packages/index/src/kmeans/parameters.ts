import { checkBound, checkInteger, checkOptions, NighError } from "@nigh/contract";
import { HNSW_BOUNDS } from "../hnsw/parameters.ts";
import type { Parallel } from "../parallel.ts";

/** Every number of k-means with its bounds and default, in one place. */
export const KMEANS_BOUNDS = {
	/** Centroids. */
	k: { min: 1, max: 1_048_576, integer: true },
	/** Seed of every draw. */
	seed: HNSW_BOUNDS.seed,
	/** Passes over the training rows, at most. More: slightly denser cells, a longer training, in proportion. */
	iterations: { min: 1, max: 1_000, integer: true, default: 10 },
	/** Training ends when every centroid moved less, in the units of the rows. */
	tolerance: { min: 0, max: Number.MAX_VALUE, default: 1e-4 },
	/** Rows to train on, for each centroid; where there are more, a sample is drawn. More: little better cells, a longer training. */
	maxPointsPerCentroid: { min: 1, max: 0x7fffffff, integer: true, default: 256 },
	/** Rows to train on in all. */
	maxPoints: { min: 1, max: 0x7fffffff, integer: true },
	/** Rows of a mini-batch. */
	batch: { min: 1, max: 0x7fffffff, integer: true },
} as const;

/** Below so many training rows a centroid, the centroids follow single rows rather than where rows are dense (check C-4). */
export const LEAST_POINTS_PER_CENTROID = 39;

/** k-means++ looks at so many rows for each centroid: its cost grows with their number times k, as that of a whole iteration does. */
export const SEED_ROWS_PER_CENTROID = 16;

const INITS = ["kmeans++", "sample"] as const;
const REPAIRS = ["split", "random"] as const;

export type KMeansInit = (typeof INITS)[number];
export type KMeansRepair = (typeof REPAIRS)[number];

/** Settings by name; a single one given beside a preset wins. */
export const KMEANS_PRESETS = {
	/** As NanoIndex trains: at most 10 iterations over at most 10,000 rows from a random start, empty cells moved to random rows. */
	nanoindex: {
		init: "sample",
		iterations: 10,
		tolerance: 1e-4,
		maxPoints: 10_000,
		maxPointsPerCentroid: KMEANS_BOUNDS.maxPointsPerCentroid.max,
		repair: "random",
	},
} as const satisfies Record<string, Partial<KMeansOptions>>;

export type KMeansPreset = keyof typeof KMEANS_PRESETS;

export interface KMeansOptions {
	/** How many centroids, 1 to 1,048,576. */
	readonly k: number;
	readonly preset?: KMeansPreset;
	/** Seed of every draw, 0 to 4,294,967,295, default 42. The same rows and options give the same centroids, on any number of threads. */
	readonly seed?: number;
	/** Where the centroids start: far apart (default), or at rows drawn without replacement: sooner, and less often good. */
	readonly init?: KMeansInit;
	/** Passes over the training rows at most, 1 to 1,000, default 10. */
	readonly iterations?: number;
	/** Stop when every centroid moved less (Euclidean, in the rows' units), from 0, default 0.0001. It also stops when no row changes its cell. */
	readonly tolerance?: number;
	/** Rows to train on for each centroid at most, from 1, default 256: beyond, a sample is drawn. */
	readonly maxPointsPerCentroid?: number;
	/** Rows to train on in all at most, from 1. Default: as many as `maxPointsPerCentroid` allows. */
	readonly maxPoints?: number;
	/** Move the centroids after every so many rows (mini-batch k-means) rather than after all: fewer passes for large sets, less dense cells. */
	readonly batch?: number;
	/** Bring centroids to length 1: for rows of length 1 that are compared by their angle. Default false. */
	readonly spherical?: boolean;
	/** What becomes of an empty cell: half of a large one (default), or a random row. */
	readonly repair?: KMeansRepair;
	/** Threads; the arena must be shared where there are several. */
	readonly parallel?: Parallel;
	/** Ends the training between two iterations (with mini-batches, between two batches) with `ABORTED`. */
	readonly signal?: AbortSignal;
	/** Called after every iteration. */
	readonly onProgress?: (iteration: number, iterations: number) => void;
}

/** The options that are settings, filled in. */
export interface KMeansParameters {
	readonly k: number;
	readonly seed: number;
	readonly init: KMeansInit;
	readonly iterations: number;
	readonly tolerance: number;
	readonly maxPointsPerCentroid: number;
	readonly maxPoints: number | undefined;
	readonly batch: number | undefined;
	readonly spherical: boolean;
	readonly repair: KMeansRepair;
}

const NAMES = [
	"k",
	"preset",
	"seed",
	"init",
	"iterations",
	"tolerance",
	"maxPointsPerCentroid",
	"maxPoints",
	"batch",
	"spherical",
	"repair",
	"parallel",
	"signal",
	"onProgress",
] as const satisfies readonly (keyof KMeansOptions)[];

/**
 * Fills in what was left out and checks the whole.
 *
 * @throws NighError `INVALID_OPTION`, whose details hold the field.
 */
export function resolveKMeans(options: KMeansOptions): KMeansParameters {
	checkOptions(options, NAMES, "trainKMeans");
	const preset = presetOf(options.preset);
	/** What was asked for, else what the preset says, else the default. What is not `undefined` is checked, not replaced. */
	function given<T>(name: Exclude<keyof KMeansOptions, "k">, fallback: T): T {
		const value = options[name] === undefined ? preset[name] : options[name];
		return value === undefined ? fallback : (value as T);
	}
	const integer = (name: "seed" | "iterations" | "maxPointsPerCentroid") =>
		checkInteger(name, given(name, KMEANS_BOUNDS[name].default), KMEANS_BOUNDS[name]);
	const optional = (name: "maxPoints" | "batch") => {
		const value = given<unknown>(name, undefined);
		return value === undefined ? undefined : checkInteger(name, value, KMEANS_BOUNDS[name]);
	};
	return {
		k: checkInteger("k", options.k, KMEANS_BOUNDS.k),
		seed: integer("seed"),
		init: checkName("init", given("init", "kmeans++"), INITS),
		iterations: integer("iterations"),
		tolerance: checkBound("tolerance", given("tolerance", KMEANS_BOUNDS.tolerance.default), KMEANS_BOUNDS.tolerance),
		maxPointsPerCentroid: integer("maxPointsPerCentroid"),
		maxPoints: optional("maxPoints"),
		batch: optional("batch"),
		spherical: checkFlag("spherical", given("spherical", false)),
		repair: checkName("repair", given("repair", "split"), REPAIRS),
	};
}

function presetOf(name: KMeansPreset | undefined): Partial<KMeansOptions> {
	if (name === undefined) return {};
	return KMEANS_PRESETS[checkName("preset", name, Object.keys(KMEANS_PRESETS) as KMeansPreset[])];
}

function checkName<N extends string>(field: string, value: string, names: readonly N[]): N {
	const known = names.find((name) => name === value);
	if (known !== undefined) return known;
	throw new NighError("INVALID_OPTION", `${field} is one of ${names.join(", ")}, not ${JSON.stringify(value)}`, {
		field,
		value,
	});
}

function checkFlag(field: string, value: unknown): boolean {
	if (typeof value === "boolean") return value;
	throw new NighError("INVALID_OPTION", `${field} is true or false, not ${JSON.stringify(value)}`, { field, value });
}
