import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { checkVector, isNighError, NighError } from "@nigh/contract";
import { readAll } from "@nigh/formats";
import { exactDistance, type FloatMetric, type Rows } from "./exact-distance.ts";
import type { TruthTable } from "./recall.ts";
import type { InputFile } from "./settings.ts";

/** Vectors in memory, of whatever type of number the file had, as floats. */
export interface Vectors extends Rows {
	readonly values: Float32Array<ArrayBuffer>;
}

/**
 * Fails unless every file is there and is a file: before the first is read, which may take a while.
 *
 * @throws NighError `NOT_FOUND`, `INVALID_FILE`.
 */
export async function checkFiles(files: readonly InputFile[]): Promise<void> {
	for (const { option, path } of files) {
		const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
			throw new NighError("NOT_FOUND", `${option}: there is no file ${path}.`, { field: option, value: path });
		});
		if (!found.isDirectory()) continue;
		throw new NighError("INVALID_FILE", `${option}: ${path} is a folder; name a file in it.`, {
			field: option,
			value: path,
		});
	}
}

/**
 * Reads vectors, at most `limit` of them.
 *
 * @throws NighError as the reader of the format does, with the path in front; `INVALID_FILE` when there is none in the file;
 * `INVALID_VECTOR` for a row that is not finite, with path and row.
 */
export async function loadVectors(file: InputFile, limit: number | undefined): Promise<Vectors> {
	const { count, dimensions, values } = await readFile(file, limit);
	if (count === 0) {
		throw new NighError("INVALID_FILE", `${file.path} holds no vectors.`, { field: file.option, value: file.path });
	}
	const vectors = { count, dimensions, values: values instanceof Float32Array ? values : new Float32Array(values) };
	for (let row = 0; row < count; row++) checkRow(vectors, row, file);
	return vectors;
}

/** Refuses a row that no index takes, with the path in front. */
function checkRow({ dimensions, values }: Vectors, row: number, file: InputFile): void {
	try {
		checkVector(values.subarray(row * dimensions, (row + 1) * dimensions), dimensions, { row });
	} catch (error) {
		if (!isNighError(error)) throw error;
		throw new NighError(error.code, `${file.path}: ${error.message}`, { ...error.details, field: file.option });
	}
}

/**
 * Checks that queries fit the base and k, and gives each as a view of its own.
 *
 * @throws NighError `DIMENSION_MISMATCH`, `INVALID_OPTION`.
 */
export function checkQueries(queries: Vectors, base: Vectors, k: number): Float32Array[] {
	const { dimensions } = base;
	if (queries.dimensions !== dimensions) {
		throw new NighError(
			"DIMENSION_MISMATCH",
			`The queries have ${queries.dimensions} dimensions and the base has ${dimensions}: they must come from the same model.`,
			{ field: "--query", expected: dimensions, actual: queries.dimensions },
		);
	}
	if (k > base.count) {
		throw new NighError(
			"INVALID_OPTION",
			`--k is ${k}, but the base has only ${base.count} vectors: choose a smaller k${base.count > 1 ? "" : " or a larger base"}.`,
			{ field: "--k", value: k, bound: { min: 1, max: base.count } },
		);
	}
	return Array.from({ length: queries.count }, (_, row) =>
		queries.values.subarray(row * dimensions, (row + 1) * dimensions),
	);
}

/**
 * Reads the ids of exact neighbours and checks that they can be those of these queries.
 *
 * @throws NighError `INVALID_FILE`, with the row.
 */
export async function loadTruth(
	file: InputFile,
	{ base, queries, metric, k }: { base: Rows; queries: Rows; metric: FloatMetric; k: number },
): Promise<TruthTable> {
	const table = await readFile(file, queries.count);
	const truth: TruthTable = { width: table.dimensions, ids: table.values };
	const refuse = (problem: string, details: Readonly<Record<string, unknown>> = {}) =>
		new NighError("INVALID_FILE", `${file.path}: ${problem}`, { field: file.option, value: file.path, ...details });
	if (table.count < queries.count) {
		throw refuse(
			`it has ${table.count} rows for ${queries.count} queries; each query needs one. Take the file that belongs to the queries, or --queries ${table.count}.`,
			{ rows: table.count, queries: queries.count },
		);
	}
	if (truth.width < k) {
		throw refuse(
			`its rows have ${truth.width} ids, but recall@${k} needs ${k}: choose --k ${truth.width} or less, or leave out --truth and they are computed.`,
			{ bound: { min: 1, max: truth.width } },
		);
	}
	for (let row = 0; row < queries.count; row++) {
		const seen = new Set<number>();
		for (let rank = 0; rank < k; rank++) {
			const id = truth.ids[row * truth.width + rank] as number;
			if (id < 0 || id >= base.count) {
				throw refuse(
					`row ${row} names id ${id}, but the ids of the base are 0 to ${base.count - 1}. Is it the truth of a larger base?`,
					{ row, id, bound: { min: 0, max: base.count - 1 } },
				);
			}
			if (seen.has(id)) throw refuse(`row ${row} names id ${id} twice; neighbours are different.`, { row, id });
			seen.add(id);
		}
	}
	const falling = fallingShare(truth, k, metric, base, queries);
	if (falling <= MOST_FALLING) return truth;
	throw refuse(
		`its ids do not come nearest first under ${metric}: in ${Math.round(falling * 100)} of 100 steps the next one is nearer. Is it the truth of another metric, base or query file?`,
		{ metric, falling },
	);
}

/** Rows looked at for their order; and the share of steps that may go the wrong way, since some tools order by rougher arithmetic. */
const ORDER_SAMPLE = 100;
const MOST_FALLING = 0.05;
/** A step counts as falling when it is larger than this share of the distances, far above what float32 does. */
const FALL = 1e-3;

/** The share of steps from one id of a row to the next that lead nearer to the query. The truth of another metric shows by it. */
function fallingShare(truth: TruthTable, k: number, metric: FloatMetric, base: Rows, queries: Rows): number {
	let steps = 0;
	let falling = 0;
	for (let row = 0; row < Math.min(queries.count, ORDER_SAMPLE); row++) {
		let before = Number.NEGATIVE_INFINITY;
		for (let rank = 0; rank < k; rank++) {
			const distance = exactDistance(metric, base, truth.ids[row * truth.width + rank] as number, queries, row);
			if (rank > 0) steps++;
			if (before - distance > FALL * Math.max(Math.abs(before), Math.abs(distance))) falling++;
			before = distance;
		}
	}
	return steps === 0 ? 0 : falling / steps;
}

async function readFile({ path, format }: InputFile, limit: number | undefined) {
	try {
		return await readAll(format, createReadStream(path), limit === undefined ? {} : { limit });
	} catch (error) {
		if (!isNighError(error)) throw error;
		throw new NighError(error.code, `${path}: ${error.message}`, { ...error.details, path }, { cause: error });
	}
}
