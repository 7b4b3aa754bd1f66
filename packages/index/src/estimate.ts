import { BOUNDS, checkInteger, checkOptions, type Metric, NighError } from "@nigh/contract";
import { MAX_ARENA_BYTES } from "@nigh/kernels";
import { type FlatEstimateOptions, flatParts } from "./flat/estimate.ts";
import { type HnswEstimateOptions, hnswParts } from "./hnsw/estimate.ts";
import { HNSW_BOUNDS } from "./hnsw/parameters.ts";
import { type IvfEstimateOptions, ivfParts } from "./ivf/estimate.ts";
import { IVF_NAMES } from "./ivf/parameters.ts";
import { type MemoryParts, TABLE_BYTES } from "./memory-parts.ts";
import { checkMetric } from "./spec.ts";

export type EstimateOptions = {
	/** Vectors that the index is to hold. */
	readonly n: number;
	/** Length of every vector; bits under hamming. */
	readonly dimensions: number;
	readonly metric: Metric;
	/** Bytes of an id that the caller keeps for each vector, 0 to 65,536; the index itself keeps labels. Default: 0. */
	readonly idBytes?: number;
} & (FlatEstimateOptions | HnswEstimateOptions | IvfEstimateOptions);

/** Bytes that an index would take. Those of each part, then sums; what searches and inserts work in, and training for a while, comes on top. */
export interface MemoryEstimate extends Omit<MemoryParts, "settings"> {
	readonly kind: EstimateOptions["kind"];
	readonly n: number;
	readonly dimensions: number;
	readonly metric: Metric;
	/** What the parameters come to, with every default filled in. */
	readonly settings: MemoryParts["settings"];
	/** Everything that is there for searching: codes, ids, centroids, codebooks, links, slack. */
	readonly index: number;
	/** index + vectors; what is {@link onDisk} is not in it. */
	readonly total: number;
	/** {@link total} for each vector. */
	readonly bytesPerVector: number;
	/**
	 * The bytes of the vectors as floats (or bits) over what they are compared with: `codes` is what compression figures quote, and leaves out all that
	 * an index has beside codes; `index` is without the vectors, `total` with them, as re-ranking needs them. `codes` is `undefined` where there are none.
	 */
	readonly ratio: { readonly codes: number | undefined; readonly index: number; readonly total: number };
	/** Whether it fits, without what is {@link onDisk}, in one WebAssembly memory, which ends at 4 GiB. */
	readonly fits: boolean;
	/** The most vectors that would. */
	readonly mostVectors: number;
}

const COMMON = ["kind", "n", "dimensions", "metric", "idBytes", "codes"] as const;
const ID_BYTES = { min: 0, max: 65_536, integer: true, default: 0, unit: "bytes" } as const;

/** What each kind takes besides. */
const NAMES: Readonly<Record<EstimateOptions["kind"], readonly string[]>> = {
	flat: [],
	hnsw: ["preset", "M", "efConstruction", "ef", "mL", "seed", "maxElements"],
	ivf: [...IVF_NAMES, "capacity", "width"],
	ivfpq: [...IVF_NAMES, "capacity", "width"],
	ivfrabitq: [...IVF_NAMES, "capacity"],
};

/**
 * The memory of an index before it is built, by the formulas of the layouts: for an index that has been built and compacted (`optimize` in HNSW), whose parts
 * `memory()` measures.
 *
 * @throws NighError `INVALID_OPTION`, `UNSUPPORTED` as the function that creates the index.
 */
export function estimateMemory(options: EstimateOptions): MemoryEstimate {
	const { kind, n, dimensions, metric } = options;
	checkShape(options);
	const idBytes = checkInteger("idBytes", options.idBytes ?? ID_BYTES.default, ID_BYTES);
	const { ids: ownIds, settings, ...parts } = partsOf(options, n);
	const ids = ownIds + n * idBytes;
	const { codes, centroids, codebooks, links, slack, vectors, codeBytesPerVector } = parts;
	const index = codes + ids + centroids + codebooks + links + slack;
	const total = index + vectors;
	const raw = metric === "hamming" ? dimensions / 8 : 4 * dimensions;
	return {
		kind,
		n,
		dimensions,
		metric,
		settings,
		...parts,
		ids,
		index,
		total,
		bytesPerVector: total / n,
		ratio: {
			codes: codeBytesPerVector === 0 ? undefined : raw / codeBytesPerVector,
			index: (n * raw) / index,
			total: (n * raw) / total,
		},
		fits: fits(options, n),
		mostVectors: mostVectors(options),
	};
}

function checkShape({ kind, n, dimensions, metric, ...others }: EstimateOptions): void {
	if (!Object.hasOwn(NAMES, kind)) {
		throw new NighError(
			"INVALID_OPTION",
			`kind is one of ${Object.keys(NAMES).join(", ")}, not ${JSON.stringify(kind)}`,
			{ field: "kind", value: kind },
		);
	}
	checkOptions({ kind, n, dimensions, metric, ...others }, [...COMMON, ...NAMES[kind]], "an estimate");
	if (checkMetric(metric)) {
		throw new NighError(
			"UNSUPPORTED",
			"an estimate is of a named metric; one of your own takes what l2 does without codes",
			{
				field: "metric",
			},
		);
	}
	checkInteger("n", n, BOUNDS.maxRecords);
	checkInteger("dimensions", dimensions, metric === "hamming" ? BOUNDS.bits : BOUNDS.dimensions);
	const { capacity, width } = others as Partial<IvfEstimateOptions>;
	if (capacity !== undefined) checkInteger("capacity", capacity, BOUNDS.maxRecords);
	if (width !== undefined) checkInteger("width", width, { min: 1, max: dimensions });
}

function partsOf(options: EstimateOptions, n: number): MemoryParts {
	if (options.kind === "flat") return flatParts(options, n);
	return options.kind === "hnsw" ? hnswParts(options, n) : ivfParts(options, n);
}

function fits(options: EstimateOptions, n: number): boolean {
	const { codes, ids, centroids, codebooks, links, slack, vectors } = partsOf(options, n);
	return codes + ids + centroids + codebooks + links + slack + vectors - n * TABLE_BYTES <= MAX_ARENA_BYTES;
}

/** By bisection: cells, and with them centroids, grow with the vectors in steps, but the whole never shrinks by as much as one vector adds. */
function mostVectors(options: EstimateOptions): number {
	let [least, beyond]: [number, number] = [0, HNSW_BOUNDS.maxElements.max + 1];
	while (beyond - least > 1) {
		const n = Math.floor((least + beyond) / 2);
		if (fits(options, n)) least = n;
		else beyond = n;
	}
	return least;
}
