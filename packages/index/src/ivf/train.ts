import { NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import { isCollapsed, type KMeansReport } from "../kmeans/report.ts";
import { trainKMeans } from "../kmeans/train.ts";
import type { Parallel } from "../parallel.ts";
import { learnProjection } from "../projection/learn-projection.ts";
import { rowsForAxes } from "../projection/principal-axes.ts";
import { Projection, projectRows } from "../projection/projection.ts";
import type { RabitqMetric } from "../rabitq/parameters.ts";
import type { RowFormat } from "../rows/row-format.ts";
import { Coarse } from "./coarse.ts";
import type { Learnt } from "./learnt.ts";
import { chooseNlist, type NlistChoice } from "./nlist.ts";
import { type IvfParameters, partWidth, ROWS_PER_ENTRY } from "./parameters.ts";
import type { ProductCodes } from "./product-codes.ts";
import { RabitqCells } from "./rabitq-cells.ts";
import { type ProductReport, trainProduct } from "./train-product.ts";

/** Rows to train cells on, for each. */
const ROWS_PER_CELL = 64;
/** Rows whose principal axes are looked for. */
const AXES_ROWS = 16_384;
/** Rows that are projected at a time. */
const STEP = 1_024;
/** Axes are kept in so many. */
export const AXES_STEP = 16;

/** Rows to learn from. `write` puts row `i`, as it is stored, at an address of the arena. */
export interface TrainingRows {
	readonly n: number;
	write(i: number, address: number): void;
}

export interface TrainOptions {
	/** Vectors that are to be held, for which cells are counted. Default: as many as there are rows. */
	readonly vectors?: number | undefined;
	/** Vectors there may be one day. Default: `vectors`. */
	readonly capacity?: number | undefined;
	readonly parallel?: Parallel | undefined;
	readonly signal?: AbortSignal | undefined;
	readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface IvfWarning {
	readonly code: "fewer-rows-than-cells" | "few-rows-for-cells" | "few-rows-for-codes" | "few-distinct";
	readonly message: string;
}

/** What a training has come to. */
export interface TrainingReport {
	/** Which rule chose how many cells, for how many vectors. */
	readonly nlist: NlistChoice;
	/** Rows that were given. */
	readonly rows: number;
	readonly cells: KMeansReport;
	/** Axes that cells and codes see, of all dimensions, and the share of all variance that lies along them; where rows are turned. */
	readonly projection: { readonly width: number; readonly energy: number } | undefined;
	readonly product: ProductReport | undefined;
	readonly warnings: readonly IvfWarning[];
}

/**
 * Learns projection, cells and codes from rows; takes nothing over.
 *
 * @throws NighError `NOT_TRAINED` where the rows teach nothing: the training collapsed (details hold distinctCentroids, nonEmptyCells and
 * nlist); `ABORTED`, `MEMORY_LIMIT`.
 */
export async function trainIvf(
	arena: Arena,
	format: RowFormat,
	parameters: IvfParameters,
	rows: TrainingRows,
	options: TrainOptions,
): Promise<{ learnt: Learnt; report: TrainingReport }> {
	if (rows.n === 0) {
		throw new NighError("NOT_TRAINED", "there are no rows to train on: give some, at least 39 for each cell", {
			rows: 0,
		});
	}
	const vectors = options.vectors ?? rows.n;
	const choice = chooseNlist(parameters.nlist, vectors, options.capacity);
	const nlist = Math.min(choice.nlist, Math.max(1, rows.n));
	const { projection, energy } = await learnAxes(arena, format, parameters, rows, options);
	let centroids = 0;
	let coarse: Coarse | undefined;
	let product: ProductCodes | undefined;
	let rabitq: RabitqCells | undefined;
	let sample: Sample | undefined;
	try {
		sample = await takeSample(arena, format, projection, rows, sampleSize(rows.n, nlist, parameters), options.signal);
		const points = { ...sample, stride: projection.bytes, bytes: projection.bytes, dimensions: projection.width };
		const { parallel, signal, onProgress } = options;
		const trained = await trainKMeans(arena, points, {
			k: nlist,
			seed: parameters.seed,
			maxPointsPerCentroid: ROWS_PER_CELL,
			spherical: format.metric === "cosine" && projection.matrix === 0,
			...(parallel !== undefined && { parallel }),
			...(signal !== undefined && { signal }),
			...(onProgress !== undefined && { onProgress }),
		});
		arena.free(trained.assign ?? 0);
		centroids = trained.centroids.address;
		if (isCollapsed(trained.report)) throw collapsed(trained.report);
		coarse = new Coarse(arena, projection, centroids, nlist, format.metricCode);
		let report: ProductReport | undefined;
		if (parameters.kind === "ivfpq") {
			const made = await trainProduct(arena, coarse, points, parameters, format.metric === "ip", options);
			product = made.codes;
			report = made.report;
		}
		if (parameters.kind === "ivfrabitq") rabitq = rabitqOf(arena, format, parameters);
		const warnings = warningsOf(choice, nlist, trained.report, report);
		return {
			learnt: { choice: { ...choice, nlist, vectorsPerCell: choice.n / nlist }, coarse, product, rabitq },
			report: {
				nlist: { ...choice, nlist, vectorsPerCell: choice.n / nlist },
				rows: rows.n,
				cells: trained.report,
				projection: projection.matrix === 0 ? undefined : { width: projection.width, energy },
				product: report,
				warnings,
			},
		};
	} catch (error) {
		product?.dispose();
		rabitq?.dispose();
		if (coarse !== undefined) coarse.dispose();
		else {
			arena.free(centroids);
			projection.dispose();
		}
		throw error;
	} finally {
		arena.free(sample?.address ?? 0);
	}
}

async function learnAxes(
	arena: Arena,
	format: RowFormat,
	{ rotation, M, seed }: IvfParameters,
	rows: TrainingRows,
	{ parallel, signal }: TrainOptions,
) {
	const { dimensions } = format;
	if (rotation === "none") return { projection: new Projection(arena, dimensions, 0), energy: 1 };
	const n = rowsForAxes(dimensions, Math.min(rows.n, AXES_ROWS));
	const address = arena.alloc(n * format.bytes);
	try {
		for (let i = 0; i < n; i++) rows.write(Math.floor((i * rows.n) / n), address + i * format.bytes);
		const multipleOf = M ?? Math.min(AXES_STEP, dimensions);
		const groupOf = M === undefined ? partWidth(multipleOf) : dimensions / M;
		const width = M === undefined ? undefined : dimensions;
		return await learnProjection(
			arena,
			{ address, stride: format.bytes, n, dimensions },
			{ width, multipleOf, groupOf, seed },
			{ parallel, check: () => throwIfAborted(signal) },
		);
	} finally {
		arena.free(address);
	}
}

function throwIfAborted(signal: AbortSignal | undefined): void {
	if (!signal?.aborted) return;
	throw new NighError("ABORTED", "aborted while the axes of the rows were looked for", {}, { cause: signal.reason });
}

/** The RaBitQ codes of cells with these centroids. */
export function rabitqOf(
	arena: Arena,
	{ dimensions, metric }: RowFormat,
	{ bits, epsilon, seed }: IvfParameters,
): RabitqCells {
	const options = {
		dimensions,
		metric: metric as RabitqMetric,
		bits: bits as number,
		epsilon: epsilon as number,
		seed,
	};
	return new RabitqCells(arena, options);
}

function sampleSize(n: number, nlist: number, { kind, bits }: IvfParameters): number {
	const forCodes = kind === "ivfpq" ? ROWS_PER_ENTRY * 2 ** (bits as number) : 0;
	return Math.min(n, Math.max(nlist * ROWS_PER_CELL, forCodes));
}

interface Sample {
	readonly address: number;
	readonly n: number;
}

/** Rows at even distances, projected. */
async function takeSample(
	arena: Arena,
	format: RowFormat,
	projection: Projection,
	rows: TrainingRows,
	n: number,
	signal: AbortSignal | undefined,
): Promise<Sample> {
	const address = arena.alloc(n * projection.bytes);
	const isTurned = projection.matrix !== 0;
	let step = 0;
	try {
		step = isTurned ? arena.alloc(STEP * format.bytes) : 0;
		for (let from = 0; from < n; from += STEP) {
			throwIfAborted(signal);
			const count = Math.min(STEP, n - from);
			for (let i = 0; i < count; i++) {
				const to = isTurned ? step + i * format.bytes : address + (from + i) * format.bytes;
				rows.write(Math.floor(((from + i) * rows.n) / n), to);
			}
			if (isTurned) projectRows(arena, projection, step, format.bytes, count, address + from * projection.bytes);
		}
		return { address, n };
	} catch (error) {
		arena.free(address);
		throw error;
	} finally {
		arena.free(step);
	}
}

function collapsed({ k, distinctCentroids, occupancy, trainedOn }: KMeansReport): NighError {
	const nonEmptyCells = k - occupancy.empty;
	return new NighError(
		"NOT_TRAINED",
		`the training has collapsed: of ${k} cells ${distinctCentroids} have a centroid of their own and ${nonEmptyCells} have vectors. The ${trainedOn} vectors it saw are too much alike; train on ones that differ, ask for fewer cells, or use a flat or HNSW index.`,
		{ distinctCentroids, nonEmptyCells, nlist: k, trainedOn },
	);
}

function warningsOf(
	choice: NlistChoice,
	nlist: number,
	cells: KMeansReport,
	product: ProductReport | undefined,
): IvfWarning[] {
	const warnings: IvfWarning[] = [];
	const asked = choice.asked ?? choice.nlist;
	if (nlist < asked) {
		warnings.push({
			code: "fewer-rows-than-cells",
			message: `${asked} cells were asked for and there are ${choice.asked === undefined ? `${cells.points} rows to train on` : `${choice.n} vectors`}: ${nlist} were made. Train again once there are more.`,
		});
	}
	for (const { code, message } of cells.warnings) {
		if (code === "fewPoints") warnings.push({ code: "few-rows-for-cells", message });
		if (code === "fewDistinct") warnings.push({ code: "few-distinct", message });
	}
	if (product !== undefined && product.rows < product.recommendedRows) {
		warnings.push({
			code: "few-rows-for-codes",
			message: `the product quantiser was trained on ${product.rows} rows; ${product.recommendedRows} (39 for each of its ${product.entries} entries) are recommended`,
		});
	}
	return warnings;
}
