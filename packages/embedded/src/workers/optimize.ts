import { isNighError, NighError } from "@nigh/contract";
import type { IndexChoice } from "../records/catalogue.ts";
import { UNEXAMINED } from "./chores.ts";
import { heldOutOf, isExaminationDue, mayBeExamined } from "./due.ts";
import type { IndexedCollection, IndexerSurroundings } from "./indexed-collection.ts";
import { isOtherKind } from "./main-index.ts";
import { checkWithin } from "./memory-plan.ts";
import { MOST_TRIES } from "./parameters.ts";
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
 * @throws NighError `ABORTED`; `MEMORY_LIMIT`, also where what it is to be is not within the cap; `UNAVAILABLE` where more is written than can be
 * taken over.
 */
export async function optimize(
	collection: IndexedCollection,
	around: Pick<IndexerSurroundings, "keepNewest">,
	{ fresh, index, task = new Task() }: OptimizeOptions,
): Promise<void> {
	const { owned, choice } = collection;
	if (index !== undefined) {
		checkWithin(collection, index);
		collection.choice = index;
	}
	try {
		await renew(collection, fresh, task);
	} catch (error) {
		if (collection.owned === owned) collection.choice = choice;
		throw error;
	}
	// What was wrong has been done anew; what has failed again is still so. Whether it can be examined is found out with each generation.
	for (const code of collection.problems.keys()) if (code !== UNEXAMINED) collection.problems.delete(code);
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
	if (isExaminationDue(collection) || (collection.wasPressed && mayBeExamined(collection))) {
		await collection.foldAll(task, heldOutOf(collection));
		await collection.examineByTail(task);
	}
	await collection.foldAll(task);
	if (!isNew) return;
	task.begin(building);
	await replace(collection, { fresh: isFresh, task });
	// The one on disk is of the same change, and of the index before.
	if (isFresh) collection.snapshotChange = null;
	task.begin(0);
	await collection.foldAll(task);
	collection.arrangedUpTo = collection.generation.mainEnd;
}

/** What others have outrun while it was built is built again, and has then what they have written. */
async function replace(
	collection: IndexedCollection,
	options: { readonly fresh: boolean; readonly task: Task },
): Promise<void> {
	for (let tries = 1; ; tries++) {
		try {
			return await collection.replace({ ...options, arrange: true });
		} catch (error) {
			if (!isNighError(error, "UNAVAILABLE")) throw error;
			if (tries === MOST_TRIES) throw outrun(error);
		}
	}
}

function outrun(cause: NighError): NighError {
	return new NighError(
		"UNAVAILABLE",
		`${MOST_TRIES} times, more was written while the index was built than it has room for; the collection goes on with the one that it has. Write less meanwhile, and ask for it again.`,
		{ tries: MOST_TRIES },
		{ cause },
	);
}
