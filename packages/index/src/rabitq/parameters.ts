import { BOUNDS, checkBound, checkInteger, checkOptions, NighError } from "@nigh/contract";

/** Every number of RaBitQ with its bounds and default, in one place. */
export const RABITQ_BOUNDS = {
	/** Components of a vector. */
	dimensions: BOUNDS.dimensions,
	/**
	 * Bits of a code a dimension. Each one more halves the error of an estimate, about, and takes an eighth of a byte a dimension; the scan
	 * reads the first of them of all rows, and the others of those only that the first does not exclude.
	 */
	bits: { min: 1, max: 8, integer: true, default: 4, unit: "bits" },
	/**
	 * Width of the bound in standard deviations of the estimate's error, about. Wider: fewer neighbours lost, more rows looked at again. At 1.9
	 * a row is nearer than its lower bound once in 35 times.
	 */
	epsilon: { min: 0.1, max: 10, default: 1.9 },
	/** Seed of the rotation. */
	seed: { min: 0, max: 0xffffffff, integer: true, default: 42 },
} as const;

/** The metrics that RaBitQ estimates. Under cosine rows and queries have length 1, or are zero. */
export const RABITQ_METRICS = ["l2", "ip", "cosine"] as const;

export type RabitqMetric = (typeof RABITQ_METRICS)[number];

export interface RabitqOptions {
	/** Components of a vector, 1 to 16,384. */
	readonly dimensions: number;
	readonly metric: RabitqMetric;
	/** Bits of a code a dimension, 1 to 8. Default 4. */
	readonly bits?: number;
	/** Seed of the rotation, 0 to 4,294,967,295. Default 42. */
	readonly seed?: number;
	/** Width of the bound, 0.1 to 10. Default 1.9. */
	readonly epsilon?: number;
}

/** All that a codec is made of: the same spec codes the same rows to the same bytes, on every machine. */
export type RabitqSpec = Readonly<Required<RabitqOptions>>;

/**
 * Fills in what was left out and checks the whole.
 *
 * @throws NighError `INVALID_OPTION`, whose details name the field, its value and its bound.
 */
export function resolveRabitq(options: RabitqOptions): RabitqSpec {
	checkOptions(options, ["dimensions", "metric", "bits", "seed", "epsilon"], "rabitq");
	const { metric } = options;
	if (!RABITQ_METRICS.includes(metric)) {
		throw new NighError(
			"INVALID_OPTION",
			`metric is ${JSON.stringify(metric)}; RaBitQ estimates ${RABITQ_METRICS.join(", ")}. Use cells of plain vectors for another.`,
			{ field: "metric", value: metric },
		);
	}
	const { bits, seed, epsilon } = RABITQ_BOUNDS;
	return {
		dimensions: checkInteger("dimensions", options.dimensions, RABITQ_BOUNDS.dimensions),
		metric,
		bits: options.bits === undefined ? bits.default : checkInteger("bits", options.bits, bits),
		seed: options.seed === undefined ? seed.default : checkInteger("seed", options.seed, seed),
		epsilon: options.epsilon === undefined ? epsilon.default : checkBound("epsilon", options.epsilon, epsilon),
	};
}
