import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { asFileError } from "../files/file-errors.ts";

/** Records that are being saved, with SQLite's own files beside them. */
const SAVING = /^records\.saving-\d+\.sqlite(?:-wal|-shm|-journal)?$/;

/** Where what is left of damaged records is saved before it takes their place. */
export function savingPath(folder: string): string {
	return join(folder, `records.saving-${process.pid}.sqlite`);
}

/** Deletes what a repair left that was ended before it was done. To be called with the lock: then nobody is writing it. */
export function removeSaving(folder: string): void {
	try {
		for (const name of readdirSync(folder)) if (SAVING.test(name)) rmSync(join(folder, name), { force: true });
	} catch (error) {
		throw asFileError(error, `removing what an earlier repair left in ${folder}`);
	}
}
