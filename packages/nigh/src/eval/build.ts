import { createFlat, createHnsw, type VectorIndex } from "@nigh/index";
import { createPool, type ThreadPool } from "@nigh/threads";
import { asUsage } from "../terminal/usage-error.ts";
import type { FloatMetric } from "./exact-distance.ts";
import type { Vectors } from "./load.ts";
import type { OperatingPoint } from "./report.ts";
import type { BuildParameters, IndexName } from "./settings.ts";

export interface BuildOptions {
	readonly index: IndexName;
	readonly metric: FloatMetric;
	readonly build: BuildParameters;
	readonly threads: number;
}

export type OnProgress = (done: number, total: number) => void;

export interface BuiltIndex {
	readonly index: VectorIndex;
	/** Seconds of `insertMany`, and of `optimize` where there is one. */
	readonly seconds: number;
}

/**
 * Refuses parameters that the index does not take, before a file is read for it: an empty index is made and given up.
 *
 * @throws UsageError.
 */
export function checkBuild(options: BuildOptions): void {
	asUsage(() => emptyIndex(options, 8).dispose());
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

/** The settings in force that tell one build from another: what was asked for, and the defaults of the usual ones. */
export function buildParameters(index: VectorIndex, { preset, mL }: BuildParameters): OperatingPoint["params"] {
	const effective = index.effective();
	const names = index.kind === "flat" ? ["codes"] : ["M", "efConstruction", "codes", "seed"];
	if (mL !== undefined) names.push("mL");
	const params: Record<string, number | string> = preset === undefined ? {} : { preset };
	for (const name of names) {
		const value = effective[name];
		if (typeof value === "number" || typeof value === "string") params[name] = value;
	}
	return params;
}

async function fill(
	options: BuildOptions,
	base: Vectors,
	insert: Parameters<VectorIndex["insertMany"]>[1],
): Promise<BuiltIndex> {
	const index = emptyIndex(options, base.dimensions);
	const start = performance.now();
	await index.insertMany(base.values, insert);
	if ("optimize" in index) index.optimize();
	return { index, seconds: (performance.now() - start) / 1_000 };
}

function emptyIndex({ index, metric, build, threads }: BuildOptions, dimensions: number) {
	if (index === "hnsw") return createHnsw({ dimensions, metric, ...build, shared: threads > 1 });
	const { codes } = build;
	return createFlat({ dimensions, metric, ...(codes !== undefined && { codes }) });
}
