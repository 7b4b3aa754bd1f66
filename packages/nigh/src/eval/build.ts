import { NighError } from "@nigh/contract";
import {
	chooseNlist,
	createFlat,
	createHnsw,
	createIvf,
	IVF_BOUNDS,
	IvfIndex,
	type IvfWarning,
	type Parallel,
	PQ_PROFILES,
	resolveIvfParameters,
	type VectorIndex,
} from "@nigh/index";
import { createPool, type ThreadPool } from "@nigh/threads";
import { asUsage } from "../terminal/usage-error.ts";
import { type KeptVectors, keepVectors } from "./kept-vectors.ts";
import type { Vectors } from "./load.ts";
import type { OperatingPoint } from "./report.ts";
import type { BuildParameters, EvalSettings, SearchParameters } from "./settings.ts";

export type BuildOptions = Pick<EvalSettings, "index" | "metric" | "build" | "threads">;

export type OnProgress = (done: number, total: number) => void;

export interface BuiltIndex {
	readonly index: VectorIndex;
	/** Seconds of all of it: `train` where there are cells, `insertMany`, and `optimize` or `compact`. */
	readonly seconds: number;
	/** Of an index with cells: seconds of `train`, and of the rest. */
	readonly parts?: { readonly training: number; readonly insertion: number };
	/** The vectors, where the index does not hold them. */
	readonly kept?: KeptVectors;
	/** What training warns of. */
	readonly warnings: readonly IvfWarning[];
}

/**
 * Refuses parameters that the index does not take, before a file is read for it: an empty index is made and given up.
 *
 * @throws UsageError.
 */
export function checkBuild(options: BuildOptions): void {
	asUsage(() => emptyIndex(options, dimensionsFor(options.build)).dispose());
}

/** M, whether given or that of a profile, must divide the dimensions, which nobody knows before the files are read: these it divides. */
function dimensionsFor({ M, profile }: BuildParameters): number {
	const asked = M ?? (profile === undefined ? 1 : PQ_PROFILES[profile].M);
	return 8 * Math.max(1, Math.min(IVF_BOUNDS.M.max, Math.floor(asked)));
}

/** Builds the index over the base, on as many threads as asked for. Ctrl-C ends the threads and fails with `ABORTED`. */
export async function buildIndex(options: BuildOptions, base: Vectors, onProgress: OnProgress): Promise<BuiltIndex> {
	if (options.threads === 1) return fill(options, base, { onProgress });
	const interrupt = new AbortController();
	const onInterrupt = () => interrupt.abort();
	process.once("SIGINT", onInterrupt);
	let pool: ThreadPool | undefined;
	try {
		pool = await createPool({ threads: options.threads });
		return await fill(options, base, { onProgress, parallel: pool, signal: interrupt.signal });
	} finally {
		await pool?.close();
		process.off("SIGINT", onInterrupt);
	}
}

/**
 * Refuses cells to look into that there will not be, before they are trained.
 *
 * @throws NighError `INVALID_OPTION`.
 */
export function checkSearches(
	{ index, metric, build, searches }: EvalSettings,
	{ count: n, dimensions }: Vectors,
): void {
	if (index === "flat" || index === "hnsw") return;
	const parameters = resolveIvfParameters({ kind: index, dimensions, metric, ...build });
	const { nlist } = chooseNlist(parameters.nlist, n);
	for (const { nprobe = 1 } of searches) {
		if (nprobe <= nlist) continue;
		throw new NighError(
			"INVALID_OPTION",
			`nprobe is ${nprobe}, but ${n} vectors get ${nlist} cells: choose at most as many, or a larger nlist.`,
			{ field: "nprobe", value: nprobe, bound: { min: 1, max: nlist } },
		);
	}
}

/** The settings in force that tell one build from another: what was asked for, and the defaults of the usual ones. */
export function buildParameters(index: VectorIndex, build: BuildParameters): OperatingPoint["params"] {
	const effective = index.effective();
	const params: Record<string, number | string | boolean> = {};
	for (const name of ["preset", "profile", "storage"] as const)
		if (build[name] !== undefined) params[name] = build[name];
	for (const name of [...SHOWN[index.kind], ...(build.mL === undefined ? [] : ["mL"])]) {
		const value = effective[name];
		if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") params[name] = value;
	}
	return params;
}

const SHOWN: Readonly<Record<VectorIndex["kind"], readonly string[]>> = {
	flat: ["codes"],
	hnsw: ["M", "efConstruction", "codes", "seed"],
	ivf: ["nlist", "rotation", "codes", "seed"],
	ivfpq: ["nlist", "M", "bits", "rotation", "residual", "seed"],
	ivfrabitq: ["nlist", "bits", "epsilon", "seed"],
};

/** A search as it is shown, with what the index fills in. */
export function searchParameters(index: VectorIndex, search: SearchParameters): OperatingPoint["params"] {
	if (!(index instanceof IvfIndex)) return { ...search };
	const { nprobe } = index.effective() as { nprobe: number };
	return { nprobe, ...search };
}

async function fill(
	options: BuildOptions,
	base: Vectors,
	{
		onProgress,
		...work
	}: { readonly onProgress: OnProgress; readonly parallel?: Parallel; readonly signal?: AbortSignal },
): Promise<BuiltIndex> {
	const index = emptyIndex(options, base.dimensions);
	const start = performance.now();
	const secondsSince = (from: number) => (performance.now() - from) / 1_000;
	if (!(index instanceof IvfIndex)) {
		await index.insertMany(base.values, { onProgress, ...work });
		if ("optimize" in index) index.optimize();
		return { index, seconds: secondsSince(start), warnings: [] };
	}
	const { warnings } = await index.train(base.values, { onProgress, ...work });
	const trained = performance.now();
	await index.insertMany(base.values, { onProgress, ...work });
	index.compact();
	const parts = { training: (trained - start) / 1_000, insertion: secondsSince(trained) };
	const kept = index.storage === "disk" ? { kept: await keepVectors(base.values, { ...options, ...base }) } : {};
	return { index, seconds: parts.training + parts.insertion, parts, warnings, ...kept };
}

/** The parameters are those of the kind: the command line has been checked for others. */
function emptyIndex({ index, metric, build, threads }: BuildOptions, dimensions: number) {
	if (index === "flat") return createFlat({ dimensions, metric, ...build });
	const shape = { dimensions, metric, shared: threads > 1 };
	if (index === "hnsw") return createHnsw({ ...shape, ...build });
	return createIvf({ kind: index, ...shape, ...build });
}
