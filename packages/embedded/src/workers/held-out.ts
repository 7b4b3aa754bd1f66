import { setTimeout } from "node:timers/promises";
import { HELD_OUT_MS } from "../examiner/parameters.ts";
import type { IndexedCollection, IndexerSurroundings } from "./indexed-collection.ts";
import type { Owned } from "./next-generation.ts";
import { Task } from "./task.ts";

/** ms between two looks at whether the index is wanted. */
const LOOK_MS = 5;

export interface HeldOutWaiting {
	/** Whether the index is wanted by now, however much is known of its recall. */
	isPressed(): boolean;
	/** Called at each look; what it throws ends the wait. */
	between(): Promise<void>;
}

/**
 * Has the recall of an index asked by vectors that it has not taken in, and waits until that has been done, or the index is wanted. When it resolves or
 * rejects, nobody asks any more, nor begins to: what is taken in from then on cannot ask for itself. What has not been taken up by then, since those who
 * ask do something else, is not waited for: it ends as soon as it would begin.
 */
export async function askByHeldOut(
	around: Pick<IndexerSurroundings, "examine" | "unexamined">,
	collection: Pick<IndexedCollection, "key" | "name" | "spec" | "noteExaminable" | "noteUnexamined">,
	index: Owned,
	slots: Uint32Array,
	{ isPressed, between }: HeldOutWaiting,
): Promise<void> {
	const task = new Task();
	let isDone = false;
	// That nobody can ask, for want of memory, is told: the index is as good as it is without.
	const asked = (async () => around.examine(collection, index, slots, task))()
		.catch((error) => around.unexamined(collection, index.generation, error))
		.finally(() => {
			isDone = true;
		});
	const since = performance.now();
	try {
		while (!isDone) {
			if (isPressed() || performance.now() - since > HELD_OUT_MS) task.abort();
			if (task.isAborted && !task.isTakenUp) break;
			await Promise.race([asked, setTimeout(LOOK_MS)]);
			await between();
		}
	} finally {
		task.abort();
		if (task.isTakenUp) await asked;
	}
}
