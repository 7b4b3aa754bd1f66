import type { Rows, Shape } from "./generated.ts";
import { type Random, seeded } from "./random.ts";

/** Bins of a histogram of colours, by lightness and two axes of hue. */
export const GRID = [8, 12, 12] as const;
export const BINS = GRID[0] * GRID[1] * GRID[2];

/** Colours that dominate a picture. */
const COLOURS = { least: 2, most: 5 };
/** Bins that one of them spreads over on each axis, as a standard deviation. */
const SPREAD = { least: 0.5, most: 1.5 };

/**
 * Histograms of colours as pictures have them: each a mixture of two to five Gaussians of any place, spread and weight over a grid of
 * 8 x 12 x 12 bins, scaled to the sum 1, of which the square roots are taken. Rows have the length 1, and the Euclidean distance between
 * two is that of Hellinger but for a factor. Queries are drawn as the base is, after it.
 */
export function palettes({ n, queries, seed }: Omit<Shape, "dimensions">): Rows {
	const random = seeded(seed);
	const draw = (count: number) => {
		const rows = new Float32Array(count * BINS);
		for (let i = 0; i < count; i++) rows.set(palette(random), i * BINS);
		return rows;
	};
	return { base: draw(n), queries: draw(queries) };
}

function palette(random: Random): Float64Array {
	const shares = new Float64Array(BINS);
	const colours = COLOURS.least + Math.floor(random.uniform() * (COLOURS.most - COLOURS.least + 1));
	for (let colour = 0; colour < colours; colour++) {
		// Exponential weights are uniform among all that have one sum.
		addColour(shares, -Math.log(1 - random.uniform()), GRID.map((bins) => alongAxis(random, bins)) as Axes);
	}
	const sum = shares.reduce((total, share) => total + share, 0);
	return shares.map((share) => Math.sqrt(share / sum));
}

type Axes = [lightness: Float64Array, a: Float64Array, b: Float64Array];

/** What a Gaussian leaves in each bin of an axis; 1 in all together. */
function alongAxis(random: Random, bins: number): Float64Array {
	const centre = random.uniform() * bins;
	const spread = SPREAD.least + random.uniform() * (SPREAD.most - SPREAD.least);
	const shares = Float64Array.from({ length: bins }, (_, bin) => Math.exp(-0.5 * ((bin + 0.5 - centre) / spread) ** 2));
	const sum = shares.reduce((total, share) => total + share, 0);
	return shares.map((share) => share / sum);
}

function addColour(shares: Float64Array, weight: number, [lightness, a, b]: Axes): void {
	let bin = 0;
	for (const l of lightness) {
		for (const x of a) {
			const share = weight * l * x;
			for (const y of b) {
				shares[bin] = (shares[bin] as number) + share * y;
				bin++;
			}
		}
	}
}
