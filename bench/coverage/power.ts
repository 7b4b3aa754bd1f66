import { BettingTest, type Random, randomFrom } from "@nigh/recall";

/**
 * 1 / correlation - 1 of hits that are missing together. The design does not say of which recalls its numbers are: of the correlations 0.1, 0.15, 0.2
 * and 0.25 that were tried, this one came nearest to them. So what it shows of them is that there are such recalls, and no more; all-or-nothing queries
 * leave nothing to choose.
 */
const WEIGHT = 1 / 0.25 - 1;

/** How hits that are missing are shared out among queries, the mean being the same. */
export const SHAPES = {
	/** Each of ten hits is missing by itself. */
	scattered: (mean: number, random: Random): number => {
		let hits = 0;
		for (let i = 0; i < 10; i++) if (random() < mean) hits++;
		return hits / 10;
	},
	/** Misses come together: of ten hits each is the likelier to be missing the more of the others are (beta-binomial, correlation 0.25). */
	clumped: (mean: number, random: Random): number => {
		let hits = 0;
		for (let i = 0; i < 10; i++) if (random() < (mean * WEIGHT + hits) / (WEIGHT + i)) hits++;
		return hits / 10;
	},
	/** A query finds everything or nothing. */
	"all or nothing": (mean: number, random: Random): number => (random() < mean ? 1 : 0),
} as const satisfies Readonly<Record<string, (mean: number, random: Random) => number>>;

export type ShapeName = keyof typeof SHAPES;

export interface PowerCase {
	readonly target: number;
	/** True mean of the rung. */
	readonly truth: number;
	readonly shape: ShapeName;
	/** Queries by which the design says that half of the runs, and nine of ten, have passed; left out where it says nothing. */
	readonly designed?: readonly [half: number, most: number];
}

/** What the design promises, and what else is asked beside it. */
export const POWER_CASES: readonly PowerCase[] = [
	{ target: 0.95, truth: 0.97, shape: "clumped", designed: [320, 576] },
	{ target: 0.95, truth: 0.96, shape: "clumped", designed: [1_024, 2_048] },
	{ target: 0.99, truth: 0.995, shape: "clumped", designed: [960, 1_792] },
	{ target: 0.99, truth: 0.995, shape: "all or nothing", designed: [1_920, 4_864] },
	{ target: 0.9, truth: 0.92, shape: "clumped", designed: [448, 896] },
	{ target: 0.95, truth: 0.97, shape: "scattered" },
	{ target: 0.95, truth: 0.97, shape: "all or nothing" },
	{ target: 0.95, truth: 0.96, shape: "all or nothing" },
	{ target: 0.9, truth: 0.92, shape: "all or nothing" },
];

export interface Power extends PowerCase {
	/** Queries by which half of the runs have passed, and nine of ten. */
	readonly half: number;
	readonly most: number;
	/** Share of the runs that have passed by the numbers of the design. */
	readonly byDesign?: readonly [half: number, most: number];
}

/** Queries after which a run that has not passed is given up. */
const LONGEST = 50_000;

/** How many queries one rung needs, by so many runs of the test itself. */
export function powerOf(asked: PowerCase, { runs, delta, seed }: { runs: number; delta: number; seed: number }): Power {
	const random = randomFrom(seed);
	const draw = SHAPES[asked.shape];
	const needed = Float64Array.from({ length: runs }, () => {
		const test = new BettingTest(asked.target, delta);
		while (test.size < LONGEST && !test.passed) test.add(draw(asked.truth, random));
		return test.passed ? test.size : Number.POSITIVE_INFINITY;
	}).sort();
	const at = (share: number) => needed[Math.ceil(share * runs) - 1] as number;
	const by = (queries: number) => needed.filter((each) => each <= queries).length / runs;
	return {
		...asked,
		half: at(0.5),
		most: at(0.9),
		...(asked.designed !== undefined && { byDesign: [by(asked.designed[0]), by(asked.designed[1])] as const }),
	};
}
