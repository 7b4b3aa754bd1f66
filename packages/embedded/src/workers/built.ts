import type { Generation } from "../memory/generation.ts";

/** What an index was when it had been built and everything that was written meanwhile had been taken in. */
export interface Built {
	/** Records that were there. */
	readonly records: number;
	/** Records that have gone since, without those whose slots the generation still counts as deleted. Negative where some were deleted then. */
	readonly given: number;
}

/** As a snapshot keeps it, beside slots that are marked as dead. */
export interface SavedBuilt {
	readonly records: number;
	/** Records deleted or replaced since. */
	readonly died: number;
}

type Counts = Pick<Generation, "live" | "deleted">;

export function builtNow({ live, deleted }: Counts): Built {
	return { records: live, given: -deleted };
}

/** Records that have been deleted or replaced since. */
export function diedSince({ given }: Built, { deleted }: Counts): number {
	return Math.max(0, given + deleted);
}

/** As it goes on in a generation that leaves out what has died. */
export function carriedOver({ records, given }: Built, old: Counts, next: Counts): Built {
	return { records, given: given + old.deleted - next.deleted };
}

export function savedBuilt(built: Built, generation: Counts): SavedBuilt {
	return { records: built.records, died: diedSince(built, generation) };
}

/** `undefined` where a snapshot tells nothing of it, or what cannot be. */
export function restoredBuilt(saved: unknown, { deleted }: Counts): Built | undefined {
	const { records, died } = (saved ?? {}) as Partial<SavedBuilt>;
	if (!isCount(records) || !isCount(died)) return undefined;
	return { records, given: died - deleted };
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}
