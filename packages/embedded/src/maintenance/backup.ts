import type { BackupOptions, BackupReport } from "@nigh/contract";
import { writeBackup } from "../files/backup.ts";
import type { Maintained } from "./maintained.ts";

/** Writes a backup beside whatever else is going on. Read-only databases can be backed up too. */
export async function backup(
	{ core, paths, opened }: Maintained,
	destination: string,
	options: BackupOptions,
): Promise<BackupReport> {
	const { indexer } = core.threads;
	if (!core.settings.readOnly) {
		for (const { key, searcher } of opened()) {
			if (searcher === undefined || options.signal?.aborted) continue;
			// An index that has none yet; that of one that is being built is not worth waiting for. It can always be built from the records.
			const state = await indexer.call("state", key).catch(() => undefined);
			if (state === undefined || state.kind === "flat" || state.building !== null) continue;
			if (state.snapshotChange === null) await indexer.call("snapshot", { key, damaged: [] }).catch(() => {});
		}
	}
	return writeBackup(paths.folder, destination, options, core.settings.now());
}
