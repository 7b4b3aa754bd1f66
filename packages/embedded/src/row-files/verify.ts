import { closeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { corrupt } from "../snapshot/corrupt.ts";
import { BLOCK_BYTES } from "../snapshot/layout.ts";
import { Pace, type PaceOptions } from "../snapshot/pace.ts";
import { FRONT_BYTES } from "./front.ts";
import { type OpenRowFile, openRowFile, type RowFileOwner, readFully } from "./open.ts";
import { checksumsOf, type PlacedSegment } from "./segments.ts";

export interface VerifyOptions extends PaceOptions {
	readonly owner?: RowFileOwner;
}

/**
 * Reads all rows and compares every checksum, giving the event loop a turn now and then.
 *
 * @param checksums Those of the segments, one after the other: for each, the CRC-32 of every MiB of its rows, the last of which may have less.
 * @returns The bytes of the rows, all of which are right.
 * @throws NighError `CORRUPT_SNAPSHOT` for the first damage (with `path` and `byteOffset`), `NEWER_VERSION`, `NOT_FOUND`, `ABORTED`.
 */
export async function verifySegments(
	folder: string,
	rowBytes: number,
	segments: readonly PlacedSegment[],
	checksums: Uint32Array,
	{ owner = {}, ...pacing }: VerifyOptions = {},
): Promise<number> {
	const blocks = segments.reduce((sum, segment) => sum + checksumsOf(segment, rowBytes), 0);
	if (checksums.length !== blocks) {
		throw corrupt(folder, `there are ${checksums.length} checksums for the ${blocks} blocks of the row files`, 0);
	}
	const total = segments.reduce((sum, { rows }) => sum + rows * rowBytes, 0);
	const pace = new Pace(pacing, total, `Verifying the row files in ${folder}`);
	let first = 0;
	for (const segment of segments) {
		const count = checksumsOf(segment, rowBytes);
		const file = openRowFile(folder, rowBytes, segment, owner);
		try {
			await verifyFile(file, segment.rows * rowBytes, checksums.subarray(first, first + count), pace);
		} finally {
			closeSync(file.descriptor);
		}
		first += count;
	}
	pace.finish();
	return total;
}

async function verifyFile(file: OpenRowFile, total: number, checksums: Uint32Array, pace: Pace): Promise<void> {
	const buffer = new Uint8Array(Math.min(BLOCK_BYTES, total));
	for (const [block, checksum] of checksums.entries()) {
		const start = block * BLOCK_BYTES;
		const offset = FRONT_BYTES + start;
		const bytes = buffer.subarray(0, Math.min(BLOCK_BYTES, total - start));
		const read = readFully(file, bytes, 0, bytes.length, offset);
		if (read < bytes.length) throw corrupt(file.path, "the file ends too early", offset + read);
		if (crc32(bytes) !== checksum) {
			throw corrupt(file.path, `block ${block} of the rows does not match its checksum`, offset, { block });
		}
		await pace.advance(bytes.length);
	}
}
