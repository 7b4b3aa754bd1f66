import type { Bandit } from "./bandit.ts";

/**
 * Whether the arm that serves a cell keeps a target for the mean latency: by the plain mean, since that is what the target is of. The harmonic mean
 * that arms are compared by is smaller, and a few slow searches would not show in it.
 *
 * @param latencyMs `null`: there is no target.
 * @returns `null` without a target, or as long as that arm has answered no search.
 */
export function keepsLatency(bandit: Bandit, latencyMs: number | null): boolean | null {
	const serving = bandit.best();
	const meanMs = bandit.records.find(({ arm }) => arm === serving)?.meanMs ?? null;
	return latencyMs === null || meanMs === null ? null : meanMs <= latencyMs;
}

/**
 * The smallest mean latency of all arms of a cell, where even that is above the target: recall and latency cannot both be kept. `undefined` where they can,
 * and as long as there is an arm that has not been tried: it might keep both.
 */
export function smallestAbove(bandit: Bandit, latencyMs: number): number | undefined {
	let smallest = Number.POSITIVE_INFINITY;
	for (const { tries, meanMs } of bandit.records) {
		if (tries === 0) return undefined;
		if (meanMs !== null && meanMs < smallest) smallest = meanMs;
	}
	return smallest > latencyMs && Number.isFinite(smallest) ? smallest : undefined;
}
