/** A query as the scan of one cell needs it; the reasoning and the struct are in assembly/rabitq/query.ts. */
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
function largestGroup(residual: Float32Array): number {
	let most = 0;
	for (let i = 0; i < residual.length; i += 4) {
		most = Math.max(most, sumOfLanes(residual.slice(i, i + 4).map(Math.abs)));
	}
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
function writeTables(m: TwinMemory, residual: Float32Array, sizes: Int32Array, tables: number): void {
	const to = tables >>> 0;
	for (let i = 0; i < sizes.length; i += 4) {
		for (let pattern = 0; pattern < 16; pattern++) {
			let sum = 0;
			for (let j = 0; j < 4; j++) {
				const isNegative = (residual[i + j] as number) < 0;
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

/** Prepares the scan of one cell: reads the caller's part of the struct, writes the others and what they point to. */
export function rabitqPrepare(m: TwinMemory, struct: number): void {
	const load = (field: keyof typeof RABITQ_QUERY) => m.loadU32(struct + RABITQ_QUERY[field]);
	const store = (field: keyof typeof RABITQ_QUERY, value: number) => m.storeF32(struct + RABITQ_QUERY[field], value);
	const dimensions = load("dimensions");
	const floats = (field: keyof typeof RABITQ_QUERY) => {
		const at = load(field) >>> 2;
		return m.f32.subarray(at, at + dimensions);
	};
	const metric = load("metric");
	const [query, centroid, residual] = [floats("query"), floats("centroid"), floats("residual")];
	const isIp = metric === METRIC_CODES.ip;
	const isCosine = metric === METRIC_CODES.cosine;
	const product = isIp ? dot(query, centroid) : 0;
	const centre = dot(centroid, centroid);
	const t = !isIp ? 1 : centre > LEAST_CENTRE ? fround(product / centre) : 0;
	for (let i = 0; i < dimensions; i++) residual[i] = (query[i] as number) - fround(t * (centroid[i] as number));
	const squared = dot(residual, residual);
	const length = fround(Math.sqrt(squared));
	const reach = fround(fround(Math.sqrt(dot(query, query))) + fround(Math.sqrt(centre)));
	const factor = isIp || isCosine ? 1 : 2;
	store("base", isIp ? -product : isCosine ? squared * 0.5 : squared);
	store("own", isIp ? t : isCosine ? 0.5 : 1);
	store("slack", ROUNDING * fround(isIp ? reach * reach : reach * length));

	const width = fround(factor * m.loadF32(struct + RABITQ_QUERY.epsilon));
	const narrowing = fround(Math.sqrt(fround(dimensions / (dimensions - 1))));
	const perLeft = (left: number) => fround(fround(width * narrowing) * fround(Math.sqrt(left)));
	store("perSpread", width * length);
	const sizes = residual.map(Math.abs);
	const step = stepOf(largestGroup(residual), GROUP_STEPS);
	const coarse = roundTo(step, sizes);
	writeTables(m, residual, coarse.multiples, load("tables"));
	m.storeI32(struct + RABITQ_QUERY.total, coarse.total);
	store("step", factor * step);
	store("perScale", perLeft(coarse.left));
	if (load("bits") === 1) return;

	const most = sizes.reduce((largest, size) => Math.max(largest, size), 0);
	const fineStep = stepOf(most, Math.min(32_767, Math.floor(0x7fffffff / (64 * dimensions))));
	const fine = roundTo(fineStep, residual);
	writeFine(m, fine.multiples, load("fine"));
	m.storeI32(struct + RABITQ_QUERY.fineTotal, fine.total);
	store("fineStep", factor * fineStep);
	store("finePerScale", perLeft(fine.left));
}
