import { HnswIndex, IvfIndex } from "@nigh/index";
import { churnOf } from "../memory/generation.ts";
import { givesRoom } from "../memory/sizes.ts";
import { STALE_FROM } from "../recall/served.ts";
import type { Chore } from "./chores.ts";
import { LEAST_HELD_OUT, mostHeldOut } from "./hold-out.ts";
import type { IndexedCollection } from "./indexed-collection.ts";
import { isAnotherWanted, leastDead } from "./memory-plan.ts";
import {
	DEAD_SHARE,
	HOT_TAIL_SHARE,
	IDLE_MS,
	LEAST_WAIT_MS,
	MANY_FILES,
	ROOM_SHARE,
	SMALL_CHANGE,
	SNAPSHOT_LEAST,
	SNAPSHOT_SHARE,
	STUCK_MS,
} from "./parameters.ts";

/** What there is to do at `now` (`performance.now()`), the most urgent first. */
export function* due(collection: IndexedCollection, now: number): Generator<Chore> {
	const { generation, owned, tail, expected } = collection;
	const { live, slotEnd, deleted } = generation;
	if (isStuck(collection, now) || isRoomDue(collection)) yield "room";
	if (isAnotherWanted(collection, live, expected)) yield "build";
	// From what there is none can be built: more of it has to come.
	if (collection.awaitsIndex && isTailFull(collection) && !isBuildable(collection)) yield "room";
	if (owned.main instanceof HnswIndex && owned.main.codesAreStale()) yield "codes";
	if (owned.main instanceof IvfIndex && owned.main.hasDrifted()) yield "train";
	const isScattered = (owned.rows?.segments.length ?? 0) > MANY_FILES;
	if (isScattered || (deleted >= leastDead(collection) && deleted > slotEnd * DEAD_SHARE)) yield "dead";
	if (owned.main === undefined) {
		const { plannedMB, oldestSnapshot, keepsSnapshots } = collection;
		// Where a cap has left no index, the one on disk would be taken for it on opening.
		if (plannedMB !== undefined && oldestSnapshot !== null && keepsSnapshots) yield "snapshot";
		return;
	}
	const isIdle = hasPaused(collection, now);
	// What is taken in last asks for all the rest.
	const isLast = tail <= heldOutOf(collection) && !isTailHot(collection);
	if (isIdle && isLast && isExaminationDue(collection)) yield "examine";
	if (tail > 0 && (isIdle || isTailHot(collection))) yield "fold";
	if (tail === 0 && isIdle && isSnapshotDue(collection)) yield "snapshot";
}

/** ms until there may be something to do, where that is known. */
export function dueIn(collection: IndexedCollection, now: number): number | undefined {
	if (collection.owned.main === undefined) return undefined;
	if (collection.leavingSince !== undefined) return LEAST_WAIT_MS;
	if (hasPaused(collection, now)) return undefined;
	return collection.tail > 0 || isSnapshotDue(collection) ? IDLE_MS : undefined;
}

/** Whether the tail is taken in although writes go on. */
export function isTailHot({ tail, generation: { size } }: IndexedCollection): boolean {
	return tail > size.ringRows * HOT_TAIL_SHARE;
}

/** Rows at the end of the tail that are to ask before they are taken in. */
export function heldOutOf({ tail, generation: { mainEnd } }: IndexedCollection): number {
	return mostHeldOut(mainEnd + tail);
}

/** Whether so much has come since the recall of the index was last asked that it is to be asked again, by what waits to be taken in. */
export function isExaminationDue(collection: IndexedCollection): boolean {
	const { tail, generation, examinedChurn } = collection;
	if (!mayBeExamined(collection)) return false;
	if (examinedChurn === undefined) return true;
	return churnOf(generation) + tail - examinedChurn > STALE_FROM * generation.mainEnd;
}

/** Whether there is enough in the tail to ask the index by. */
export function mayBeExamined({ tail, generation, owned }: IndexedCollection): boolean {
	return owned.main !== undefined && Math.min(tail, mostHeldOut(generation.mainEnd + tail)) >= LEAST_HELD_OUT;
}

/** Whether writers wait for a reader that does not leave. */
export function isStuck(collection: IndexedCollection, now: number): boolean {
	const { leavingSince } = collection;
	return leavingSince !== undefined && now - leavingSince > STUCK_MS && isTailFull(collection);
}

/** Whether closing without a snapshot would cost much on opening. */
export function isWorthSaving(collection: IndexedCollection): boolean {
	const { generation, owned, snapshotChange } = collection;
	if (owned.main === undefined || generation.mainEnd < SNAPSHOT_LEAST) return false;
	return snapshotChange === null || changed(collection) > SMALL_CHANGE;
}

function isSnapshotDue(collection: IndexedCollection): boolean {
	const { generation, owned, snapshotChange, damaged } = collection;
	if (!collection.keepsSnapshots) return false;
	if (damaged.length > 0) return true;
	if (owned.main === undefined || generation.mainEnd < SNAPSHOT_LEAST) return false;
	return snapshotChange === null || changed(collection) > generation.mainEnd * SNAPSHOT_SHARE;
}

/** About how many vectors have come and gone since the last snapshot. */
function changed({ generation, snapshotMain, changedBefore }: IndexedCollection): number {
	return changedBefore + Math.abs(generation.mainEnd - snapshotMain) + generation.deadInMain;
}

function hasPaused({ writtenAt }: IndexedCollection, now: number): boolean {
	return now - writtenAt >= IDLE_MS;
}

/** Whether no rows of the tail are free for writers, whether they have been taken in or not. */
function isTailFull({ generation: { slotEnd, ringFree, size } }: IndexedCollection): boolean {
	return slotEnd - ringFree > size.ringRows / 2;
}

/** Whether what there is is enough for an index, and can be learnt from. */
function isBuildable(collection: IndexedCollection): boolean {
	return collection.wanted(collection.generation.live) !== null && !collection.isUntrainable;
}

function isRoomDue({ generation: { deleted, slotEnd, size, idStarts } }: IndexedCollection): boolean {
	if (slotEnd <= size.capacity * ROOM_SHARE) return false;
	return givesRoom({ slots: slotEnd, kept: slotEnd - deleted, idBytes: idStarts[slotEnd] as number }, size);
}
