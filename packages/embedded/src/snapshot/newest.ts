import { listSnapshots } from "./folder.ts";
import { readInfo } from "./read.ts";

/**
 * When the newest snapshot of a collection was taken that a state of its records goes on from: ms since 1970. `undefined` where there is none, or
 * it cannot be read, which whoever begins with it is told.
 *
 * @param last The state's change.
 */
export function newestSavedAt(
	{ snapshots, databaseId }: { readonly snapshots: string; readonly databaseId: string },
	key: number,
	last: number,
): number | undefined {
	const newest = listSnapshots(snapshots, key).find(({ change }) => change <= last);
	if (newest === undefined) return undefined;
	try {
		return readInfo(newest.path, { databaseId, key, change: newest.change }).createdAt;
	} catch {
		return undefined;
	}
}
