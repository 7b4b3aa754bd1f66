import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { type ErrorCode, isNighError, NighError } from "@nigh/contract";
import { asFileError } from "../files/file-errors.ts";

/** Primary result codes of SQLite (https://sqlite.org/rescode.html); the extended ones add to them above the lowest byte. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

interface Meaning {
	readonly code: ErrorCode;
	readonly advice: string;
}

const HELD: Meaning = {
	code: "LOCKED",
	advice: "Another connection holds the database for longer than can be waited for: end it, or try again.",
};
const DAMAGED: Meaning = {
	code: "CORRUPT_RECORDS",
	advice:
		"The file is damaged, or is no SQLite database: repairFolder() (nigh repair) saves what can be read; otherwise restore a backup.",
};

const MEANINGS: Readonly<Record<number, Meaning>> = {
	[BUSY]: HELD,
	[LOCKED]: HELD,
	[READONLY]: {
		code: "READ_ONLY",
		advice: "The file may not be written: change its rights or those of its folder, or open the database for writing.",
	},
	[IOERR]: { code: "UNAVAILABLE", advice: "The disk does not read or write as it should: look at the system's log." },
	[CORRUPT]: DAMAGED,
	[NOTADB]: DAMAGED,
	[FULL]: { code: "DISK_FULL", advice: "The disk, or the quota, is full: free some space and try again." },
};

interface SqliteError extends Error {
	readonly code: "ERR_SQLITE_ERROR";
	readonly errcode: number;
}

/**
 * What a failure of the records is to the caller: `DISK_FULL`, `READ_ONLY`, `NOT_FOUND`, `CORRUPT_RECORDS`, `LOCKED` or `UNAVAILABLE`, with
 * SQLite's extended result code as `details.sqlite` and the error itself as the `cause`. File errors are told as `asFileError` tells them.
 * Everything else (a mistake in our SQL, a closed connection) is given back as it is.
 *
 * SQLite says `FULL` itself where a write meets ENOSPC; `node:sqlite` does not tell the system's error behind other I/O errors.
 *
 * @param doing What was being done, as it goes into the sentence "Failed at ...", such as `opening /data/records.sqlite`.
 * @param path The database file, where it is being opened: SQLite says "cannot open" both when it is missing and when it may not be used.
 */
export function asNighError(error: unknown, doing: string, path?: string): unknown {
	if (isNighError(error) || !(error instanceof Error)) return error;
	if (!isSqliteError(error)) return asFileError(error, doing);
	const { errcode, message } = error;
	const primary = errcode & 0xff;
	const meaning = primary === CANTOPEN ? cannotOpen(path) : MEANINGS[primary];
	if (meaning === undefined) return error;
	const text = `Failed at ${doing} (SQLite: ${message}). ${meaning.advice}`;
	return new NighError(meaning.code, text, { sqlite: errcode }, { cause: error });
}

function isSqliteError(error: Error): error is SqliteError {
	return "code" in error && error.code === "ERR_SQLITE_ERROR" && "errcode" in error;
}

function cannotOpen(path: string | undefined): Meaning {
	if (path === undefined) {
		const advice =
			"A file beside the database cannot be opened: look at the folder's rights and at the limit of open files.";
		return { code: "UNAVAILABLE", advice };
	}
	if (existsSync(path)) {
		const advice =
			"It is there, but this process may not use it, or it is no file: change the rights of it and of its folder.";
		return { code: "READ_ONLY", advice };
	}
	const advice = existsSync(dirname(path))
		? "There is no such file: is the path right, and has the database been written to?"
		: "Its folder is not there: is the path right?";
	return { code: "NOT_FOUND", advice };
}
