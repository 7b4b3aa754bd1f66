import { type Random, randomBelow, randomFrom } from "@nigh/recall";
import { cheapestOf, costOf, type RecallMatrix, trueMeans } from "./matrix.ts";
import type { Procedure, Sample, Served } from "./procedures.ts";

export interface RedrawOptions {
	readonly targets: readonly number[];
	readonly delta: number;
	/** Certification samples that are drawn. */
	readonly redraws: number;
	/** Queries of each, drawn from the pool with replacement. */
	readonly queries: number;
	readonly seed: number;
	readonly procedure: Procedure;
}

/** What became of the redraws at one target. */
export interface Outcome {
	readonly target: number;
	readonly redraws: number;
	/** Redraws of which some certified rung has a true mean below the target. */
	readonly wrong: number;
	/** Redraws that certified an approximate rung. */
	readonly approximate: number;
	/** Whether any rung of the ladder keeps the target. */
	readonly attainable: boolean;
	/** Cost of the served rung over that of the cheapest that keeps the target: the median of the redraws that are not wrong; NaN without any. */
	readonly costRatio: number;
}

/** Draws samples of a matrix's pool, certifies by each, and judges by the true means. */
export function redraw(matrix: RecallMatrix, options: RedrawOptions): Outcome[] {
	const { targets, delta, redraws, queries, seed, procedure } = options;
	const means = trueMeans(matrix);
	const random = randomFrom(seed);
	const served = targets.map((): Served[] => []);
	for (let i = 0; i < redraws; i++) {
		for (const [t, each] of procedure(drawSample(matrix, queries, random), targets, delta).entries())
			served[t]?.push(each);
	}
	return targets.map((target, t) => judge(matrix, means, target, served[t] as Served[]));
}

/** Queries drawn from the pool with replacement. */
export function drawSample({ k, hits }: RecallMatrix, queries: number, random: Random): Sample {
	const pool = hits[0]?.length ?? 0;
	const drawn = Uint32Array.from({ length: queries }, () => randomBelow(random, pool));
	const recalls = Float64Array.from({ length: k + 1 }, (_, hit) => hit / k);
	return {
		rungs: hits.length,
		queries,
		recall: (rung, query) => recalls[(hits[rung] as Uint8Array)[drawn[query] as number] as number] as number,
	};
}

function judge(matrix: RecallMatrix, means: readonly number[], target: number, served: readonly Served[]): Outcome {
	// A rung is certified wrongly with the first below the target: those that are dearer than the served one have passed as well.
	const firstWrong = means.findIndex((mean) => mean < target);
	const isWrong = (rung: number) => firstWrong >= 0 && rung >= firstWrong;
	const cheapest = costOf(matrix, cheapestOf(matrix, target));
	const right = served.filter(({ certified }) => !isWrong(certified));
	return {
		target,
		redraws: served.length,
		wrong: served.length - right.length,
		approximate: served.filter(({ certified }) => certified >= 0).length,
		attainable: means.some((mean) => mean >= target),
		costRatio: median(Float64Array.from(right, ({ serves }) => costOf(matrix, serves) / cheapest)),
	};
}

export function median(values: Float64Array): number {
	const sorted = values.toSorted();
	const middle = sorted.length >> 1;
	if (sorted.length === 0) return Number.NaN;
	if (sorted.length % 2 === 1) return sorted[middle] as number;
	return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
