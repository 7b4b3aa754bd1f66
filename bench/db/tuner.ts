import { BOUNDS, type TunerAlgorithm } from "@nigh/contract";
import { armsFor, Bandit, cellsLadder, randomFrom } from "@nigh/recall";
import { SEED } from "./measurement.ts";

/** Choices that are timed. */
export const PULLS = 1_000_000;

/** The most settings that a cell of recall has to choose from: those of cells that have all of the named ones among them. */
export const TUNED = armsFor(cellsLadder({ nlist: 1_000, vectors: 1_000_000, dearest: 100 }));

/** Microseconds that a live tuner adds to a search: it chooses a setting, and takes in how long that took. */
export function tunerTime(algorithm: TunerAlgorithm): number {
	const { epsilonGreedy, epsilonDecay } = BOUNDS;
	const settings = { algorithm, epsilon: epsilonGreedy.default, decay: epsilonDecay.default, live: true };
	const bandit = new Bandit(settings, randomFrom(SEED));
	bandit.restrict(TUNED);
	const latencies = Float64Array.from({ length: 1_024 }, (_, i) => 0.1 + ((i * 7) % 13) / 100);
	pull(bandit, latencies);
	const start = performance.now();
	pull(bandit, latencies);
	return ((performance.now() - start) * 1_000) / PULLS;
}

function pull(bandit: Bandit, latencies: Float64Array): void {
	for (let i = 0; i < PULLS; i++) {
		const arm = bandit.serve();
		if (arm === undefined) throw new Error("there is nothing to choose from");
		bandit.credit(arm, latencies[i % latencies.length] as number);
	}
}
