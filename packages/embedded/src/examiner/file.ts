import { closeSync, fsyncSync, openSync, readFileSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { flushFolderSync } from "../files/flush.ts";
import type { ServedTable } from "../recall/served.ts";
import { filesOf, removeFiles, temporaryPath } from "../snapshot/folder.ts";

/**
 * What is known of the recall of a collection, beside its snapshots: derived as they are, so that a file that cannot be read costs nothing but the
 * queries to find it out again.
 *
 * | bytes | what |
 * |---|---|
 * | 8 | "NIGHRCL1" |
 * | 4, 4 | u32: bytes of the table, and their CRC-32 |
 * | 4, 4 | u32: bytes of the state, and the CRC-32 of them and all after them |
 * | | the table: JSON, what serves. It alone is read on opening |
 * | | the state: JSON, what has been measured |
 * | | vectors of queries one after the other, in the order of the state, without padding |
 */
const MAGIC = Buffer.from("NIGHRCL1");
const FRONT = 24;
/** Bytes of a table at most: one that says more is damaged. */
const MOST_TABLE = 2 ** 24;
/** The version of the table and the state: another one is not read. */
const FORMAT = 4;
const EXTENSION = ".nigh-recall";
const NAME = /^([1-9]\d*)\.nigh-recall$/;
const TEMPORARY = /\.nigh-recall\.tmp-[0-9a-f]{12}$/;

/** What a table is of, beside the index that it names itself. */
interface SavedTable {
	readonly databaseId: string;
	readonly table: ServedTable;
}

interface SavedFront extends SavedTable {
	readonly format: number;
}

/** What is written: a table, and a state that only the examiner reads. */
export interface RecallFile extends SavedTable {
	readonly state: unknown;
	readonly vectors: readonly Uint8Array[];
}

export function recallPath(folder: string, key: number): string {
	return join(folder, `${key}${EXTENSION}`);
}

/**
 * Writes all of it, or leaves what was there before.
 *
 * @throws what the file system says.
 */
export function writeRecallFile(path: string, { databaseId, table, state, vectors }: RecallFile): void {
	const first = Buffer.from(JSON.stringify({ format: FORMAT, databaseId, table } satisfies SavedFront));
	const second = Buffer.from(JSON.stringify(state));
	const rest = Buffer.concat([second, ...vectors]);
	const front = Buffer.alloc(FRONT);
	MAGIC.copy(front);
	[first.length, crc32(first), second.length, crc32(rest)].forEach((word, i) => {
		front.writeUInt32LE(word, 8 + 4 * i);
	});
	const temporary = temporaryPath(path);
	try {
		const file = openSync(temporary, "w");
		try {
			for (const part of [front, first, rest]) for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
			fsyncSync(file);
		} finally {
			closeSync(file);
		}
		renameSync(temporary, path);
		flushFolderSync(dirname(path));
	} catch (error) {
		rmSync(temporary, { force: true });
		throw error;
	}
}

/** What served when it was written; `undefined` where there is no such file, it is of another database or collection, or not as it was written. */
export function readTable(path: string, databaseId: string, key: number): ServedTable | undefined {
	let file: number;
	try {
		file = openSync(path, "r");
	} catch {
		return undefined;
	}
	try {
		const front = Buffer.alloc(FRONT);
		if (readSync(file, front) < FRONT || !front.subarray(0, 8).equals(MAGIC)) return undefined;
		const length = front.readUInt32LE(8);
		if (length > MOST_TABLE) return undefined;
		const bytes = Buffer.alloc(length);
		if (readSync(file, bytes, { position: FRONT }) < length || crc32(bytes) !== front.readUInt32LE(12))
			return undefined;
		const saved = JSON.parse(bytes.toString()) as SavedFront;
		const isOwn = saved.format === FORMAT && saved.databaseId === databaseId && saved.table.key === key;
		return isOwn ? saved.table : undefined;
	} catch {
		// What cannot be read is not known.
		return undefined;
	} finally {
		closeSync(file);
	}
}

/** The state that was written, and the vectors; as {@link readTable}. */
export function readState(
	path: string,
	databaseId: string,
	key: number,
): { state: unknown; vectors: Buffer } | undefined {
	if (readTable(path, databaseId, key) === undefined) return undefined;
	try {
		const bytes = readFileSync(path);
		const rest = bytes.subarray(FRONT + bytes.readUInt32LE(8));
		if (crc32(rest) !== bytes.readUInt32LE(20)) return undefined;
		const length = bytes.readUInt32LE(16);
		return { state: JSON.parse(rest.toString("utf8", 0, length)), vectors: rest.subarray(length) };
	} catch {
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
