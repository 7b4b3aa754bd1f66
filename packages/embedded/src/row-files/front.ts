import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { checkInteger, NighError } from "@nigh/contract";
import { corrupt } from "../snapshot/corrupt.ts";

/**
 * The front of a row file, all numbers little-endian; docs/snapshot-format.md has the reasons. Rows follow, without anything between them.
 *
 * | byte | what                                                                                |
 * |------|-------------------------------------------------------------------------------------|
 * | 0    | "NIGHROW\n"                                                                         |
 * | 8    | u32 version of the format                                                           |
 * | 12   | u32 bytes of a row                                                                  |
 * | 16   | u64 slot of the first row                                                           |
 * | 24   | u64 key of the collection                                                           |
 * | 32   | the first 16 bytes of the SHA-256 of the database's id in UTF-8                      |
 * | 48   | u32 CRC-32 of bytes 0 to 47                                                         |
 * | 52   | zeros up to 4,096                                                                   |
 */
export const ROW_FILE_VERSION = 1;
export const FRONT_BYTES = 4_096;

const MAGIC = new TextEncoder().encode("NIGHROW\n");
const CHECKSUM_AT = 48;
const ID_AT = 32;
const ID_BYTES = 16;

/** What a row file says of itself. */
export interface RowFileFront {
	/** The database whose records the rows come from. */
	readonly databaseId: string;
	/** Key of the collection. */
	readonly key: number;
	/** Bytes of a row, padding included: 1 to 2^32 - 1. */
	readonly rowBytes: number;
	/** Slot of the first row. */
	readonly from: number;
}

/** What a row file has to say; the database is compared only where it is given. */
export interface ExpectedFront extends Omit<RowFileFront, "databaseId"> {
	readonly databaseId?: string | undefined;
}

/** @throws NighError `INVALID_OPTION`. */
export function encodeFront({ databaseId, key, rowBytes, from }: RowFileFront): Uint8Array {
	checkInteger("key", key, { min: 1, max: Number.MAX_SAFE_INTEGER });
	checkInteger("rowBytes", rowBytes, { min: 1, max: 2 ** 32 - 1 });
	checkInteger("from", from, { min: 0, max: 2 ** 32 - 1 });
	const bytes = new Uint8Array(FRONT_BYTES);
	const view = new DataView(bytes.buffer);
	bytes.set(MAGIC);
	view.setUint32(8, ROW_FILE_VERSION, true);
	view.setUint32(12, rowBytes, true);
	view.setBigUint64(16, BigInt(from), true);
	view.setBigUint64(24, BigInt(key), true);
	bytes.set(idOf(databaseId), ID_AT);
	view.setUint32(CHECKSUM_AT, crc32(bytes.subarray(0, CHECKSUM_AT)), true);
	return bytes;
}

/**
 * Checks that a file is a row file, and the expected one: sound rows of another collection would answer as if they were right.
 *
 * @param bytes The first 4,096 of the file.
 * @throws NighError `CORRUPT_SNAPSHOT`; `NEWER_VERSION` for a sound front of a later format.
 */
export function checkFront(bytes: Uint8Array, expected: ExpectedFront, path: string): void {
	const view = new DataView(bytes.buffer, bytes.byteOffset, FRONT_BYTES);
	if (!startsWith(bytes, MAGIC)) throw corrupt(path, "not a row file: it does not begin with NIGHROW", 0);
	// Before the version is believed: a flipped bit in it is damage, not an update that is missing.
	if (crc32(bytes.subarray(0, CHECKSUM_AT)) !== view.getUint32(CHECKSUM_AT, true)) {
		throw corrupt(path, "the front does not match its checksum", CHECKSUM_AT);
	}
	const version = view.getUint32(8, true);
	if (version > ROW_FILE_VERSION) throw newer(path, version);
	if (version === 0) throw corrupt(path, "there is no format version 0", 8);
	compare(path, "bytes a row", view.getUint32(12, true), expected.rowBytes, 12);
	compare(path, "first slot", Number(view.getBigUint64(16, true)), expected.from, 16);
	compare(path, "collection", Number(view.getBigUint64(24, true)), expected.key, 24);
	if (expected.databaseId !== undefined && !startsWith(bytes.subarray(ID_AT), idOf(expected.databaseId))) {
		throw corrupt(path, `the rows are not of the database ${expected.databaseId}`, ID_AT, { field: "database" });
	}
	const stray = bytes.findIndex((byte, at) => at >= CHECKSUM_AT + 4 && byte !== 0);
	if (stray >= 0) throw corrupt(path, "there is something where only padding should be", stray);
}

function compare(path: string, what: string, value: number, expected: number, offset: number): void {
	if (value === expected) return;
	throw corrupt(path, `the file has ${value} as ${what}; ${expected} was expected`, offset, {
		field: what,
		value,
		expected,
	});
}

/** An id may be longer than there is room for; it only has to be told from any other. */
function idOf(databaseId: string): Uint8Array {
	return createHash("sha256").update(databaseId).digest().subarray(0, ID_BYTES);
}

function startsWith(bytes: Uint8Array, begin: Uint8Array): boolean {
	return begin.every((byte, at) => bytes[at] === byte);
}

function newer(path: string, version: number): NighError {
	return new NighError(
		"NEWER_VERSION",
		`${path} was written in row format ${version}; this version of Nigh reads up to ${ROW_FILE_VERSION}: update nigh.`,
		{ path, value: version, bound: ROW_FILE_VERSION },
	);
}
