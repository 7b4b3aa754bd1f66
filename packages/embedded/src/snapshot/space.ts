import { statfsSync, statSync } from "node:fs";
import { NighError } from "@nigh/contract";
import { asFileError } from "../files/file-errors.ts";

/** Bytes that a snapshot leaves free beside what the records need. */
const MARGIN = 2 ** 20;

/** What is to be written, what it means that it is not, and what to do then. */
export interface SpaceUse {
	readonly what: string;
	readonly without: string;
	/** Default: to free some space. */
	readonly advice?: string;
}

const SNAPSHOT: SpaceUse = { what: "a snapshot", without: "opening takes longer" };

/**
 * Sees to it that what is derived does not take the space that the records need: what is in their WAL has to fit into their file, and a database
 * cannot be opened on a disk that is full to the brim.
 *
 * @param records The file of the records; `undefined` where it is not in that folder.
 * @throws NighError `DISK_FULL`, `NOT_FOUND` (the folder).
 */
export function checkSpace(
	folder: string,
	bytes: number,
	records: string | undefined,
	{ what, without, advice = "Free some space." }: SpaceUse = SNAPSHOT,
): void {
	const { bavail, bsize } = spaceOf(folder);
	const free = bavail * bsize;
	const wal = records === undefined ? 0 : (statSync(`${records}-wal`, { throwIfNoEntry: false })?.size ?? 0);
	const needed = bytes + wal + MARGIN;
	if (free >= needed) return;
	const others = records === undefined ? "others" : "the records";
	throw new NighError(
		"DISK_FULL",
		`${what} of ${bytes} bytes was not written to ${folder}: ${free} bytes are free, and ${needed} should be, so that ${others} have room. Nothing is lost, ${without}. ${advice}`,
		{ free, needed },
	);
}

function spaceOf(folder: string) {
	try {
		return statfsSync(folder);
	} catch (error) {
		throw asFileError(error, `looking for space in ${folder}`);
	}
}
