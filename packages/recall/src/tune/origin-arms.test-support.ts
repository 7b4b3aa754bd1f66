import assert from "node:assert/strict";
import type { RecallCell, TunerSpec } from "@nigh/contract";
import { CELL_ARMS } from "../ladder/cells.ts";
import type { Rung } from "../ladder/rungs.ts";
import { type Random, randomFrom } from "../random.ts";
import { type Arm, armsFor } from "./arms.ts";
import { Bandit } from "./bandit.ts";

/** NanoIndex's four, the dearest first: flat, ivf_aggressive, ivf_balanced, ivf_conservative. */
export const ORIGIN_ARMS: readonly Arm[] = armsFor(CELL_ARMS);

export function armCalled(name: string, arms: readonly Arm[] = ORIGIN_ARMS): Arm {
	const found = arms.find((arm) => arm.name === name);
	assert.ok(found !== undefined, `there is no arm called ${name}`);
	return found;
}

export const CELL: RecallCell = { k: { from: 10, to: 10 }, selectivity: { from: 1, to: 1 }, target: 0.95 };

export const GREEDY: Required<TunerSpec> = { algorithm: "epsilon-greedy", epsilon: 0.1, decay: 1, live: true };
export const UCB1: Required<TunerSpec> = { algorithm: "ucb1", epsilon: 0.1, decay: 1, live: true };

export function banditOf(
	settings: Required<TunerSpec>,
	arms: readonly Arm[] = ORIGIN_ARMS,
	random: Random = randomFrom(1),
): Bandit {
	const bandit = new Bandit(settings, random);
	bandit.restrict(arms);
	return bandit;
}

/** Chooses and credits so many times. Returns how often each arm was chosen. */
export function simulate(
	bandit: Bandit,
	searches: number,
	latencyOf: (arm: Arm, search: number) => number,
): ReadonlyMap<string, number> {
	const chosen = new Map<string, number>();
	for (let search = 0; search < searches; search++) {
		const arm = bandit.choose();
		assert.ok(arm !== undefined);
		chosen.set(arm.name, (chosen.get(arm.name) ?? 0) + 1);
		bandit.credit(arm, latencyOf(arm, search));
	}
	return chosen;
}

export const graphRungs = (...efs: readonly number[]): Rung[] => efs.map((ef) => ({ kind: "graph", ef }));
export const cellsRungs = (...nprobes: readonly number[]): Rung[] =>
	nprobes.map((nprobe) => ({ kind: "cells", nprobe }));
