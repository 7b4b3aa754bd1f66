import { type Random, randomBelow, randomFrom, shuffle } from "@nigh/recall";
import type { RecallMatrix } from "./matrix.ts";

/** How far below the target the wrong rungs are. */
export const BELOW = 0.0005;

export interface PlantOptions {
	readonly target: number;
	/** Queries of the pool: hits that are missing come out as whole numbers where it is a multiple of 2,000. */
	readonly pool: number;
	/** Rungs above the target, and below it. */
	readonly above: number;
	readonly below: number;
	/** How far below: {@link BELOW} where nothing is said. */
	readonly gap?: number;
	readonly seed: number;
}

/** Matrices that are made to be certified wrongly; means are exact to a hit. */
export const PLANTED = {
	/** Rungs just below the target, hits missing here and there, of each rung for itself: each is a chance of its own. */
	"just below": (options: PlantOptions): RecallMatrix =>
		plant(options, 10, (missing, random) => scattered(options.pool, 10, missing, random)),
	/** The same, of one rung: one chance, which peeking tries again and again. */
	"one just below": (options: PlantOptions): RecallMatrix =>
		plant({ ...options, below: 1 }, 10, (missing, random) => scattered(options.pool, 10, missing, random)),
	/** Queries that find everything or nothing, each rung for itself. */
	"all or nothing": (options: PlantOptions): RecallMatrix =>
		plant(options, 1, (missing, random) => scattered(options.pool, 1, missing, random)),
	/** The same where a cheaper rung fails the queries of the dearer one, and some more. */
	"all or nothing, nested": (options: PlantOptions): RecallMatrix => {
		const order = shuffle(
			Array.from({ length: options.pool }, (_, i) => i),
			randomFrom(options.seed + 1),
		);
		return plant(options, 1, (missing) => {
			const hits = new Uint8Array(options.pool).fill(1);
			for (const query of order.slice(0, missing)) hits[query] = 0;
			return hits;
		});
	},
	/** One query of a hundred finds nothing, on any rung; the others miss hits here and there. */
	"1 % at 0": (options: PlantOptions): RecallMatrix => {
		const { pool } = options;
		const lost = pool / 100;
		return plant(options, 10, (missing, random) => {
			const hits = new Uint8Array(pool);
			hits.set(scattered(pool - lost, 10, Math.max(0, missing - 10 * lost), random), lost);
			return hits;
		});
	},
	/** No rung keeps the target, from the dearest on. */
	"none above": (options: PlantOptions): RecallMatrix =>
		plant({ ...options, above: 0 }, 10, (missing, random) => scattered(options.pool, 10, missing, random)),
} as const satisfies Readonly<Record<string, (options: PlantOptions) => RecallMatrix>>;

export type PlantedName = keyof typeof PLANTED;

/** A ladder whose first rungs miss from a tenth to nine tenths of what may be missed, the others 0.0005 too much. */
function plant(
	{ target, pool, above, below, gap = BELOW, seed }: PlantOptions,
	k: number,
	hitsOf: (missing: number, random: Random) => Uint8Array,
): RecallMatrix {
	const random = randomFrom(seed);
	const allowed = Math.round((1 - target) * k * pool);
	const tooMuch = Math.round((1 - target + gap) * k * pool);
	const missing = [
		...Array.from({ length: above }, (_, rung) => Math.floor(allowed * (0.1 + (0.8 * rung) / Math.max(1, above - 1)))),
		...new Array<number>(below).fill(tooMuch),
	];
	return {
		k,
		rungs: missing.map((_, rung) => `rung ${rung}`),
		hits: missing.map((each) => hitsOf(each, random)),
		costs: missing.map((_, rung) => 1_000 / 1.1 ** rung),
		exactCost: 2_000,
	};
}

/** Takes away so many hits, any of them. */
function scattered(pool: number, k: number, missing: number, random: Random): Uint8Array {
	const hits = new Uint8Array(pool).fill(k);
	for (let taken = 0; taken < missing; ) {
		const query = randomBelow(random, pool);
		if ((hits[query] as number) === 0) continue;
		hits[query] = (hits[query] as number) - 1;
		taken++;
	}
	return hits;
}
