import { checkOptions, NighError, type RestoreOptions, type RestoreReport } from "@nigh/contract";
import { type OpenBackup, readBackup } from "../files/restore.ts";
import { checkFlag } from "../options.ts";
import { areHere } from "../records/copy-in.ts";
import { readInfo } from "../snapshot/read.ts";
import type { RestoredCollection } from "../workers/messages.ts";
import type { Maintained } from "./maintained.ts";
import type { SnapshotMove } from "./move-snapshots.ts";
import { inThread } from "./thread.ts";

const NAMES = ["overwrite", "onProgress", "signal"] as const satisfies readonly (keyof RestoreOptions)[];

/**
 * Takes the collections of a backup in, all or none. Everything is verified before anything is changed: the checksums of the files, then the
 * records themselves, since a backup of damaged records has the right checksums too.
 */
export async function restore(maintained: Maintained, source: string, options: RestoreOptions): Promise<RestoreReport> {
	checkOptions(options, NAMES, "restore");
	const { overwrite = false, signal, onProgress } = options;
	checkFlag("overwrite", overwrite);
	const backup = await readBackup(source, {
		// Where there has to be room for the records in any case.
		temporary: maintained.paths.folder,
		...(signal !== undefined && { signal }),
		...(onProgress !== undefined && { onProgress }),
	});
	try {
		const names = backup.manifest.collections.map(({ name }) => name);
		const here = new Set(maintained.names());
		const taken = names.filter((name) => here.has(name));
		if (taken.length > 0 && !overwrite) throw areHere(taken);
		const [problem] = await inThread("checkRecords", backup.records, { signal });
		if (problem !== undefined) throw damaged(source, problem.message);
		const { writer } = maintained.core.threads;
		const request = { path: backup.records, overwrite };
		const restored = await maintained.replacing(names, () => writer.call("restore", request));
		await inThread("moveSnapshots", movesOf(maintained, backup, restored));
		return { collections: restored.map(({ name }) => name), records: sum(restored) };
	} finally {
		backup.close();
	}
}

/** Labels and change numbers are those of the backup, so its snapshots fit once they say whose they are now. */
function movesOf(
	maintained: Maintained,
	{ snapshots }: OpenBackup,
	restored: readonly RestoredCollection[],
): SnapshotMove[] {
	const keys = new Map(restored.map(({ oldKey, key }) => [oldKey, key]));
	const to = { folder: maintained.paths.snapshots, databaseId: maintained.databaseId() };
	return snapshots.flatMap((path) => {
		const key = keys.get(keyOf(path));
		return key === undefined ? [] : [{ path, key, ...to }];
	});
}

/** -1 for one that cannot be read. */
function keyOf(path: string): number {
	try {
		return readInfo(path).collection.key;
	} catch {
		return -1;
	}
}

function sum(collections: readonly RestoredCollection[]): number {
	return collections.reduce((total, { records }) => total + records, 0);
}

function damaged(source: string, problem: string): NighError {
	return new NighError(
		"CORRUPT_RECORDS",
		`The records in ${source} were damaged when they were backed up, and nothing was restored. ${problem} Use another backup; or unpack a copy of this one, and repairFolder() (nigh repair) saves what can be read of it.`,
		{ path: source },
	);
}
