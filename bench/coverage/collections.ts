import type { DistributionName, QueryKind } from "./distributions.ts";

/** One index with the queries that it is asked. */
export interface Collection {
	readonly name: string;
	readonly kind: "hnsw" | "ivf" | "ivfpq" | "ivfrabitq";
	readonly metric: "l2" | "cosine" | "ip";
	/** A distribution, or a set of the data folder. */
	readonly rows: DistributionName | RealSet;
	/** Where the queries of a distribution come from. */
	readonly queries: QueryKind;
	readonly n: number;
	readonly dimensions: number;
	readonly ks: readonly number[];
	/** Links of a graph. */
	readonly M: number;
	readonly seed: number;
}

/** Sets of the data folder; skipped by name where they are not there. */
export const REAL_SETS = ["fashion-mnist-784", "squad-sif-300d"] as const;

export type RealSet = (typeof REAL_SETS)[number];

export function isRealSet(name: string): name is RealSet {
	return (REAL_SETS as readonly string[]).includes(name);
}

const ALL = [1, 10, 100];
const FEW = [1, 10];
const TEN = [10];

type Row = readonly [
	kind: Collection["kind"],
	metric: Collection["metric"],
	rows: Collection["rows"],
	queries: QueryKind,
	n: number,
	dimensions: number,
	ks: readonly number[],
	M?: number,
];

const ROWS: readonly Row[] = [
	["hnsw", "l2", "mixture", "same", 10_000, 128, ALL, 6],
	["hnsw", "l2", "mixture", "same", 20_000, 64, TEN, 8],
	["hnsw", "cosine", "mixture", "same", 10_000, 384, FEW],
	["hnsw", "cosine", "mixture", "same", 6_000, 768, TEN],
	["hnsw", "ip", "mixture", "same", 10_000, 96, TEN],
	["hnsw", "l2", "mixture", "shifted", 10_000, 128, TEN, 8],
	["hnsw", "l2", "mixture", "between", 10_000, 128, TEN],
	["hnsw", "l2", "mixture", "other", 10_000, 128, FEW],
	["hnsw", "cosine", "mixture", "other", 6_000, 256, ALL, 8],
	["hnsw", "l2", "uniform", "same", 10_000, 16, ALL],
	["hnsw", "l2", "uniform", "same", 4_000, 32, TEN],
	["hnsw", "l2", "uniform", "shifted", 10_000, 16, TEN],
	["hnsw", "l2", "gaussian", "same", 10_000, 16, FEW, 8],
	["hnsw", "cosine", "gaussian", "same", 3_000, 48, TEN],
	["hnsw", "l2", "clusters", "same", 10_000, 64, ALL, 8],
	["hnsw", "l2", "clusters", "between", 10_000, 64, TEN],
	["hnsw", "l2", "clusters", "other", 6_000, 128, TEN, 8],
	["hnsw", "l2", "spectrum", "same", 10_000, 256, FEW],
	["hnsw", "cosine", "spectrum", "same", 6_000, 512, TEN],
	["hnsw", "cosine", "sparse", "same", 4_000, 200, TEN],
	["hnsw", "l2", "surface", "same", 20_000, 96, ALL, 4],
	["hnsw", "l2", "surface", "shifted", 10_000, 96, TEN, 4],
	["hnsw", "l2", "duplicates", "same", 10_000, 64, ALL, 8],
	["hnsw", "cosine", "duplicates", "between", 6_000, 128, FEW, 8],
	["hnsw", "l2", "outliers", "same", 10_000, 64, FEW],
	["hnsw", "l2", "outliers", "other", 6_000, 256, TEN],
	["hnsw", "ip", "lengths", "same", 6_000, 24, FEW],
	["hnsw", "l2", "grid", "same", 10_000, 32, ALL],
	["ivf", "l2", "mixture", "same", 10_000, 64, ALL],
	["ivf", "cosine", "mixture", "other", 10_000, 256, TEN],
	["ivf", "l2", "duplicates", "same", 10_000, 64, TEN],
	["ivf", "l2", "uniform", "same", 10_000, 16, FEW],
	["ivfpq", "l2", "mixture", "same", 20_000, 64, FEW],
	["ivfpq", "cosine", "mixture", "between", 10_000, 256, TEN],
	["ivfpq", "l2", "outliers", "same", 10_000, 128, TEN],
	["ivfrabitq", "l2", "mixture", "same", 20_000, 64, FEW],
	["ivfrabitq", "cosine", "clusters", "same", 10_000, 256, TEN],
	["ivfrabitq", "l2", "spectrum", "shifted", 6_000, 128, TEN],
	["hnsw", "l2", "fashion-mnist-784", "same", 10_000, 784, FEW],
	["ivf", "l2", "fashion-mnist-784", "same", 10_000, 784, TEN],
	["hnsw", "cosine", "squad-sif-300d", "same", 20_000, 300, FEW],
	["ivfrabitq", "cosine", "squad-sif-300d", "same", 20_000, 300, TEN],
];

/** All that the full run is about. */
export const COLLECTIONS: readonly Collection[] = ROWS.map(
	([kind, metric, rows, queries, n, dimensions, ks, M = 16], i) => ({
		name: `${kind}-${rows}${queries === "same" ? "" : `-${queries}`}-${n}x${dimensions}-${metric}`,
		kind,
		metric,
		rows,
		queries,
		n,
		dimensions,
		ks,
		M,
		seed: 100 + i,
	}),
);
