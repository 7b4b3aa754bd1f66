/**
 * Exact keys over float rows (and Hamming over bit rows). A key orders like the distance and costs less: l2 is squared, ip is
 * minus the dot product, cosine is 1 - dot of unit rows held to 0..2, l1 is the sum of absolute differences.
 *
 * Summation order of the float keys, the same in all forms: element i is added to lane i mod 8; then lanes 0-3 and 4-7 are added
 * pairwise, then (0 + 1) + (2 + 3).
 */
import { METRIC_CODES } from "../layout.ts";
import { hamming } from "./bits.ts";
import type { TwinMemory } from "./memory.ts";

const { l2: L2, ip: IP, cosine: COSINE, l1: L1, custom: CUSTOM } = METRIC_CODES;

const { fround } = Math;

/** The eight accumulators. Storing into a Float32Array rounds, so that `+=` is one float32 addition. */
const lanes = new Float32Array(8);

/** Lanes `low` and `low + 4`. */
function pairOfLanes(low: number): number {
	return fround((lanes[low] as number) + (lanes[low + 4] as number));
}

function sumLanes(): number {
	return fround(fround(pairOfLanes(0) + pairOfLanes(1)) + fround(pairOfLanes(2) + pairOfLanes(3)));
}

function sumOfSquaredDifferences({ f32 }: TwinMemory, a: number, b: number, bytes: number): number {
	const x = a >>> 2;
	const y = b >>> 2;
	const n = bytes >>> 2;
	lanes.fill(0);
	for (let i = 0; i < n; i++) {
		const t = fround((f32[x + i] as number) - (f32[y + i] as number));
		(lanes[i & 7] as number) += fround(t * t);
	}
	return sumLanes();
}

function sumOfDifferences({ f32 }: TwinMemory, a: number, b: number, bytes: number): number {
	const x = a >>> 2;
	const y = b >>> 2;
	const n = bytes >>> 2;
	lanes.fill(0);
	for (let i = 0; i < n; i++) {
		(lanes[i & 7] as number) += Math.abs(fround((f32[x + i] as number) - (f32[y + i] as number)));
	}
	return sumLanes();
}

function sumOfProducts({ f32 }: TwinMemory, a: number, b: number, bytes: number): number {
	const x = a >>> 2;
	const y = b >>> 2;
	const n = bytes >>> 2;
	lanes.fill(0);
	for (let i = 0; i < n; i++) (lanes[i & 7] as number) += fround((f32[x + i] as number) * (f32[y + i] as number));
	return sumLanes();
}

function custom(m: TwinMemory, a: number, b: number): number {
	if (m.userMetric === undefined) {
		throw new RangeError(
			`Metric ${CUSTOM} is the user's own, and this twin was created without one: pass createTwin the options "custom" and "dimensions".`,
		);
	}
	return m.userMetric.key(m, a, b);
}

/** The key of two rows of `bytes` bytes. */
export function distance(m: TwinMemory, metric: number, a: number, b: number, bytes: number): number {
	if (metric === L2) return sumOfSquaredDifferences(m, a, b, bytes);
	if (metric === IP) return fround(0 - sumOfProducts(m, a, b, bytes));
	if (metric === COSINE) return Math.min(2, Math.max(0, fround(1 - sumOfProducts(m, a, b, bytes))));
	if (metric === L1) return sumOfDifferences(m, a, b, bytes);
	if (metric === CUSTOM) return custom(m, a, b);
	return hamming(m, a, b, bytes);
}

/** One query against `n` rows named by number: row `ids[i]` is at `base + ids[i] * stride`. Writes `n` keys to `out`. */
export function distanceMany(
	m: TwinMemory,
	metric: number,
	query: number,
	base: number,
	stride: number,
	bytes: number,
	ids: number,
	n: number,
	out: number,
): void {
	for (let i = 0; i < n; i++) {
		const row = base + m.loadU32(ids + 4 * i) * stride;
		m.storeF32(out + 4 * i, distance(m, metric, query, row, bytes));
	}
}

/** One query against `n` rows that follow each other every `stride` bytes. Writes `n` keys to `out`. */
export function distanceBlock(
	m: TwinMemory,
	metric: number,
	query: number,
	base: number,
	stride: number,
	bytes: number,
	n: number,
	out: number,
): void {
	for (let i = 0; i < n; i++) m.storeF32(out + 4 * i, distance(m, metric, query, base + i * stride, bytes));
}

/** `count` queries against `n` consecutive rows. The keys of query j are at `out + j * outStride`. */
export function distanceTiles(
	m: TwinMemory,
	metric: number,
	queries: number,
	queryStride: number,
	count: number,
	base: number,
	stride: number,
	bytes: number,
	n: number,
	out: number,
	outStride: number,
): void {
	for (let j = 0; j < count; j++) {
		distanceBlock(m, metric, queries + j * queryStride, base, stride, bytes, n, out + j * outStride);
	}
}
