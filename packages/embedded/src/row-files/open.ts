import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { asFileError } from "../files/file-errors.ts";
import { corrupt } from "../snapshot/corrupt.ts";
import { keyOfRowFile } from "./folder.ts";
import { checkFront, FRONT_BYTES } from "./front.ts";
import type { PlacedSegment } from "./segments.ts";

/** Bytes of one read: Node takes less than 2 GiB. */
const MOST_AT_ONCE = 1 << 30;

/** What the files have to be of; what is left out is not compared. */
export interface RowFileOwner {
	readonly databaseId?: string | undefined;
	/** The collection. The one that a file's name has is always compared with what its front says. */
	readonly key?: number | undefined;
}

/** An open row file, whose front is what it should be. */
export interface OpenRowFile {
	readonly descriptor: number;
	readonly path: string;
}

/**
 * Opens the file of a segment for reading. It can be appended to and removed meanwhile.
 *
 * @throws NighError `CORRUPT_SNAPSHOT` (with `byteOffset`; also where the file has fewer rows than the segment, or is of something else),
 * `NEWER_VERSION`, `NOT_FOUND`, `READ_ONLY` (permission denied).
 */
export function openRowFile(
	folder: string,
	rowBytes: number,
	segment: PlacedSegment,
	owner: RowFileOwner,
): OpenRowFile {
	const path = join(segment.folder ?? folder, segment.file);
	let descriptor: number | undefined;
	try {
		descriptor = openSync(path, "r");
		checkFile({ descriptor, path }, rowBytes, segment, owner);
		return { descriptor, path };
	} catch (error) {
		if (descriptor !== undefined) closeSync(descriptor);
		throw asReadError(error, path, 0);
	}
}

/**
 * Reads up to `bytes` bytes at a place of the file, fewer only where it ends.
 *
 * @param at Where they go in `into`.
 * @returns How many there were.
 */
export function readFully(file: OpenRowFile, into: Uint8Array, at: number, bytes: number, offset: number): number {
	for (let done = 0; done < bytes; ) {
		const read = readOnce(file, into, at + done, Math.min(bytes - done, MOST_AT_ONCE), offset + done);
		if (read === 0) return done;
		done += read;
	}
	return bytes;
}

/** What a disk cannot give back is as lost as bytes that fail their checksum. */
export function asReadError(error: unknown, path: string, offset: number): unknown {
	const failed = error instanceof Error && "code" in error && error.code === "EIO";
	if (failed) return corrupt(path, "the disk cannot be read", offset, {}, { cause: error });
	return asFileError(error, `reading ${path}`);
}

function readOnce(
	{ descriptor, path }: OpenRowFile,
	into: Uint8Array,
	at: number,
	bytes: number,
	offset: number,
): number {
	try {
		return readSync(descriptor, into, at, bytes, offset);
	} catch (error) {
		throw asReadError(error, path, offset);
	}
}

function checkFile(
	file: OpenRowFile,
	rowBytes: number,
	{ file: name, from, rows }: PlacedSegment,
	owner: RowFileOwner,
) {
	const { descriptor, path } = file;
	const stat = fstatSync(descriptor);
	if (!stat.isFile()) throw corrupt(path, "not a file", 0);
	const front = new Uint8Array(FRONT_BYTES);
	if (readFully(file, front, 0, FRONT_BYTES, 0) < FRONT_BYTES) {
		throw corrupt(path, "the file ends inside its front of 4,096 bytes", stat.size);
	}
	const key = keyOfRowFile(name) ?? 0;
	if (owner.key !== undefined && owner.key !== key) {
		const problem = `the file is of collection ${key}; one of collection ${owner.key} was expected`;
		throw corrupt(path, problem, 0, { field: "collection", value: key, expected: owner.key });
	}
	checkFront(front, { databaseId: owner.databaseId, key, rowBytes, from }, path);
	const needed = FRONT_BYTES + rows * rowBytes;
	if (stat.size >= needed) return;
	throw corrupt(path, `the file has ${stat.size} bytes; its ${rows} rows need ${needed}`, stat.size);
}
