import { mkdtempSync, rmdirSync, type Stats, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { NighError } from "@nigh/contract";
import { asFileError } from "../files/file-errors.ts";
import { flushFolderSync } from "../files/flush.ts";
import { makeFolders } from "./make-folders.ts";

/** Where things are in a database folder. Other files may lie beside them; Nigh does not touch those. */
export interface FolderPaths {
	readonly folder: string;
	/** The records: the truth. SQLite keeps `-wal` and `-shm` beside it. */
	readonly records: string;
	/** What the writing process holds; see lock.ts. Never to be opened with `node:fs` in the process that holds it. */
	readonly lock: string;
	/** Who holds it, for people. */
	readonly holder: string;
	/** Images of the indexes, derived from the records. */
	readonly snapshots: string;
	/** Says that the records were laid out once; see created.ts. */
	readonly created: string;
	/** Records that are about to take the place of damaged ones; see swap-records.ts. */
	readonly salvaged: string;
}

export interface PrepareOptions {
	/** Make the folder, and those above it, where it is not there. */
	readonly create: boolean;
	/** Touch nothing: the folder is only read from. Default: false. */
	readonly readOnly?: boolean;
}

export const RECORDS_FILE = "records.sqlite";
export const SNAPSHOTS_FOLDER = "snapshots";
const LOCK_FILE = "lock.sqlite";
const HOLDER_FILE = "lock.pid";
const CREATED_FILE = "records.created";
const SALVAGED_FILE = "records.salvaged.sqlite";

export function pathsIn(folder: string): FolderPaths {
	return {
		folder,
		records: join(folder, RECORDS_FILE),
		lock: join(folder, LOCK_FILE),
		holder: join(folder, HOLDER_FILE),
		snapshots: join(folder, SNAPSHOTS_FOLDER),
		created: join(folder, CREATED_FILE),
		salvaged: join(folder, SALVAGED_FILE),
	};
}

/**
 * Sees to it that a database can be opened in the folder. A folder that has other files in it is taken as it is.
 *
 * @throws NighError `NOT_FOUND` (no folder, and none to be made), `INVALID_OPTION` (the path is that of a file), `READ_ONLY`, `DISK_FULL`.
 */
export function prepareFolder(path: string, options: PrepareOptions): FolderPaths {
	const paths = pathsIn(path);
	const { create, readOnly = false } = options;
	if (!isFolder(path)) {
		if (!create || readOnly) throw missing(path, readOnly);
		flushNames(path, makeFolder(path));
	} else if (!readOnly) checkWritable(path);
	if (!readOnly) makeFolder(paths.snapshots);
	return paths;
}

function isFolder(path: string): boolean {
	const stat = statOf(path);
	if (stat !== undefined && !stat.isDirectory()) throw notAFolder(path);
	return stat !== undefined;
}

function statOf(path: string): Stats | undefined {
	try {
		return statSync(path, { throwIfNoEntry: false });
	} catch (error) {
		throw asFileError(error, `opening the folder ${path}`);
	}
}

/** Returns the topmost folder that was made for it; `undefined` where nothing was. */
function makeFolder(path: string): string | undefined {
	try {
		return makeFolders(path);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOTDIR" || code === "EEXIST") throw notAFolder(path);
		throw asFileError(error, `making the folder ${path}`);
	}
}

/** A power cut must not take the name of a new database, nor that of a folder above it: each stands in the folder that it is in. */
function flushNames(path: string, first: string | undefined): void {
	if (first === undefined) return;
	const top = dirname(resolve(first));
	try {
		for (let folder = dirname(resolve(path)); folder.length >= top.length; folder = dirname(folder)) {
			flushFolderSync(folder);
			if (folder === top) return;
		}
	} catch (error) {
		throw asFileError(error, `writing the names of the folders above ${path}`);
	}
}

/** Writes and sees: what `access` says leaves out access control lists and, on Windows, every right but one attribute. */
function checkWritable(path: string): void {
	try {
		rmdirSync(mkdtempSync(join(path, ".writable-")));
	} catch (error) {
		throw asFileError(error, `writing in the folder ${path}`);
	}
}

function missing(path: string, readOnly: boolean): NighError {
	const what = readOnly
		? "Only a database that exists can be opened with readOnly: open it once for writing."
		: "Correct the path, or open with create: true.";
	return new NighError("NOT_FOUND", `There is no folder ${path}. ${what}`, { path });
}

function notAFolder(path: string): NighError {
	return new NighError(
		"INVALID_OPTION",
		`${path} is, or is in, a file, and a database is a folder: give the path of a folder, or of one that is to be made.`,
		{ field: "path", value: path },
	);
}
