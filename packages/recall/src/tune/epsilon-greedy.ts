import { type Random, randomBelow } from "../random.ts";
import type { ArmRecord } from "./arm-record.ts";
import { greedy } from "./greedy.ts";

/**
 * An arm that takes more than so many times as long as the best one is not explored any more: with an epsilon of 0.1 and four arms every fortieth
 * search explores each, and an exact search of a large collection among them would be the 99th percentile of all.
 */
export const TOO_SLOW = 4;

/** After so many tries: the first search of an arm may meet cold memory. */
export const TRIES_BEFORE_TOO_SLOW = 3;

/**
 * Epsilon-greedy (Sutton & Barto, "Reinforcement Learning", 2nd ed., 2.2): with probability `epsilon` any arm, each as likely as the others, and
 * otherwise the best by what is known. {@link TOO_SLOW} arms are left out of the former; what earns less for its fallbacks counts as slow.
 *
 * @param records The dearest arm first. At least one.
 * @param epsilon 0 to 1.
 * @returns The place of the arm.
 */
export function epsilonGreedy(records: readonly ArmRecord[], epsilon: number, random: Random): number {
	if (random() >= epsilon) return greedy(records);
	let most = 0;
	for (let at = 0; at < records.length; at++) most = Math.max(most, (records[at] as ArmRecord).worth);
	let candidates = 0;
	for (let at = 0; at < records.length; at++) if (isExplored(records[at] as ArmRecord, most)) candidates++;
	let skipped = randomBelow(random, candidates);
	for (let at = 0; at < records.length; at++) {
		if (isExplored(records[at] as ArmRecord, most) && skipped-- === 0) return at;
	}
	return greedy(records);
}

function isExplored(record: ArmRecord, most: number): boolean {
	return record.tries < TRIES_BEFORE_TOO_SLOW || record.worth * TOO_SLOW >= most;
}
