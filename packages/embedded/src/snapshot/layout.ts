import type { SnapshotSection } from "./header.ts";

/**
 * A snapshot, all numbers little-endian; docs/snapshot-format.md has the reasons.
 *
 * | part     | starts at                        | bytes                                                |
 * |----------|----------------------------------|------------------------------------------------------|
 * | prefix   | 0                                | 32, in every version                                 |
 * | header   | 32                               | JSON, then zeros up to a multiple of 4,096           |
 * | sections | multiples of 4,096               | blocks of 1 MiB (the last may be shorter), then zeros |
 * | table    | a multiple of 4,096              | u32 CRC-32 of every block, in the order of the file  |
 * | trailer  | the end of the table             | 32                                                   |
 *
 * | prefix |                              | trailer |                              |
 * |--------|------------------------------|---------|------------------------------|
 * | 0      | "NIGHSNP\n"                  | 0       | u64 length of the file       |
 * | 8      | u32 version of the format    | 8       | u32 blocks in the table      |
 * | 12     | u32 length of the JSON       | 12      | u32 CRC-32 of the table      |
 * | 16     | u64 length of the file       | 16      | u32 CRC-32 of the JSON       |
 * | 24     | u32 CRC-32 of the JSON       | 20      | u32 CRC-32 of bytes 0 to 19  |
 * | 28     | u32 CRC-32 of bytes 0 to 27  | 24      | "NIGHEND\n"                  |
 */
export const FORMAT_VERSION = 1;
export const PREFIX_BYTES = 32;
export const TRAILER_BYTES = 32;
export const BLOCK_BYTES = 1 << 20;
export const ALIGNMENT = 4_096;
/** Where everything is, which follows from the header's length and those of the sections. */
export interface Layout {
	readonly sections: readonly SnapshotSection[];
	/** Offset of the checksum table. */
	readonly table: number;
	/** Blocks of all sections, which is the number of checksums in the table. */
	readonly blocks: number;
	/** Offset of the trailer. */
	readonly trailer: number;
	readonly fileBytes: number;
}

/** The next multiple of 4,096. */
export function aligned(offset: number): number {
	return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

export function blocksOf(bytes: number): number {
	return Math.ceil(bytes / BLOCK_BYTES);
}

/** Places sections, whatever their offsets have been, behind a header of so many bytes. */
export function layOut(headerBytes: number, sections: readonly Omit<SnapshotSection, "offset">[]): Layout {
	let offset = aligned(PREFIX_BYTES + headerBytes);
	let blocks = 0;
	const placed = sections.map(({ name, element, bytes }): SnapshotSection => {
		const section = { name, element, offset, bytes };
		offset = aligned(offset + bytes);
		blocks += blocksOf(bytes);
		return section;
	});
	const trailer = offset + blocks * 4;
	return { sections: placed, table: offset, blocks, trailer, fileBytes: trailer + TRAILER_BYTES };
}
