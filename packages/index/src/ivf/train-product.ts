import type { Arena } from "@nigh/kernels";
import { rowBytes } from "@nigh/kernels";
import { assignPoints } from "../kmeans/assign.ts";
import { LEAST_POINTS_PER_CENTROID } from "../kmeans/parameters.ts";
import type { PointRows } from "../kmeans/points.ts";
import { trainKMeans } from "../kmeans/train.ts";
import type { Coarse } from "./coarse.ts";
import { type IvfParameters, partWidth, ROWS_PER_ENTRY } from "./parameters.ts";
import { ProductCodes } from "./product-codes.ts";
import type { TrainOptions } from "./train.ts";

const ITERATIONS = 16;

/** What training a product quantiser has come to. */
export interface ProductReport {
	readonly M: number;
	readonly bits: number;
	/** Floats of a sub-quantiser. */
	readonly width: number;
	/** Entries of each codebook. */
	readonly entries: number;
	/** Rows it was trained on. */
	readonly rows: number;
	/** 39 for each entry (check C-4). */
	readonly recommendedRows: number;
	/** The mean squared error of a code, as a share of the mean square of what is coded. */
	readonly error: number;
}

/** Learns the codebooks from projected rows and what their centroids leave over. */
export async function trainProduct(
	arena: Arena,
	coarse: Coarse,
	points: PointRows,
	{ M, bits: givenBits, residual, seed }: IvfParameters,
	isDot: boolean,
	{ parallel, signal }: TrainOptions,
): Promise<{ codes: ProductCodes; report: ProductReport }> {
	const bits = givenBits as number;
	const entries = 2 ** bits;
	const n = Math.min(points.n, ROWS_PER_ENTRY * entries);
	const subs = M ?? points.dimensions / partWidth(points.dimensions);
	const width = points.dimensions / subs;
	const codes = new ProductCodes(arena, { subs, width, bits, hasTerms: !isDot, residual });
	let coded = 0;
	let part = 0;
	try {
		coded = await codedRows(arena, coarse, points, n, residual, parallel);
		const partBytes = rowBytes(4 * width);
		part = arena.alloc(n * partBytes);
		let inertia = 0;
		for (let sub = 0; sub < subs; sub++) {
			const rows = arena.f32(part, (n * partBytes) / 4);
			const from = arena.f32(coded, (n * points.bytes) / 4);
			for (let i = 0; i < n; i++) {
				const at = (i * points.bytes) / 4 + sub * width;
				rows.set(from.subarray(at, at + width), (i * partBytes) / 4);
			}
			const trained = await trainKMeans(
				arena,
				{ address: part, stride: partBytes, bytes: partBytes, n, dimensions: width },
				{
					k: entries,
					seed: (seed + sub) >>> 0,
					iterations: ITERATIONS,
					...(parallel !== undefined && { parallel }),
					...(signal !== undefined && { signal }),
				},
			);
			inertia += trained.report.inertia;
			codes.fill(sub, trained.centroids.address, trained.centroids.stride);
			arena.free(trained.centroids.address);
			arena.free(trained.assign ?? 0);
		}
		const squares = arena.kernels.sumOfSquares(coded, n * points.bytes);
		const error = squares > 0 ? inertia / squares : 0;
		const recommendedRows = LEAST_POINTS_PER_CENTROID * entries;
		return { codes, report: { M: subs, bits, width, entries, rows: n, recommendedRows, error } };
	} catch (error) {
		codes.dispose();
		throw error;
	} finally {
		arena.free(coded);
		arena.free(part);
	}
}

/** What is coded of `n` rows at even distances: what their centroids leave over, or themselves. */
async function codedRows(
	arena: Arena,
	coarse: Coarse,
	points: PointRows,
	n: number,
	residual: boolean,
	parallel: TrainOptions["parallel"],
): Promise<number> {
	const { bytes } = points;
	const address = arena.alloc(n * bytes);
	try {
		const words = bytes / 4;
		for (let i = 0; i < n; i++) {
			const from = points.address + Math.floor((i * points.n) / n) * points.stride;
			arena.f32(address + i * bytes, words).set(arena.f32(from, words));
		}
		if (!residual) return address;
		const assigned = await assignPoints(
			arena,
			coarse.panels,
			{ ...points, address, stride: bytes, n },
			parallel === undefined ? {} : { parallel },
		);
		const cells = arena.u32(assigned.labels, n);
		const rows = arena.f32(address, n * words);
		const centroids = arena.f32(coarse.centroids, coarse.nlist * words);
		for (let i = 0; i < n; i++) {
			const centroid = (cells[i] as number) * words;
			for (let j = 0; j < words; j++)
				rows[i * words + j] = (rows[i * words + j] as number) - (centroids[centroid + j] as number);
		}
		arena.free(assigned.labels);
		arena.free(assigned.keys);
		return address;
	} catch (error) {
		arena.free(address);
		throw error;
	}
}
