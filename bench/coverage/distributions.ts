import { generatedRows } from "../sets/generated.ts";
import { seeded } from "../sets/random.ts";

/** Draws the next rows of a distribution: independent ones, so that the first are the base and the others were never inserted. */
export type Draw = (count: number) => Float32Array;

interface Shape {
	/** Rows of the base, for those whose clusters are counted by it. */
	readonly n: number;
	readonly dimensions: number;
	readonly seed: number;
}

/** Clusters of {@link DISTRIBUTIONS.clusters}: few and far apart, so that a search begins in the wrong one. */
const CLUSTERS = 25;
/** Rows that the duplicates are copies of, and the share of rows that are copies. */
const COPIED = { rows: 60, share: 0.4 };
/** Rows far outside, and how far. */
const OUTLIERS = { share: 0.02, factor: 8 };

/** How rows come about. Each is drawn from its seed, and gives the same rows wherever it is drawn. */
export const DISTRIBUTIONS = {
	/** Clusters of heavy-tailed sizes in 20 latent dimensions, with noise: what embeddings are like. */
	mixture: ({ n, dimensions, seed }: Shape): Draw => generatedRows({ n, dimensions, seed }),
	/** Independent uniform numbers: no structure, the hard case. */
	uniform: ({ dimensions, seed }: Shape): Draw => {
		const random = seeded(seed);
		return rowsOf(dimensions, (row) => each(row, () => random.uniform()));
	},
	/** Independent normal numbers. */
	gaussian: ({ dimensions, seed }: Shape): Draw => {
		const random = seeded(seed);
		return rowsOf(dimensions, (row) => each(row, () => random.gaussian()));
	},
	/** Tight clusters, far apart. */
	clusters: ({ dimensions, seed }: Shape): Draw => {
		const random = seeded(seed);
		const centres = Float64Array.from({ length: CLUSTERS * dimensions }, () => 4 * random.gaussian());
		return rowsOf(dimensions, (row) => {
			const at = Math.floor(random.uniform() * CLUSTERS) * dimensions;
			each(row, (j) => (centres[at + j] as number) + 0.5 * random.gaussian());
		});
	},
	/** Normal numbers whose variances fall as 1 / rank: few dimensions say most. */
	spectrum: ({ dimensions, seed }: Shape): Draw => {
		const random = seeded(seed);
		return rowsOf(dimensions, (row) => each(row, (j) => random.gaussian() / Math.sqrt(j + 1)));
	},
	/** A tenth of the numbers of a row, and not below 0: the others are 0. */
	sparse: ({ dimensions, seed }: Shape): Draw => {
		const random = seeded(seed);
		return rowsOf(dimensions, (row) => {
			each(row, () => (random.uniform() < 0.1 ? Math.abs(random.gaussian()) : 0));
			// A row of zeros has no direction.
			row[Math.floor(random.uniform() * dimensions)] = 1;
		});
	},
	/** A curved surface of four dimensions, with a little noise. */
	surface: ({ dimensions, seed }: Shape): Draw => {
		const random = seeded(seed);
		const waves = Float64Array.from({ length: 4 * dimensions }, () => 2 * random.gaussian());
		const phases = Float64Array.from({ length: dimensions }, () => 2 * Math.PI * random.uniform());
		return rowsOf(dimensions, (row) => {
			const latent = [random.uniform(), random.uniform(), random.uniform(), random.uniform()];
			each(row, (j) => {
				const wave = latent.reduce((sum, x, i) => sum + x * (waves[4 * j + i] as number), phases[j] as number);
				return Math.sin(wave) + 0.02 * random.gaussian();
			});
		});
	},
	/** A mixture of which two fifths of the rows are copies of 60: many ties, and queries that are in the base word for word. */
	duplicates: ({ n, dimensions, seed }: Shape): Draw => {
		const draw = generatedRows({ n, dimensions, seed });
		const random = seeded(seed + 1);
		const copied = draw(COPIED.rows);
		return (count) => {
			const rows = draw(count);
			for (let i = 0; i < count; i++) {
				if (random.uniform() >= COPIED.share) continue;
				const from = Math.floor(random.uniform() * COPIED.rows) * dimensions;
				rows.set(copied.subarray(from, from + dimensions), i * dimensions);
			}
			return rows;
		};
	},
	/** A mixture with two rows of a hundred far outside. */
	outliers: ({ n, dimensions, seed }: Shape): Draw => {
		const draw = generatedRows({ n, dimensions, seed });
		const random = seeded(seed + 1);
		return (count) => {
			const rows = draw(count);
			for (let i = 0; i < count; i++) {
				if (random.uniform() < OUTLIERS.share) scale(rows, i, dimensions, OUTLIERS.factor * (0.5 + random.uniform()));
			}
			return rows;
		};
	},
	/** Normal directions with lengths of a heavy tail: under the inner product few rows are the answer to most queries. */
	lengths: ({ dimensions, seed }: Shape): Draw => {
		const random = seeded(seed);
		return rowsOf(dimensions, (row) => {
			const length = Math.exp(0.5 * random.gaussian());
			each(row, () => length * random.gaussian());
		});
	},
	/** Whole numbers from 0 to 7 around the centres of clusters: distances tie. */
	grid: ({ n, dimensions, seed }: Shape): Draw => {
		const draw = generatedRows({ n, dimensions, seed });
		return (count) => draw(count).map((value) => Math.max(0, Math.min(7, Math.round(value + 3.5))));
	},
} as const satisfies Readonly<Record<string, (shape: Shape) => Draw>>;

export type DistributionName = keyof typeof DISTRIBUTIONS;

/** Where queries come from, seen from the rows of the base. */
export const QUERY_KINDS = {
	/** As the base. */
	same: (draw: Draw): Draw => draw,
	/** As the base, and each number half a unit larger: all of them lie to one side. */
	shifted: (draw: Draw): Draw => {
		return (count) => draw(count).map((value) => value + 0.5);
	},
	/** Half way between two rows as those of the base. */
	between: (draw: Draw): Draw => {
		return (count) => {
			const [one, other] = [draw(count), draw(count)];
			return one.map((value, i) => (value + (other[i] as number)) / 2);
		};
	},
	/** Seven of ten as the base, three as another set of the same kind. */
	other: (draw: Draw, shape: Shape, distribution: DistributionName): Draw => {
		const elsewhere = DISTRIBUTIONS[distribution]({ ...shape, seed: shape.seed + 1_000 });
		const random = seeded(shape.seed + 2);
		return (count) => {
			const [rows, others] = [draw(count), elsewhere(count)];
			const { dimensions } = shape;
			for (let i = 0; i < count; i++) {
				if (random.uniform() < 0.3) rows.set(others.subarray(i * dimensions, (i + 1) * dimensions), i * dimensions);
			}
			return rows;
		};
	},
} as const;

export type QueryKind = keyof typeof QUERY_KINDS;

function rowsOf(dimensions: number, fill: (row: Float32Array) => void): Draw {
	return (count) => {
		const rows = new Float32Array(count * dimensions);
		for (let i = 0; i < count; i++) fill(rows.subarray(i * dimensions, (i + 1) * dimensions));
		return rows;
	};
}

function each(row: Float32Array, value: (j: number) => number): void {
	for (let j = 0; j < row.length; j++) row[j] = value(j);
}

function scale(rows: Float32Array, i: number, dimensions: number, factor: number): void {
	for (let at = i * dimensions; at < (i + 1) * dimensions; at++) rows[at] = factor * (rows[at] as number);
}
