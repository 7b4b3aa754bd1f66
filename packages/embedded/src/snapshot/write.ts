import { closeSync, fsync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { NighError } from "@nigh/contract";
import { asFileError } from "../files/file-errors.ts";
import { flushFolder } from "../files/flush.ts";
import { EXTENSION, temporaryPath } from "./folder.ts";
import { encodeFront, encodeTable, encodeTrailer, type Front } from "./format.ts";
import type { ElementType, SnapshotHeader, SnapshotMeta } from "./header.ts";
import { BLOCK_BYTES } from "./layout.ts";
import { Pace, type PaceOptions } from "./pace.ts";

/** A section to be written. */
export interface SectionSource {
	/** Unique in the snapshot. */
	readonly name: string;
	/** What it is made of. Default: `u8`. */
	readonly element?: ElementType;
	/** What all chunks together have. Has to be known before, since the header stands in front. */
	readonly bytes: number;
	/** In order, of any length. A chunk must not change until the next one is asked for. */
	readonly chunks: Iterable<Uint8Array> | (() => Iterable<Uint8Array>);
}

/** Flushing a gigabyte takes seconds, which the event loop does not have to wait. */
const flush = promisify(fsync);

/**
 * Saves a snapshot: either all of it is on disk under its name when this resolves, or nothing has changed. What was at `path` is replaced.
 *
 * @param path Ends in `.nigh-snapshot`; `snapshotPath` makes it.
 * @returns What the header says.
 * @throws NighError `DISK_FULL`, `READ_ONLY`, `NOT_FOUND` (the folder), `ABORTED`;
 * `INVALID_OPTION` for a header that cannot be and for chunks that are not `bytes` long. What a section's chunks throw.
 */
export async function writeSnapshot(
	path: string,
	meta: SnapshotMeta,
	sections: readonly SectionSource[],
	options: PaceOptions = {},
): Promise<SnapshotHeader> {
	// What crashed writers leave is found by its name.
	if (!path.endsWith(EXTENSION)) throw refused("path", `${path} does not end in ${EXTENSION}`);
	const front = encodeFront(
		meta,
		sections.map(({ name, element = "u8", bytes }) => ({ name, element, bytes })),
	);
	const total = sections.reduce((sum, { bytes }) => sum + bytes, 0);
	const pace = new Pace(options, total, `Saving ${path}`);
	const temporary = temporaryPath(path);
	try {
		await writeFlushed(temporary, async (file) => {
			await writeAll(file, front, sections, pace);
			await pace.turn();
		});
		renameSync(temporary, path);
		await flushFolder(dirname(path));
	} catch (error) {
		removeQuietly(temporary);
		throw asFileError(error, `saving ${path}`);
	}
	pace.finish();
	return front.header;
}

async function writeFlushed(path: string, write: (file: number) => Promise<void>): Promise<void> {
	const file = openSync(path, "wx");
	try {
		await write(file);
		await flush(file);
	} finally {
		closeSync(file);
	}
}

async function writeAll(file: number, front: Front, sections: readonly SectionSource[], pace: Pace): Promise<void> {
	const { layout } = front;
	writeFully(file, front.bytes, 0);
	const staging = new Uint8Array(BLOCK_BYTES);
	const checksums: number[] = [];
	let end = front.bytes.length;
	for (const [at, source] of sections.entries()) {
		const { offset } = layout.sections[at] as (typeof layout.sections)[number];
		writeFully(file, new Uint8Array(offset - end), end);
		end = offset;
		for (const block of inBlocks(source, staging)) {
			checksums.push(crc32(block));
			writeFully(file, block, end);
			end += block.length;
			await pace.advance(block.length);
		}
	}
	writeFully(file, new Uint8Array(layout.table - end), end);
	const table = encodeTable(checksums);
	writeFully(file, table, layout.table);
	writeFully(file, encodeTrailer(front, table), layout.trailer);
}

/** A section's chunks cut into blocks; one that is inside a single chunk is not copied. */
function* inBlocks({ name, bytes, chunks }: SectionSource, staging: Uint8Array): Generator<Uint8Array> {
	let staged = 0;
	let seen = 0;
	for (const chunk of typeof chunks === "function" ? chunks() : chunks) {
		if (!(chunk instanceof Uint8Array)) throw refused(name, "chunks is an iterable of Uint8Array: wrap one as [bytes]");
		seen += chunk.length;
		if (seen > bytes) throw refused(name, `the section "${name}" has more than the ${bytes} bytes it was to have`);
		for (let at = 0; at < chunk.length; ) {
			const part = chunk.subarray(at, at + BLOCK_BYTES - staged);
			at += part.length;
			if (part.length === BLOCK_BYTES) {
				yield part;
				continue;
			}
			staging.set(part, staged);
			staged += part.length;
			if (staged < BLOCK_BYTES) continue;
			yield staging;
			staged = 0;
		}
	}
	if (seen < bytes) throw refused(name, `the section "${name}" ended after ${seen} of ${bytes} bytes`);
	if (staged > 0) yield staging.subarray(0, staged);
}

/** The system may take less than it is given. */
function writeFully(file: number, bytes: Uint8Array, offset: number): void {
	for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, offset + at);
}

/** The failure that made it necessary is the one to be told. */
function removeQuietly(path: string): void {
	try {
		rmSync(path, { force: true });
	} catch {
		// It stays for removeTemporary.
	}
}

function refused(field: string, problem: string): NighError {
	return new NighError("INVALID_OPTION", `A snapshot cannot be written like this: ${problem}.`, { field });
}
