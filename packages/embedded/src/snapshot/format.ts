import { crc32 } from "node:zlib";
import { NighError } from "@nigh/contract";
import { corrupt } from "./corrupt.ts";
import {
	knownFieldsOf,
	problemOfHeader,
	type SnapshotHeader,
	type SnapshotMeta,
	type SnapshotSection,
} from "./header.ts";
import { aligned, FORMAT_VERSION, type Layout, layOut, PREFIX_BYTES, TRAILER_BYTES } from "./layout.ts";

/** What a header may be at most: some weights for each of many dimensions fit a hundred times. */
const MOST_HEADER = 1 << 24;
const MAGIC = new TextEncoder().encode("NIGHSNP\n");
const END_MAGIC = new TextEncoder().encode("NIGHEND\n");

export interface Prefix {
	readonly headerBytes: number;
	readonly fileBytes: number;
	readonly headerChecksum: number;
}

/** The first bytes of a snapshot, up to its first section, and where the rest goes. */
export interface Front {
	readonly header: SnapshotHeader;
	readonly layout: Layout;
	readonly bytes: Uint8Array;
	readonly headerChecksum: number;
}

/** @throws NighError `INVALID_OPTION` for what a header cannot say. */
export function encodeFront(meta: SnapshotMeta, sections: readonly Omit<SnapshotSection, "offset">[]): Front {
	const problem = problemOfHeader({ ...meta, sections });
	if (problem !== undefined) throw refused(`the header ${problem}`);
	const { header, json, layout } = settle(meta, sections);
	if (json.length > MOST_HEADER) throw refused(`the header is ${json.length} bytes; ${MOST_HEADER} is the most`);
	if (!Number.isSafeInteger(layout.fileBytes)) throw refused(`no file can have ${layout.fileBytes} bytes`);
	const bytes = new Uint8Array(aligned(PREFIX_BYTES + json.length));
	const view = new DataView(bytes.buffer);
	const headerChecksum = crc32(json);
	bytes.set(MAGIC);
	view.setUint32(8, FORMAT_VERSION, true);
	view.setUint32(12, json.length, true);
	view.setBigUint64(16, BigInt(layout.fileBytes), true);
	view.setUint32(24, headerChecksum, true);
	view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
	bytes.set(json, PREFIX_BYTES);
	return { header, layout, bytes, headerChecksum };
}

/** The header holds offsets, which depend on its length: longer ones can move the sections once more, never back. */
function settle(meta: SnapshotMeta, sections: readonly Omit<SnapshotSection, "offset">[]) {
	for (let assumed = 0; ; ) {
		const layout = layOut(assumed, sections);
		const header = knownFieldsOf({ ...meta, sections: layout.sections });
		const json = new TextEncoder().encode(JSON.stringify(header, refuseUnsayable));
		if (aligned(PREFIX_BYTES + json.length) === aligned(PREFIX_BYTES + assumed)) return { header, json, layout };
		assumed = json.length;
	}
}

/** JSON would turn NaN and infinities into null without a word. */
function refuseUnsayable(field: string, value: unknown): unknown {
	if (typeof value !== "bigint" && (typeof value !== "number" || Number.isFinite(value))) return value;
	throw refused(`${field} is ${value}${typeof value === "bigint" ? "n" : ""}, which JSON cannot say`);
}

export function encodeTable(checksums: readonly number[]): Uint8Array {
	const table = new Uint8Array(checksums.length * 4);
	const view = new DataView(table.buffer);
	for (const [block, checksum] of checksums.entries()) view.setUint32(block * 4, checksum, true);
	return table;
}

export function encodeTrailer({ layout, headerChecksum }: Front, table: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(TRAILER_BYTES);
	const view = new DataView(bytes.buffer);
	view.setBigUint64(0, BigInt(layout.fileBytes), true);
	view.setUint32(8, layout.blocks, true);
	view.setUint32(12, crc32(table), true);
	view.setUint32(16, headerChecksum, true);
	view.setUint32(20, crc32(bytes.subarray(0, 20)), true);
	bytes.set(END_MAGIC, 24);
	return bytes;
}

/**
 * Checks the prefix, and the length of the file against what it says.
 *
 * @throws NighError `CORRUPT_SNAPSHOT`; `NEWER_VERSION` for a sound prefix of a later format.
 */
export function decodePrefix(bytes: Uint8Array, fileBytes: number, path: string): Prefix {
	const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES);
	if (!startsWith(bytes, MAGIC)) throw corrupt(path, "not a snapshot: it does not begin with NIGHSNP", 0);
	// Before the version is believed: a flipped bit in it is damage, not an update that is missing.
	if (crc32(bytes.subarray(0, 28)) !== view.getUint32(28, true)) {
		throw corrupt(path, "the first 32 bytes do not match their checksum", 0);
	}
	const version = view.getUint32(8, true);
	if (version > FORMAT_VERSION) {
		throw new NighError(
			"NEWER_VERSION",
			`${path} was written in snapshot format ${version}; this version of Nigh reads up to ${FORMAT_VERSION}: update nigh.`,
			{ path, value: version, bound: FORMAT_VERSION },
		);
	}
	if (version === 0) throw corrupt(path, "there is no format version 0", 8);
	const written = Number(view.getBigUint64(16, true));
	if (written !== fileBytes) {
		const what = fileBytes < written ? "the file was cut off" : "the file was added to";
		throw corrupt(
			path,
			`${what}: it has ${fileBytes} bytes and was written with ${written}`,
			Math.min(fileBytes, written),
		);
	}
	const headerBytes = view.getUint32(12, true);
	if (headerBytes > MOST_HEADER || aligned(PREFIX_BYTES + headerBytes) + TRAILER_BYTES > fileBytes) {
		throw corrupt(path, `a header of ${headerBytes} bytes cannot be in a file of ${fileBytes}`, 12);
	}
	return { headerBytes, fileBytes, headerChecksum: view.getUint32(24, true) };
}

/**
 * Checks the header and the zeros behind it; nothing in it is believed, offsets and lengths least.
 *
 * @param bytes From the end of the prefix to the first section.
 * @throws NighError `CORRUPT_SNAPSHOT`.
 */
export function decodeHeader(
	bytes: Uint8Array,
	prefix: Prefix,
	path: string,
): { header: SnapshotHeader; layout: Layout } {
	const json = bytes.subarray(0, prefix.headerBytes);
	if (crc32(json) !== prefix.headerChecksum) {
		throw corrupt(path, "the header does not match its checksum", PREFIX_BYTES);
	}
	checkZeros(bytes.subarray(prefix.headerBytes), PREFIX_BYTES + prefix.headerBytes, path);
	const header = parse(json, path);
	const layout = layOut(prefix.headerBytes, header.sections);
	const misplaced = header.sections.findIndex(({ offset }, at) => offset !== layout.sections[at]?.offset);
	if (misplaced >= 0 || layout.fileBytes !== prefix.fileBytes) {
		const what =
			misplaced >= 0 ? `section ${misplaced} is not where it should be` : "the sections do not fill the file";
		throw corrupt(path, `the header is impossible: ${what}`, PREFIX_BYTES);
	}
	return { header: knownFieldsOf(header), layout };
}

/**
 * Checks the trailer; a file that was not written to its end has none.
 *
 * @returns The checksum of the table.
 * @throws NighError `CORRUPT_SNAPSHOT`.
 */
export function decodeTrailer(bytes: Uint8Array, prefix: Prefix, layout: Layout, path: string): number {
	const view = new DataView(bytes.buffer, bytes.byteOffset, TRAILER_BYTES);
	const sound =
		startsWith(bytes.subarray(24), END_MAGIC) &&
		crc32(bytes.subarray(0, 20)) === view.getUint32(20, true) &&
		view.getBigUint64(0, true) === BigInt(prefix.fileBytes) &&
		view.getUint32(8, true) === layout.blocks &&
		view.getUint32(16, true) === prefix.headerChecksum;
	if (!sound) throw corrupt(path, "the trailer is damaged or belongs to another file", layout.trailer);
	return view.getUint32(12, true);
}

/** @throws NighError `CORRUPT_SNAPSHOT` unless all bytes, which begin at `offset` of the file, are zero. */
export function checkZeros(bytes: Uint8Array, offset: number, path: string): void {
	const at = bytes.findIndex((byte) => byte !== 0);
	if (at >= 0) throw corrupt(path, "there is something where only padding should be", offset + at);
}

function parse(json: Uint8Array, path: string): SnapshotHeader {
	let header: unknown;
	try {
		header = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json));
	} catch {
		throw corrupt(path, "the header is not JSON in UTF-8", PREFIX_BYTES);
	}
	const problem = problemOfHeader(header);
	if (problem !== undefined) throw corrupt(path, `the header ${problem}`, PREFIX_BYTES);
	return header as SnapshotHeader;
}

function startsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
	return magic.every((byte, at) => bytes[at] === byte);
}

function refused(problem: string): NighError {
	return new NighError("INVALID_OPTION", `A snapshot cannot be written like this: ${problem}.`, { field: "snapshot" });
}
