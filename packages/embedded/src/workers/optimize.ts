import type { IndexChoice } from "../records/catalogue.ts";
import type { IndexedCollection, IndexerSurroundings } from "./indexed-collection.ts";
import { isOtherKind } from "./main-index.ts";
import { Task } from "./task.ts";

/** What copying a graph, laying its nodes out, and saving it weigh for each vector; to link one anew weighs 1. */
const COPYING = 0.1;
export const ARRANGING = 0.1;
export const SAVING = 0.1;

export interface OptimizeOptions {
	/** Build it anew whatever it is like. */
	readonly fresh: boolean;
	/** What it is to be from now on. */
	readonly index?: IndexChoice | undefined;
	readonly task?: Task;
}

/**
 * Takes everything in, leaves out what has died, and lays the graph out anew; then writes a snapshot and removes those before it. What goes
 * wrong before another generation has taken over leaves the old one as it is, and what it was to be.
 *
 * @throws NighError `ABORTED`.
 */
export async function optimize(
	collection: IndexedCollection,
	around: Pick<IndexerSurroundings, "keepNewest">,
	{ fresh, index, task = new Task() }: OptimizeOptions,
): Promise<void> {
	const { owned, choice } = collection;
	if (index !== undefined) collection.choice = index;
	try {
		await renew(collection, fresh, task);
	} catch (error) {
		if (collection.owned === owned) collection.choice = choice;
		throw error;
	}
	// What was wrong has been done anew; what has failed again is still so.
	collection.problems.clear();
	await collection.snapshotNow(task);
	await around.keepNewest(collection);
}

async function renew(collection: IndexedCollection, fresh: boolean, task: Task): Promise<void> {
	task.check();
	const { generation, tail, owned } = collection;
	const { live, deleted, slotEnd } = generation;
	const folding = owned.main === undefined ? 0 : tail;
	const isIndexed = collection.wanted(live) !== null;
	const isFresh = fresh || isIndexed !== (owned.main !== undefined) || isOtherKind(owned.main, collection.wanted(live));
	const isNew = isFresh || deleted > 0 || collection.arrangedUpTo !== slotEnd;
	const building = isNew ? live * ((isFresh ? 1 : COPYING) + ARRANGING) : 0;
	task.plan(folding + building + (isIndexed ? live * SAVING : 0));
	task.begin(folding);
	await collection.foldAll(task);
	if (!isNew) return;
	task.begin(building);
	await collection.replace({ fresh: isFresh, arrange: true, task });
	// The one on disk is of the same change, and of the index before.
	if (isFresh) collection.snapshotChange = null;
	task.begin(0);
	await collection.foldAll(task);
	collection.arrangedUpTo = collection.generation.mainEnd;
}
