// The exact answers: every distance in float64, straight from the definitions of the metrics.
import { compareIds, type Id } from "../ids.ts";
import type { Metric } from "../metric.ts";
import type { Vector } from "../vectors.ts";

/** How the vectors of a collection are compared. */
export interface Space {
	readonly metric: Metric;
	/** Floats, or bits for `hamming`. */
	readonly dimensions: number;
	readonly weights?: readonly number[];
}

/** A record's place in the exact order. */
export interface Ranked {
	readonly id: Id;
	readonly distance: number;
	/** How far float32 arithmetic may be off: 1e-5 of the distance, or, where terms cancel each other out, of their size. */
	readonly tolerance: number;
}

const RELATIVE = 1e-5;
/** Of the length of the vectors, for weights: a back end may keep vectors multiplied by the weights, rounded to float32. */
const WEIGHTED = 1e-6;

/** All the records from near to far, equal distances by id. */
export function rank(
	records: Iterable<{ readonly id: Id; readonly vector: Vector }>,
	query: ArrayLike<number>,
	space: Space,
): Ranked[] {
	const ranked = Array.from(records, ({ id, vector }) => ({ id, ...measure(space, query, vector) }));
	return ranked.sort((a, b) => a.distance - b.distance || compareIds(a.id, b.id));
}

/** The exact distance of two vectors. */
export function measure(
	space: Space,
	a: ArrayLike<number>,
	b: ArrayLike<number>,
): { readonly distance: number; readonly tolerance: number } {
	if (space.metric === "hamming") return { distance: differingBits(a, b), tolerance: 0 };
	const sums = sumTerms(a, b, space.weights);
	switch (space.metric) {
		case "l2":
			return difference(Math.sqrt(sums.squaredDifference), sums, space);
		case "l1":
			return difference(sums.absoluteDifference, sums, space);
		case "ip":
			return { distance: -sums.product, tolerance: RELATIVE * sums.absoluteProduct };
		case "cosine": {
			const norms = Math.sqrt(sums.squaredA) * Math.sqrt(sums.squaredB);
			return { distance: norms === 0 ? 1 : 1 - sums.product / norms, tolerance: RELATIVE };
		}
	}
}

type Sums = ReturnType<typeof sumTerms>;

function difference(distance: number, sums: Sums, { weights }: Space) {
	const length = weights === undefined ? 0 : sums.absoluteSum;
	return { distance, tolerance: RELATIVE * distance + WEIGHTED * length };
}

function sumTerms(a: ArrayLike<number>, b: ArrayLike<number>, weights: readonly number[] | undefined) {
	const sums = {
		squaredDifference: 0,
		absoluteDifference: 0,
		product: 0,
		absoluteProduct: 0,
		squaredA: 0,
		squaredB: 0,
		absoluteSum: 0,
	};
	for (let i = 0; i < a.length; i++) {
		const weight = weights?.[i] ?? 1;
		// What is stored and searched for is float32.
		const left = Math.fround(a[i] as number);
		const right = Math.fround(b[i] as number);
		sums.squaredDifference += weight * (left - right) ** 2;
		sums.absoluteDifference += weight * Math.abs(left - right);
		sums.product += weight * left * right;
		sums.absoluteProduct += weight * Math.abs(left * right);
		sums.squaredA += weight * left * left;
		sums.squaredB += weight * right * right;
		sums.absoluteSum += weight * (Math.abs(left) + Math.abs(right));
	}
	return sums;
}

function differingBits(a: ArrayLike<number>, b: ArrayLike<number>): number {
	let bits = 0;
	for (let i = 0; i < a.length; i++) {
		for (let differing = (a[i] as number) ^ (b[i] as number); differing > 0; differing >>= 1) bits += differing & 1;
	}
	return bits;
}
