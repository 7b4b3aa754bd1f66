/** A query as the scan of codes needs it; the reasoning and the struct are in assembly/rabitq/query.ts. */
import { METRIC_CODES, RABITQ_QUERY } from "../../layout.ts";
import type { TwinMemory } from "../memory.ts";

const { fround } = Math;

/** What rotation and float32 keys round away, relative to the lengths involved. */
export const ROUNDING = 2 ** -19;

/** Four sizes are rounded by at most a half each: 253 steps and two more fit a byte. */
const GROUP_STEPS = 253;

/** Steps smaller than this have no reciprocal in float32; the query then counts as rounded to zero. */
const LEAST_STEP = fround(1e-37);

/** Nothing is projected on a centroid whose squared length is smaller. */
const LEAST_CENTRE = fround(1e-30);

/** Lanes of float sums in the kernels' order: pairwise while there are more than four, then (0 + 1) + (2 + 3). */
function sumOfLanes(lanes: Float32Array): number {
	const at = (i: number) =>
		(lanes.length === 8 ? fround((lanes[i] as number) + (lanes[i + 4] as number)) : lanes[i]) as number;
	return fround(fround(at(0) + at(1)) + fround(at(2) + at(3)));
}

function dot(a: Float32Array, b: Float32Array): number {
	const lanes = new Float32Array(8);
	for (let i = 0; i < a.length; i++) {
		lanes[i & 7] = (lanes[i & 7] as number) + fround((a[i] as number) * (b[i] as number));
	}
	return sumOfLanes(lanes);
}

/** The largest sum of the sizes of a group of four dimensions. */
function largestGroup(sizes: Float32Array): number {
	let most = 0;
	for (let i = 0; i < sizes.length; i += 4) most = Math.max(most, sumOfLanes(sizes.slice(i, i + 4)));
	return most;
}

/** Whole multiples of a step, their sum, and the squared length of what rounding left out. */
interface Rounded {
	readonly multiples: Int32Array;
	readonly total: number;
	readonly left: number;
}

function roundTo(step: number, values: Float32Array): Rounded {
	const inverse = step === 0 ? 0 : fround(1 / step);
	const lanes = new Float32Array(4);
	let total = 0;
	const multiples = Int32Array.from(values, (x, i) => {
		const multiple = Math.floor(fround(fround(x * inverse) + 0.5));
		const e = fround(x - fround(multiple * step));
		lanes[i & 3] = (lanes[i & 3] as number) + fround(e * e);
		total += multiple;
		return multiple;
	});
	return { multiples, total, left: sumOfLanes(lanes) };
}

/** For each group of four dimensions the sums of the sizes whose sign each of the 16 patterns has. */
function writeTables(m: TwinMemory, query: Float32Array, sizes: Int32Array, tables: number): void {
	const to = tables >>> 0;
	for (let i = 0; i < sizes.length; i += 4) {
		for (let pattern = 0; pattern < 16; pattern++) {
			let sum = 0;
			for (let j = 0; j < 4; j++) {
				const isNegative = (query[i + j] as number) < 0;
				if (((pattern >> j) & 1) === (isNegative ? 0 : 1)) sum += sizes[i + j] as number;
			}
			m.u8[to + 4 * i + pattern] = sum;
		}
	}
}

/** Writes int16 in the order of the vectors of the other bits. */
function writeFine(m: TwinMemory, multiples: Int32Array, fine: number): void {
	for (let i = 0; i < multiples.length; i++) {
		const place = (i & ~63) + 16 * (i & 3) + ((i & 63) >> 2);
		m.storeU16(fine + 2 * place, multiples[i] as number);
	}
}

function stepOf(most: number, steps: number): number {
	const step = fround(most / steps);
	return step < LEAST_STEP ? 0 : step;
}

/** The fields of a query struct. */
class QueryStruct {
	readonly #m: TwinMemory;
	readonly #at: number;

	constructor(m: TwinMemory, at: number) {
		this.#m = m;
		this.#at = at;
	}

	word(field: keyof typeof RABITQ_QUERY): number {
		return this.#m.loadU32(this.#at + RABITQ_QUERY[field]);
	}

	float(field: keyof typeof RABITQ_QUERY): number {
		return this.#m.loadF32(this.#at + RABITQ_QUERY[field]);
	}

	setInt(field: keyof typeof RABITQ_QUERY, value: number): void {
		this.#m.storeI32(this.#at + RABITQ_QUERY[field], value);
	}

	setFloat(field: keyof typeof RABITQ_QUERY, value: number): void {
		this.#m.storeF32(this.#at + RABITQ_QUERY[field], value);
	}

	/** Floats at an address. */
	row(address: number, length: number): Float32Array {
		return this.#m.f32.subarray(address >>> 2, (address >>> 2) + length);
	}

	/** The query as it is. */
	get query(): Float32Array {
		return this.row(this.word("row"), this.word("rowBytes") / 4);
	}

	/** 2 for l2, whose key has the product twice. */
	get productFactor(): number {
		return this.word("metric") === METRIC_CODES.l2 ? 2 : 1;
	}
}

/** Prepares a query for all cells: the tables, and what rounding leaves out. */
export function rabitqPrepare(m: TwinMemory, address: number): void {
	const struct = new QueryStruct(m, address);
	const dimensions = struct.word("dimensions");
	const rotated = struct.row(struct.word("rotated"), dimensions);
	struct.setFloat("length", fround(Math.sqrt(dot(struct.query, struct.query))));
	const factor = struct.productFactor;
	const widening = fround(Math.sqrt(fround(dimensions / (dimensions - 1))));
	const width = fround(fround(factor * struct.float("epsilon")) * widening);
	const sizes = rotated.map(Math.abs);
	const step = stepOf(largestGroup(sizes), GROUP_STEPS);
	const coarse = roundTo(step, sizes);
	writeTables(m, rotated, coarse.multiples, struct.word("tables"));
	struct.setInt("total", coarse.total);
	struct.setFloat("step", factor * step);
	struct.setFloat("left", width * fround(Math.sqrt(coarse.left)));
	if (struct.word("bits") === 1) return;
	const most = sizes.reduce((largest, size) => Math.max(largest, size), 0);
	const fineStep = stepOf(most, Math.min(32_767, Math.floor(0x7fffffff / (64 * dimensions))));
	const fine = roundTo(fineStep, rotated);
	writeFine(m, fine.multiples, struct.word("fine"));
	struct.setInt("fineTotal", fine.total);
	struct.setFloat("fineStep", factor * fineStep);
	struct.setFloat("fineLeft", width * fround(Math.sqrt(fine.left)));
}

/** Goes to the cell whose centroid is this row. */
export function rabitqProbe(m: TwinMemory, address: number, centroidAt: number): void {
	const struct = new QueryStruct(m, address);
	const query = struct.query;
	const centroid = struct.row(centroidAt, query.length);
	const isIp = struct.word("metric") === METRIC_CODES.ip;
	const isCosine = struct.word("metric") === METRIC_CODES.cosine;
	const product = isIp ? dot(query, centroid) : 0;
	const centre = isIp ? dot(centroid, centroid) : 0;
	const t = !isIp ? 1 : centre > LEAST_CENTRE ? fround(product / centre) : 0;
	const away = query.map((x, i) => x - fround(t * (centroid[i] as number)));
	const squared = dot(away, away);
	const length = fround(Math.sqrt(squared));
	const noQuery = struct.float("length") === 0 ? 0.5 : 0;
	const base = isIp ? -product : isCosine ? squared * 0.5 + noQuery : squared;
	struct.setFloat("base", base);
	struct.setFloat("own", isIp ? t : isCosine ? 0.5 : 1);
	const factor = struct.productFactor;
	struct.setFloat("perSpread", fround(factor * struct.float("epsilon")) * length);
	const lengths = fround(fround(struct.float("length") + struct.float("length")) + length);
	const reach = fround(lengths * fround(Math.sqrt(struct.word("dimensions"))));
	struct.setFloat("perScale", factor * ROUNDING * reach);
	struct.setFloat("slack", ROUNDING * Math.abs(fround(base)));
}
