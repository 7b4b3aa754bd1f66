import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import { NighError } from "@nigh/contract";
import { asFileError } from "../files/file-errors.ts";
import { corrupt } from "./corrupt.ts";
import { checkZeros, decodeHeader, decodePrefix, decodeTrailer } from "./format.ts";
import type { SnapshotHeader, SnapshotSection } from "./header.ts";
import { aligned, BLOCK_BYTES, blocksOf, FORMAT_VERSION, type Layout, PREFIX_BYTES, TRAILER_BYTES } from "./layout.ts";
import { Pace, type PaceOptions } from "./pace.ts";

/** What the file has to be a snapshot of; what is left out is not compared. */
export interface Expectation {
	readonly databaseId?: string;
	readonly key?: number;
	readonly change?: number;
}

export interface SnapshotInfo extends SnapshotHeader {
	readonly path: string;
	/** Version of the format. */
	readonly version: number;
	readonly fileBytes: number;
}

interface Front {
	readonly info: SnapshotInfo;
	readonly layout: Layout;
	readonly tableChecksum: number;
}

/**
 * What a snapshot says of itself, from its first and last bytes, whose checksums are verified; the blocks are not read.
 *
 * @throws NighError `CORRUPT_SNAPSHOT` (with `byteOffset`; also where the file is not what was expected), `NEWER_VERSION`, `NOT_FOUND`,
 * `READ_ONLY` (permission denied).
 */
export function readInfo(path: string, expect: Expectation = {}): SnapshotInfo {
	return opened(path, (file) => {
		const { info } = readFront(file, path, expect);
		closeSync(file);
		return info;
	});
}

/**
 * Opens a snapshot for reading blocks, each of which is verified when it is read. It can be replaced or removed meanwhile.
 *
 * @throws NighError As {@link readInfo}.
 */
export function openSnapshot(path: string, expect: Expectation = {}): Snapshot {
	return opened(path, (file) => new Snapshot(file, path, expect));
}

/** An open snapshot. Every call blocks its thread, but for `verifyAll`. */
export class Snapshot {
	readonly info: SnapshotInfo;
	readonly #file: number;
	/** Of every block of the file. */
	readonly #checksums: Uint32Array;
	/** The number, in the whole file, of each section's first block. */
	readonly #firstBlock: ReadonlyMap<string, number>;
	#closed = false;

	/** Takes the file over once it has been found sound; `openSnapshot` makes it. */
	constructor(file: number, path: string, expect: Expectation) {
		const { info, layout, tableChecksum } = readFront(file, path, expect);
		this.info = info;
		this.#file = file;
		this.#checksums = readTable(file, path, layout, tableChecksum);
		let block = 0;
		this.#firstBlock = new Map(
			info.sections.map(({ name, bytes }) => {
				const first = block;
				block += blocksOf(bytes);
				return [name, first];
			}),
		);
	}

	/**
	 * Reads a section straight to where it is wanted, which may be shared memory.
	 *
	 * @param into As long as the section. Holds anything after an error.
	 * @throws NighError `CORRUPT_SNAPSHOT` for the first block that does not match its checksum, `NOT_FOUND`, `INVALID_OPTION`, `CLOSED`.
	 */
	readSection(name: string, into: Uint8Array): void {
		const section = this.#section(name);
		if (into.length !== section.bytes) {
			throw new NighError("INVALID_OPTION", `"${name}" has ${section.bytes} bytes; there is room for ${into.length}.`, {
				field: "into",
				value: into.length,
				bound: section.bytes,
			});
		}
		// Block by block: what was just read is still in the cache when its checksum is made.
		for (let block = 0, at = 0; at < section.bytes; block++, at += BLOCK_BYTES) {
			this.#readBlock(section, block, into.subarray(at, Math.min(at + BLOCK_BYTES, section.bytes)));
		}
		this.#checkPadding(section);
	}

	/**
	 * A section in order, a block at a time. A chunk is valid until the next one is asked for.
	 *
	 * @throws NighError As {@link readSection}.
	 */
	*chunks(name: string): Generator<Uint8Array, void, undefined> {
		const section = this.#section(name);
		const buffer = new Uint8Array(Math.min(BLOCK_BYTES, section.bytes));
		for (let block = 0; block < blocksOf(section.bytes); block++) {
			const chunk = buffer.subarray(0, blockLength(section, block));
			this.#readBlock(section, block, chunk);
			yield chunk;
		}
		this.#checkPadding(section);
	}

	/**
	 * One block of a section, read and verified alone.
	 *
	 * @param block From 0; all have 1 MiB but the last.
	 * @throws NighError As {@link readSection}.
	 */
	readBlock(name: string, block: number): Uint8Array {
		const section = this.#section(name);
		const blocks = blocksOf(section.bytes);
		if (!Number.isInteger(block) || block < 0 || block >= blocks) {
			throw new NighError("INVALID_OPTION", `"${name}" has ${blocks} blocks from 0 on; there is no block ${block}.`, {
				field: "block",
				value: block,
				bound: blocks,
			});
		}
		const bytes = new Uint8Array(blockLength(section, block));
		this.#readBlock(section, block, bytes);
		return bytes;
	}

	/**
	 * Reads everything and compares every checksum, giving the event loop a turn now and then.
	 *
	 * @returns The bytes of the file, all of which are right.
	 * @throws NighError `CORRUPT_SNAPSHOT` for the first damage, `ABORTED`, `CLOSED`.
	 */
	async verifyAll(options: PaceOptions = {}): Promise<number> {
		const { path, sections, fileBytes } = this.info;
		const total = sections.reduce((sum, { bytes }) => sum + bytes, 0);
		const pace = new Pace(options, total, `Verifying ${path}`);
		for (const { name } of sections) for (const chunk of this.chunks(name)) await pace.advance(chunk.length);
		pace.finish();
		return fileBytes;
	}

	/** Gives the file back. Does nothing the second time. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		closeSync(this.#file);
	}

	#section(name: string): SnapshotSection {
		const { path, sections } = this.info;
		const section = sections.find((each) => each.name === name);
		if (section !== undefined) return section;
		const known = sections.map((each) => each.name).join(", ");
		throw new NighError("NOT_FOUND", `${path} has no section "${name}". It has: ${known || "none"}.`, {
			section: name,
		});
	}

	#readBlock(section: SnapshotSection, block: number, into: Uint8Array): void {
		const offset = section.offset + block * BLOCK_BYTES;
		this.#read(into, offset);
		const number = (this.#firstBlock.get(section.name) as number) + block;
		if (crc32(into) === this.#checksums[number]) return;
		const problem = `block ${block} of the section "${section.name}" does not match its checksum`;
		throw corrupt(this.info.path, problem, offset, { section: section.name, block });
	}

	#checkPadding({ offset, bytes }: SnapshotSection): void {
		const end = offset + bytes;
		const padding = new Uint8Array(aligned(end) - end);
		this.#read(padding, end);
		checkZeros(padding, end, this.info.path);
	}

	/** A number of a closed file may by now be that of another one. */
	#read(into: Uint8Array, offset: number): void {
		const { path } = this.info;
		if (this.#closed) throw new NighError("CLOSED", `${path} was closed: open it again.`);
		readFully(this.#file, into, offset, path);
	}
}

function blockLength({ bytes }: SnapshotSection, block: number): number {
	return Math.min(BLOCK_BYTES, bytes - block * BLOCK_BYTES);
}

/** Gives the file back where using it fails. */
function opened<T>(path: string, use: (file: number) => T): T {
	let file: number | undefined;
	try {
		file = openSync(path, "r");
		return use(file);
	} catch (error) {
		if (file !== undefined) closeSync(file);
		throw asFileError(error, `opening ${path}`);
	}
}

function readFront(file: number, path: string, expect: Expectation): Front {
	const stat = fstatSync(file);
	if (!stat.isFile()) throw corrupt(path, "not a file", 0);
	if (stat.size < PREFIX_BYTES) throw corrupt(path, "the file ends inside the first 32 bytes", stat.size);
	const prefix = decodePrefix(readAt(file, PREFIX_BYTES, 0, path), stat.size, path);
	const headerEnd = aligned(PREFIX_BYTES + prefix.headerBytes);
	const { header, layout } = decodeHeader(readAt(file, headerEnd - PREFIX_BYTES, PREFIX_BYTES, path), prefix, path);
	const tableChecksum = decodeTrailer(readAt(file, TRAILER_BYTES, layout.trailer, path), prefix, layout, path);
	const info: SnapshotInfo = { ...header, path, version: FORMAT_VERSION, fileBytes: prefix.fileBytes };
	compare(info, expect);
	return { info, layout, tableChecksum };
}

function readTable(file: number, path: string, { table, blocks }: Layout, checksum: number): Uint32Array {
	const bytes = readAt(file, blocks * 4, table, path);
	if (crc32(bytes) !== checksum) throw corrupt(path, "the table of checksums does not match its own", table);
	const view = new DataView(bytes.buffer);
	return Uint32Array.from({ length: blocks }, (_, block) => view.getUint32(block * 4, true));
}

/** A sound file in the wrong place is as useless as a damaged one. */
function compare({ path, databaseId, collection, change }: SnapshotInfo, expect: Expectation): void {
	const pairs = [
		["database", databaseId, expect.databaseId],
		["collection", collection.key, expect.key],
		["change", change, expect.change],
	] as const;
	for (const [what, value, expected] of pairs) {
		if (expected === undefined || value === expected) continue;
		const problem = `the snapshot is of ${what} ${value}, and was expected to be of ${what} ${expected}`;
		throw corrupt(path, problem, PREFIX_BYTES, { field: what, value, expected });
	}
}

function readAt(file: number, length: number, offset: number, path: string): Uint8Array {
	const bytes = new Uint8Array(length);
	readFully(file, bytes, offset, path);
	return bytes;
}

function readFully(file: number, into: Uint8Array, offset: number, path: string): void {
	for (let at = 0; at < into.length; ) {
		const read = readOnce(file, into, at, offset + at, path);
		if (read === 0) throw corrupt(path, "the file ends too early", offset + at);
		at += read;
	}
}

function readOnce(file: number, into: Uint8Array, at: number, offset: number, path: string): number {
	try {
		return readSync(file, into, at, into.length - at, offset);
	} catch (error) {
		// What a disk cannot give back is as lost as bytes that fail their checksum.
		const failed = error instanceof Error && "code" in error && error.code === "EIO";
		if (failed) throw corrupt(path, "the disk cannot be read", offset, {}, { cause: error });
		throw asFileError(error, `reading ${path}`);
	}
}
