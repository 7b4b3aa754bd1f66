import assert from "node:assert/strict";
import { serial } from "@nigh/index";
import type { Chore } from "./chores.ts";
import type { IndexedCollection, IndexerSurroundings } from "./indexed-collection.ts";
import { NOWHERE } from "./rows.test-support.ts";

/** Long after everything else. */
export const LATER = 10 ** 9;

/** An indexer on this thread whose writer takes every generation and listens to nothing else; `given` in place of its own. */
export function surroundings(given: Partial<IndexerSurroundings> = {}): IndexerSurroundings {
	return {
		parallel: serial,
		install: async () => true,
		freed() {},
		folded() {},
		foldFailed() {},
		stalled() {},
		outgrown() {},
		reindex: async () => {},
		examine: async () => {},
		unexamined() {},
		isAwaited: () => false,
		keepsSnapshots: false,
		placeOf: () => NOWHERE,
		saveSnapshot: async () => {},
		keepNewest: async () => {},
		...given,
	};
}

/** Does what there is to do until nothing is left; returns what that was, folds left out. */
export async function work(collection: IndexedCollection): Promise<Chore[]> {
	const done: Chore[] = [];
	for (let rounds = 0; rounds < 40; rounds++) {
		const next = collection.chore(LATER);
		if (next === undefined) return done;
		assert.ok("chore" in next, "there is something to wait for");
		await collection.run(next.chore);
		if (next.chore !== "fold") done.push(next.chore);
	}
	assert.fail(`it does not end: ${done}`);
}
