import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { flushFolderSync } from "../files/flush.ts";
import { filesOf, removeFiles, temporaryPath } from "../snapshot/folder.ts";

/**
 * What is known of the recall of a collection, beside its snapshots: derived as they are, so that a file that cannot be read costs nothing but the
 * queries to find it out again.
 *
 * | bytes | what |
 * |---|---|
 * | 8 | "NIGHRCL1" |
 * | 4 | u32: bytes of the JSON |
 * | 4 | u32: CRC-32 of everything after these 16 bytes |
 * | | the JSON, then vectors one after the other as it says, without padding |
 */
const MAGIC = Buffer.from("NIGHRCL1");
const FRONT = 16;
const EXTENSION = ".nigh-recall";
const NAME = /^([1-9]\d*)\.nigh-recall$/;
const TEMPORARY = /\.nigh-recall\.tmp-[0-9a-f]{12}$/;

export function recallPath(folder: string, key: number): string {
	return join(folder, `${key}${EXTENSION}`);
}

/** Writes it whole, or leaves the one before. */
export function writeRecallFile(path: string, json: string, vectors: readonly Uint8Array[]): void {
	const text = Buffer.from(json);
	const body = Buffer.concat([text, ...vectors]);
	const front = Buffer.alloc(FRONT);
	MAGIC.copy(front);
	front.writeUInt32LE(text.length, 8);
	front.writeUInt32LE(crc32(body), 12);
	const temporary = temporaryPath(path);
	try {
		const file = openSync(temporary, "w");
		try {
			writeSync(file, front);
			for (let at = 0; at < body.length; ) at += writeSync(file, body, at);
			fsyncSync(file);
		} finally {
			closeSync(file);
		}
		renameSync(temporary, path);
		flushFolderSync(join(path, ".."));
	} catch (error) {
		rmSync(temporary, { force: true });
		throw error;
	}
}

/** What was written; `undefined` where there is no such file, or it is not as it was written. */
export function readRecallFile(path: string): { readonly json: unknown; readonly vectors: Buffer } | undefined {
	try {
		const bytes = readFileSync(path);
		if (bytes.length < FRONT || !bytes.subarray(0, 8).equals(MAGIC)) return undefined;
		const body = bytes.subarray(FRONT);
		if (crc32(body) !== bytes.readUInt32LE(12)) return undefined;
		const length = bytes.readUInt32LE(8);
		return { json: JSON.parse(body.toString("utf8", 0, length)), vectors: body.subarray(length) };
	} catch {
		// It is missing, or cannot be read: nothing is known.
		return undefined;
	}
}

/** Removes the files of collections that are not among `keys`, and what writers left. Only for the one who holds the database's lock. */
export function removeForeignRecall(folder: string, keys: ReadonlySet<number>): void {
	const gone = filesOf(folder).filter((name) => {
		const [, key] = NAME.exec(name) ?? [];
		return TEMPORARY.test(name) || (key !== undefined && !keys.has(Number(key)));
	});
	removeFiles(gone.map((name) => join(folder, name)));
}
