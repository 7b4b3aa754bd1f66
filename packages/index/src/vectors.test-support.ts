import type { Metric } from "@nigh/contract";
import type { CustomMetric, Neighbor, VectorRows } from "./vector-index.ts";

/** Mulberry32: numbers in [0, 1) that are the same for a seed. */
export function randomNumbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

/** `n` rows of `length` elements: floats in [-1, 1), or bytes of bits. */
export function randomRows(seed: number, n: number, length: number, bits = false): VectorRows {
	const random = randomNumbers(seed);
	if (bits) return Uint8Array.from({ length: n * length }, () => Math.floor(random() * 256));
	return Float32Array.from({ length: n * length }, () => 2 * random() - 1);
}

/** The largest difference of one dimension: a metric that Nigh does not have. */
export const CHEBYSHEV: CustomMetric = {
	name: "chebyshev",
	distance: (a, b) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0),
};

/** A distance in float64, and how far the float32 kernels may be from it. */
export interface Truth {
	readonly distance: number;
	readonly tolerance: number;
}

/** Where float32 ends: squares below 2^-149 vanish. */
const VANISHED = 2 ** -74;
/** What rounding a component that is no normal number (as weights do) can change. */
const LEAST = 2 ** -148;
const ROUNDING = 2 ** -20;

/** The distance by its definition, with weights as they are meant: sqrt(sum w (a - b)^2), sum w a b, sum w |a - b|. */
export function trueDistance(
	metric: Metric | CustomMetric,
	a: VectorRows,
	b: VectorRows,
	weights?: ArrayLike<number>,
): Truth {
	if (typeof metric !== "string") {
		const distance = metric.distance(a as Float32Array, b as Float32Array);
		return { distance, tolerance: Math.abs(distance) * ROUNDING };
	}
	if (metric === "hamming") return { distance: differingBits(a as Uint8Array, b as Uint8Array), tolerance: 0 };
	let [squares, absolutes, sizes, dot, ofA, ofB] = [0, 0, 0, 0, 0, 0];
	for (let i = 0; i < a.length; i++) {
		const [x, y, w] = [a[i] as number, b[i] as number, weights?.[i] ?? 1];
		squares += w * (x - y) ** 2;
		absolutes += w * Math.abs(x - y);
		sizes += w * (Math.abs(x) + Math.abs(y));
		dot += w * x * y;
		ofA += w * x * x;
		ofB += w * y * y;
	}
	const [lengthA, lengthB, d] = [Math.sqrt(ofA), Math.sqrt(ofB), Math.sqrt(a.length)];
	switch (metric) {
		case "l2":
			return { distance: Math.sqrt(squares), tolerance: ROUNDING * (lengthA + lengthB) + VANISHED * d };
		case "l1":
			return { distance: absolutes, tolerance: ROUNDING * sizes + LEAST * a.length };
		case "ip": {
			const tolerance = ROUNDING * lengthA * lengthB + LEAST * (a.length + d * (lengthA + lengthB));
			return { distance: 0 - dot, tolerance };
		}
		case "cosine": {
			const distance = ofA === 0 || ofB === 0 ? 1 : 1 - dot / (lengthA * lengthB);
			const weighted = weights === undefined || distance === 1 ? 0 : LEAST * d * (1 / lengthA + 1 / lengthB);
			return { distance, tolerance: ROUNDING + weighted };
		}
	}
}

/** What an exact search answers: every row's distance, ascending, equal ones by label. */
export function trueNeighbors(
	metric: Metric | CustomMetric,
	query: VectorRows,
	vectors: ReadonlyMap<number, VectorRows>,
	weights?: ArrayLike<number>,
): (Truth & { readonly label: number })[] {
	return [...vectors]
		.map(([label, vector]) => ({ label, ...trueDistance(metric, query, vector, weights) }))
		.sort((a, b) => a.distance - b.distance || a.label - b.label);
}

/** Whether hits are in the order that is promised: ascending distances, equal ones by label, no label twice. */
export function isOrdered(hits: readonly Neighbor[]): boolean {
	return (
		new Set(hits.map(({ label }) => label)).size === hits.length &&
		hits.every((hit, i) => {
			const last = hits[i - 1];
			return (
				last === undefined || last.distance < hit.distance || (last.distance === hit.distance && last.label < hit.label)
			);
		})
	);
}

function differingBits(a: Uint8Array, b: Uint8Array): number {
	return a.reduce(
		(sum, byte, i) => sum + [...(byte ^ (b[i] as number)).toString(2)].filter((bit) => bit === "1").length,
		0,
	);
}
