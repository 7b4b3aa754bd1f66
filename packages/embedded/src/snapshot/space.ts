import { statfsSync, statSync } from "node:fs";
import { NighError } from "@nigh/contract";
import { asFileError } from "../files/file-errors.ts";

/** Bytes that a snapshot leaves free beside what the records need. */
const MARGIN = 2 ** 20;

/** What is to be written, and what it means that it is not. */
export interface SpaceUse {
	readonly what: string;
	readonly without: string;
}

const SNAPSHOT: SpaceUse = { what: "a snapshot", without: "opening takes longer" };

/**
 * Sees to it that what is derived does not take the space that the records need: what is in their WAL has to fit into their file, and a database
 * cannot be opened on a disk that is full to the brim.
 *
 * @throws NighError `DISK_FULL`, `NOT_FOUND` (the folder).
 */
export function checkSpace(folder: string, bytes: number, records: string, use: SpaceUse = SNAPSHOT): void {
	const { bavail, bsize } = spaceOf(folder);
	const free = bavail * bsize;
	const wal = statSync(`${records}-wal`, { throwIfNoEntry: false })?.size ?? 0;
	const needed = bytes + wal + MARGIN;
	if (free >= needed) return;
	throw new NighError(
		"DISK_FULL",
		`${use.what} of ${bytes} bytes was not written: ${free} bytes are free, and ${needed} should be, so that the records have room. Nothing is lost, ${use.without}. Free some space.`,
		{ free, needed },
	);
}

function spaceOf(folder: string) {
	try {
		return statfsSync(folder);
	} catch (error) {
		throw asFileError(error, `saving a snapshot in ${folder}`);
	}
}
