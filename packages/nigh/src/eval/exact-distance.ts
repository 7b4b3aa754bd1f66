/** The metrics that an evaluation knows: those of floats. */
export const FLOAT_METRICS = ["l2", "cosine", "ip", "l1"] as const;

export type FloatMetric = (typeof FLOAT_METRICS)[number];

/** Rows of numbers, row-major, as a file gave them. */
export interface Rows {
	readonly count: number;
	readonly dimensions: number;
	readonly values: ArrayLike<number>;
}

/**
 * The distance of row `i` of `a` and row `j` of `b` in double precision, by the definition of the metric: independent of the
 * kernels, and finer than what they compute.
 */
export function exactDistance(metric: FloatMetric, a: Rows, i: number, b: Rows, j: number): number {
	const { dimensions } = a;
	const [atA, atB] = [i * dimensions, j * dimensions];
	let dot = 0;
	let squares = 0;
	let absolute = 0;
	let normA = 0;
	let normB = 0;
	for (let d = 0; d < dimensions; d++) {
		const x = a.values[atA + d] as number;
		const y = b.values[atB + d] as number;
		dot += x * y;
		squares += (x - y) ** 2;
		absolute += Math.abs(x - y);
		normA += x * x;
		normB += y * y;
	}
	switch (metric) {
		case "l2":
			return Math.sqrt(squares);
		case "l1":
			return absolute;
		case "ip":
			return 0 - dot;
		case "cosine":
			return normA === 0 || normB === 0 ? 1 : 1 - dot / Math.sqrt(normA * normB);
	}
}
