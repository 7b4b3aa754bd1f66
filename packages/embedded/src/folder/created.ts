import {
	closeSync,
	existsSync,
	fsyncSync,
	openSync,
	renameSync,
	rmSync,
	type Stats,
	statSync,
	writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { NighError } from "@nigh/contract";
import { asFileError } from "../files/file-errors.ts";
import { flushFolderSync } from "../files/flush.ts";
import { type FolderPaths, pathsIn } from "./layout.ts";

/**
 * SQLite takes a file of no bytes for a new database, and makes one where there is none. So that records that have gone are never taken for
 * a database that is new, a small file says that there were some.
 */
export function wasCreated({ created }: FolderPaths): boolean {
	return existsSync(created);
}

/** Says so, once the records are laid out. From here on a power cut takes none of the names. */
export function noteCreated(paths: FolderPaths): void {
	if (wasCreated(paths)) return;
	const temporary = `${paths.created}.tmp`;
	try {
		const file = openSync(temporary, "w");
		try {
			writeSync(
				file,
				`The records lie in records.sqlite since ${new Date().toISOString()}: if they are not there, they are lost.\n`,
			);
			fsyncSync(file);
		} finally {
			closeSync(file);
		}
		renameSync(temporary, paths.created);
		for (const folder of [paths.folder, dirname(paths.folder)]) flushFolderSync(folder);
	} catch (error) {
		rmSync(temporary, { force: true });
		throw asFileError(error, `writing ${paths.created}`);
	}
}

/**
 * To be called before SQLite sees the file: beside an empty one it deletes the WAL, and what is in it.
 *
 * @throws NighError `CORRUPT_RECORDS` where there were records once, and their file is not there or has no bytes.
 */
export function checkNotLost(paths: FolderPaths): void {
	if (!wasCreated(paths)) return;
	const size = statSync(paths.records, { throwIfNoEntry: false })?.size;
	if (size !== undefined && size > 0) return;
	const what = size === undefined ? "not there" : "empty";
	const message = `${paths.records} is ${what}, though it has been written to: restore a backup. To begin anew, delete the folder.`;
	throw new NighError("CORRUPT_RECORDS", message, { path: paths.records });
}

/**
 * To be called before anything is made in a folder that must have a database already. What is no folder is told by the one who goes into it.
 *
 * @throws NighError `NOT_FOUND`; `READ_ONLY` where the folder may not be entered.
 */
export function checkThere(folder: string, readOnly = false): void {
	const paths = pathsIn(folder);
	if (statOf(folder)?.isDirectory() !== true || isThere(paths.records) || isThere(paths.created)) return;
	const advice = readOnly
		? "Correct the path, or open it once for writing: readOnly makes nothing."
		: "Correct the path, or open with create: true.";
	throw new NighError("NOT_FOUND", `There is no database in ${folder}. ${advice}`, { path: folder });
}

function isThere(path: string): boolean {
	return statOf(path) !== undefined;
}

/** `existsSync` takes what may not be looked at for what is not there. */
function statOf(path: string): Stats | undefined {
	try {
		return statSync(path, { throwIfNoEntry: false });
	} catch (error) {
		throw asFileError(error, `looking for ${path}`);
	}
}
