import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { asFileError } from "../files/file-errors.ts";
import { flushFile, flushFolder } from "../files/flush.ts";
import type { FolderPaths } from "../folder/layout.ts";

/** SQLite's own files beside a database. What is in the WAL belongs to it, and would spoil another one of the same name. */
const BESIDE = ["-wal", "-shm", ""] as const;

/**
 * Puts new records in the place of damaged ones, which are kept under another name. All or nothing: from the moment that the new file has
 * the name `records.salvaged.sqlite`, opening the folder finishes what was begun.
 *
 * @param made The new file, complete, without a WAL, in the same folder.
 * @returns The name under which the damaged file is kept.
 */
export async function swapRecords(paths: FolderPaths, made: string): Promise<string> {
	try {
		await flushFile(made);
		renameSync(made, paths.salvaged);
		await flushFolder(paths.folder);
		const kept = finishSwap(paths);
		await flushFolder(paths.folder);
		return kept as string;
	} catch (error) {
		throw asFileError(error, `putting ${made} in the place of ${paths.records}`);
	}
}

/** Finishes a swap that was begun; to be called with the lock. Returns where the damaged records are, `undefined` where there is nothing to do. */
export function finishSwap({ folder, records, salvaged }: FolderPaths): string | undefined {
	if (!existsSync(salvaged)) return undefined;
	try {
		// The same name when this is done again after a crash: the time at which the new file was written.
		const time = new Date(statSync(salvaged).mtimeMs).toISOString().replaceAll(/[:.]/g, "-");
		const damaged = join(folder, `records.damaged-${time}.sqlite`);
		for (const suffix of BESIDE) {
			if (existsSync(`${records}${suffix}`)) renameSync(`${records}${suffix}`, `${damaged}${suffix}`);
		}
		renameSync(salvaged, records);
		rmSync(`${damaged}-shm`, { force: true });
		return damaged;
	} catch (error) {
		throw asFileError(error, `putting ${salvaged} in the place of ${records}`);
	}
}
