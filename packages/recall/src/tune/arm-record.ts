import type { ArmStats } from "@nigh/contract";
import { type Arm, endsEarly, settingOf } from "./arms.ts";

/** The reward of a search is this by its latency in ms: 1 ms earns 1000, 10 ms earn 100. */
const REWARD = 1_000;

/** ms that no clock can have measured: below a nanosecond, or above 30 years. */
const SHORTEST = 1e-6;
const LONGEST = 1e12;

/** What is kept of an arm. */
export interface ArmState extends Arm {
	readonly pulls: number;
	readonly fallbacks: number;
	readonly totalReward: number;
	readonly totalMs: number;
}

/** What is known of one arm. */
export class ArmRecord {
	/** Whoever finds an equal arm certified puts that one here, so that what is chosen is never what a state held. */
	arm: Arm;
	/** Searches that it has answered as labelled. */
	pulls = 0;
	/** Searches that it was chosen for and that were answered another way. */
	fallbacks = 0;
	/** Sum of 1000 / latency in ms. */
	totalReward = 0;
	/** Sum of the latencies in ms. */
	totalMs = 0;
	/**
	 * Searches that it was chosen for and that have told nothing yet. So that searches that run side by side do not all try the same arm. One that
	 * never tells (its caller gave up) counts for ever as one that was tried.
	 */
	pending = 0;

	constructor(arm: Arm) {
		this.arm = arm;
	}

	/** @param state As {@link readTunerState} has let it through. */
	static from({ name, rung, ...state }: ArmState): ArmRecord {
		return Object.assign(new ArmRecord({ name, rung }), state);
	}

	/**
	 * Takes in a search that the arm has answered as labelled. What is no latency (0 and below, not finite, or beyond any clock) leaves all as it was.
	 *
	 * @returns Whether it was one.
	 */
	credit(latencyMs: number): boolean {
		if (!(latencyMs >= SHORTEST && latencyMs <= LONGEST)) return false;
		this.pulls++;
		this.totalReward += REWARD / latencyMs;
		this.totalMs += latencyMs;
		return true;
	}

	/** Forgets all but the arm. */
	reset(): void {
		this.pulls = 0;
		this.fallbacks = 0;
		this.totalReward = 0;
		this.totalMs = 0;
		this.pending = 0;
	}

	/** Searches that have told something. */
	get tries(): number {
		return this.pulls + this.fallbacks;
	}

	/** Mean reward of a try; one that fell back has earned nothing. 0 before the first. */
	get worth(): number {
		return this.totalReward === 0 ? 0 : this.totalReward / this.tries;
	}

	/**
	 * Mean latency in ms; `null` before the first. Not the harmonic mean of {@link stats}, which is made of rewards and hides slow searches: 1 ms and
	 * 99 ms are 50 here and 1.98 there.
	 */
	get meanMs(): number | null {
		return this.pulls === 0 ? null : this.totalMs / this.pulls;
	}

	get stats(): ArmStats {
		const { arm, pulls, totalReward } = this;
		const averageReward = pulls === 0 ? 0 : totalReward / pulls;
		return {
			arm: arm.name,
			setting: settingOf(arm.rung),
			endsEarly: endsEarly(arm.rung),
			pulls,
			totalReward,
			averageReward,
			averageLatencyMs: pulls === 0 ? null : REWARD / averageReward,
		};
	}

	get state(): ArmState {
		const { arm, pulls, fallbacks, totalReward, totalMs } = this;
		return { name: arm.name, rung: arm.rung, pulls, fallbacks, totalReward, totalMs };
	}
}
