import { NighError } from "@nigh/contract";
import { uniform } from "../random.ts";

/** Where the vectors to train on come from. */
export type TrainingSource = "real" | "hybrid" | "synthetic";

/** From how many stored vectors on a source is used, and how many vectors it comes to. */
export const TRAINING_SOURCES = {
	/** Enough of them: nothing is made up. */
	real: { from: 1_000 },
	/** Some: others are made up until there are so many. */
	hybrid: { from: 100, total: 1_500 },
	/** Too few to tell what others will be like. */
	synthetic: { from: 0, total: 2_000 },
} as const;

/** How many vectors of which origin to train on. */
export interface TrainingPlan {
	readonly source: TrainingSource;
	readonly real: number;
	readonly synthetic: number;
}

/**
 * What to train on where so many vectors are stored. Cells that were trained on vectors which are made up hold real ones no worse, but less evenly: train
 * again once there are enough.
 */
export function planTraining(stored: number): TrainingPlan {
	const { real, hybrid, synthetic } = TRAINING_SOURCES;
	if (stored >= real.from) return { source: "real", real: stored, synthetic: 0 };
	if (stored >= hybrid.from) return { source: "hybrid", real: stored, synthetic: hybrid.total - stored };
	return { source: "synthetic", real: 0, synthetic: synthetic.total };
}

/** Makes up `n` vectors, row after row; `real` are those that are stored. */
export type VectorGenerator = (n: number, real: Float32Array) => Float32Array | Promise<Float32Array>;

/**
 * The rows of a plan, for {@link IvfIndex.train}: those that are stored, then those that a generator makes up. For an index that has to answer by cells
 * before there is enough to learn them from; a database serves its first vectors without.
 *
 * @throws NighError `DIMENSION_MISMATCH` where rows are not whole vectors, or a generator gives another number than it was asked for.
 */
export async function trainingRows(
	stored: Float32Array,
	dimensions: number,
	generate: VectorGenerator = aroundReal(dimensions),
): Promise<{ readonly plan: TrainingPlan; readonly rows: Float32Array }> {
	const n = stored.length / dimensions;
	if (!Number.isInteger(n)) {
		throw new NighError(
			"DIMENSION_MISMATCH",
			`${stored.length} numbers are no whole vectors of ${dimensions}: give rows of ${dimensions} numbers, one after the other`,
			{ expected: dimensions, actual: stored.length },
		);
	}
	const plan = planTraining(n);
	if (plan.synthetic === 0) return { plan, rows: stored };
	const made = await generate(plan.synthetic, stored);
	if (made.length !== plan.synthetic * dimensions) {
		throw new NighError(
			"DIMENSION_MISMATCH",
			`the generator was asked for ${plan.synthetic} vectors of ${dimensions} and gave ${made.length} numbers`,
			{ expected: plan.synthetic * dimensions, actual: made.length },
		);
	}
	const real = stored.subarray(0, plan.real * dimensions);
	const rows = new Float32Array(real.length + made.length);
	rows.set(real);
	rows.set(made, real.length);
	return { plan, rows };
}

/**
 * Makes vectors up around those there are: one of them, with noise as wide as each dimension spreads; where there are none, numbers of a normal
 * distribution. The same seed makes the same.
 */
export function aroundReal(dimensions: number, seed = 42): VectorGenerator {
	return (n, real) => {
		const rows = real.length / dimensions;
		const spread = spreadOf(real, dimensions);
		let draw = 0;
		const made = new Float32Array(n * dimensions);
		for (let i = 0; i < n; i++) {
			const from = Math.floor(uniform(seed, draw++) * rows) * dimensions;
			for (let j = 0; j < dimensions; j++) {
				// Of twelve uniform numbers the sum is near enough to a normal one, and the same on every machine.
				let noise = -6;
				for (let part = 0; part < 12; part++) noise += uniform(seed, draw++);
				made[i * dimensions + j] = (rows === 0 ? 0 : (real[from + j] as number)) + noise * (spread[j] as number);
			}
		}
		return made;
	};
}

/** The standard deviation of each dimension; 1 where there is nothing to tell it. */
function spreadOf(real: Float32Array, dimensions: number): Float64Array {
	const rows = real.length / dimensions;
	const spread = new Float64Array(dimensions).fill(1);
	if (rows < 2) return spread;
	for (let j = 0; j < dimensions; j++) {
		let [sum, squares] = [0, 0];
		for (let i = 0; i < rows; i++) {
			const x = real[i * dimensions + j] as number;
			sum += x;
			squares += x * x;
		}
		spread[j] = Math.sqrt(Math.max(0, squares / rows - (sum / rows) * (sum / rows)));
	}
	return spread;
}
