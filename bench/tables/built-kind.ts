import type { Metric } from "@nigh/contract";
import {
	createFlat,
	createHnsw,
	createIvf,
	type EstimateOptions,
	estimateMemory,
	IvfIndex,
	type IvfParameterOptions,
	type MemoryReport,
	PQ_PROFILES,
	type PqProfile,
	type VectorIndex,
} from "@nigh/index";

/** An index as it is asked for: what the tables of kinds compare. */
export interface Contender {
	readonly name: string;
	readonly options: { readonly kind: "flat" | "hnsw" } | IvfParameterOptions;
}

/** Every kind, and what their settings make of them. */
export const CONTENDERS = {
	flat: { name: "flat", options: { kind: "flat" } },
	hnsw: { name: "hnsw", options: { kind: "hnsw" } },
	ivf: { name: "ivf", options: { kind: "ivf" } },
	ivfpq: { name: "ivfpq", options: { kind: "ivfpq" } },
	memory: { name: "ivfpq, memory", options: { kind: "ivfpq", profile: "memory" } },
	accuracy: { name: "ivfpq, accuracy", options: { kind: "ivfpq", profile: "accuracy" } },
	speed: { name: "ivfpq, speed", options: { kind: "ivfpq", profile: "speed" } },
	rabitq1: { name: "ivfrabitq, 1 bit", options: { kind: "ivfrabitq", bits: 1 } },
	rabitq4: { name: "ivfrabitq, 4 bits", options: { kind: "ivfrabitq", bits: 4 } },
} as const satisfies Readonly<Record<string, Contender>>;

/** Vectors to build over. */
export interface Rows {
	readonly base: Float32Array;
	readonly n: number;
	readonly dimensions: number;
	readonly metric: Metric;
}

export interface BuiltKind {
	readonly name: string;
	readonly index: VectorIndex;
	/** Seconds of the training of cells and codes, 0 where there are none. */
	readonly trainSeconds: number;
	/** Seconds of all: training, insertion, and compaction or renumbering. */
	readonly buildSeconds: number;
	/** Before anything was searched. */
	readonly memory: MemoryReport;
	/** Bytes of code alone for each vector. */
	readonly codeBytes: number;
	/** Bytes of everything by the formulas, as told before the index was there. */
	readonly estimated: number;
	/** The same where training has told how many axes it keeps. */
	readonly estimatedAfter: number;
}

/** Builds an index on this thread, as a user does. */
export async function buildKind({ name, options }: Contender, rows: Rows): Promise<BuiltKind> {
	const { base, n, dimensions, metric } = rows;
	const fitted = withDivisor(options, dimensions);
	const shape = { dimensions, metric };
	const index = emptyIndex(fitted, shape);
	const start = performance.now();
	if (index instanceof IvfIndex) await index.train(base);
	const trained = performance.now();
	await index.insertMany(base);
	if ("optimize" in index) index.optimize();
	else index.compact();
	const end = performance.now();
	const { width } = index.effective() as { width?: number };
	const keepsAxes = width !== undefined && index.kind !== "ivfrabitq";
	const asked = { ...fitted, ...shape, n } as EstimateOptions;
	const after = estimateMemory(keepsAxes ? ({ ...asked, width } as EstimateOptions) : asked);
	return {
		name,
		index,
		trainSeconds: index instanceof IvfIndex ? (trained - start) / 1_000 : 0,
		buildSeconds: (end - start) / 1_000,
		memory: index.memory(),
		codeBytes: after.codeBytesPerVector,
		estimated: estimateMemory(asked).total,
		estimatedAfter: after.total,
	};
}

function emptyIndex(options: Contender["options"], shape: { dimensions: number; metric: Metric }) {
	if (options.kind === "flat") return createFlat(shape);
	if (options.kind === "hnsw") return createHnsw(shape);
	return createIvf({ ...(options as IvfParameterOptions), ...shape });
}

/** A profile's M, or the next larger number that divides the dimensions, as it has to. */
function withDivisor(options: Contender["options"], dimensions: number): Contender["options"] {
	const M = "profile" in options && options.profile !== undefined ? profileM(options.profile, dimensions) : undefined;
	return M === undefined ? options : ({ ...options, M } as IvfParameterOptions);
}

/** Sub-quantisers that a profile gets over so many dimensions. */
export function profileM(profile: PqProfile, dimensions: number): number {
	let { M }: { M: number } = PQ_PROFILES[profile];
	while (dimensions % M !== 0) M++;
	return M;
}
