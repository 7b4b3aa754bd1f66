import { type Random, seeded } from "./random.ts";

/** Vectors and queries of one distribution, row-major. */
export interface Rows {
	readonly base: Float32Array;
	readonly queries: Float32Array;
}

export interface Shape {
	readonly n: number;
	readonly dimensions: number;
	readonly queries: number;
	readonly seed: number;
}

/** Dimensions that the mixture really has. Embeddings have tens, however many numbers they are written in. */
const LATENT = 20;
/** A cluster's centre lies this far from the origin in each latent dimension (standard deviation), where its points have a spread near 1. */
const CENTRE_SPREAD = 1.5;
/** Noise in every one of the written dimensions, beside the mapped points' spread of about the square root of 1 + CENTRE_SPREAD^2. */
const NOISE = 0.1;
/** Sizes of clusters fall as rank^-TAIL: a few are large, most are small. */
const TAIL = 1;

/**
 * A mixture of Gaussians in 20 latent dimensions, mapped linearly to `dimensions` with noise added: about the square root of n clusters
 * of heavy-tailed sizes, each with a spread of its own per latent dimension. Queries are drawn from the same mixture.
 */
export function generated({ n, dimensions, queries, seed }: Shape): Rows {
	const draw = generatedRows({ n, dimensions, seed });
	return { base: draw(n), queries: draw(queries) };
}

/**
 * Draws the next rows of the set each time it is called: in whatever pieces, all together are those of {@link generated}, the base first and then
 * the queries. For sets that are not to be in memory as a whole.
 */
export function generatedRows({ n, dimensions, seed }: Omit<Shape, "queries">): (count: number) => Float32Array {
	const random = seeded(seed);
	const clusters = Math.max(4, Math.round(Math.sqrt(n)));
	const centres = fill(random, clusters * LATENT, (gaussian) => gaussian * CENTRE_SPREAD);
	const spreads = fill(random, clusters * LATENT, (gaussian) => Math.exp(0.3 * gaussian));
	const map = fill(random, LATENT * dimensions, (gaussian) => gaussian / Math.sqrt(LATENT));
	const shares = cumulativeShares(clusters);
	const point = new Float64Array(LATENT);
	return (count) => {
		const rows = new Float32Array(count * dimensions);
		const row = new Float64Array(dimensions);
		for (let i = 0; i < count; i++) {
			const cluster = LATENT * clusterAt(shares, random.uniform());
			for (let j = 0; j < LATENT; j++) {
				point[j] = (centres[cluster + j] as number) + (spreads[cluster + j] as number) * random.gaussian();
			}
			for (let d = 0; d < dimensions; d++) row[d] = NOISE * random.gaussian();
			for (let j = 0; j < LATENT; j++) {
				const weight = point[j] as number;
				const from = j * dimensions;
				for (let d = 0; d < dimensions; d++) row[d] = (row[d] as number) + weight * (map[from + d] as number);
			}
			rows.set(row, i * dimensions);
		}
		return rows;
	};
}

/** Independent uniform numbers in [0, 1): no structure to use, the hard case of every index. */
export function uniform({ n, dimensions, queries, seed }: Shape): Rows {
	const random = seeded(seed);
	const draw = (count: number) => Float32Array.from({ length: count * dimensions }, () => random.uniform());
	return { base: draw(n), queries: draw(queries) };
}

function fill(random: Random, length: number, of: (gaussian: number) => number): Float64Array {
	return Float64Array.from({ length }, () => of(random.gaussian()));
}

/** Share of the points that lies in the clusters up to each one, the largest first. */
function cumulativeShares(clusters: number): Float64Array {
	const shares = new Float64Array(clusters);
	let sum = 0;
	for (let rank = 0; rank < clusters; rank++) {
		sum += (rank + 1) ** -TAIL;
		shares[rank] = sum;
	}
	return shares.map((share) => share / sum);
}

/** The first cluster whose cumulative share exceeds `u`. */
function clusterAt(shares: Float64Array, u: number): number {
	let low = 0;
	let high = shares.length - 1;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((shares[middle] as number) > u) high = middle;
		else low = middle + 1;
	}
	return low;
}
