/** How two vectors are compared. `hamming` is for packed bits, the others for floats. */
export const METRICS = ["l2", "cosine", "ip", "l1", "hamming"] as const;

export type Metric = (typeof METRICS)[number];

declare const unit: unique symbol;

/**
 * Smaller is nearer. `l2` is Euclidean (not squared), `cosine` is 1 - cos (0 to 2; a zero vector is at 1 from everything),
 * `ip` is minus the dot product, `l1` the sum of absolute differences, `hamming` the number of differing bits.
 */
export type Distance = number & { readonly [unit]: "distance" };

/**
 * Larger is nearer: what people expect to see. `l2` and `l1` give 1 / (1 + d), `cosine` the cosine, `ip` the dot product,
 * `hamming` 1 - d / bits.
 */
export type Score = number & { readonly [unit]: "score" };

/** The score that belongs to a distance. `dimensions` counts bits and is only needed for `hamming`. */
export function scoreOf(metric: Metric, distance: Distance, dimensions: number): Score {
	switch (metric) {
		case "l2":
		case "l1":
			return (1 / (1 + distance)) as Score;
		case "cosine":
			return (1 - distance) as Score;
		case "ip":
			// Not -distance: a dot product of 0 is 0, not -0.
			return (0 - distance) as Score;
		case "hamming":
			return (1 - distance / dimensions) as Score;
	}
}
