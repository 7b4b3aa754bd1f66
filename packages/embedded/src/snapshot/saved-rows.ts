import type { Json } from "@nigh/contract";
import type { RowFileOwner } from "../row-files/open.ts";
import { checkSegments, endOf, type RowSegment } from "../row-files/segments.ts";
import { verifySegments } from "../row-files/verify.ts";
import { corrupt } from "./corrupt.ts";
import { namesRowFiles, ROW_FILES } from "./header.ts";
import { PREFIX_BYTES } from "./layout.ts";
import type { Snapshot, SnapshotInfo } from "./read.ts";
import type { SectionSource } from "./write.ts";

const CHECKSUMS = "rows.checksums";

/** The rows of an index that does not hold them, as a snapshot tells of them: files beside it, and the checksums of their blocks. */
export interface SavedRows {
	/** Bytes of a row. */
	readonly rowBytes: number;
	/** From slot 0 on. */
	readonly segments: readonly RowSegment[];
	/** Of every MiB of each segment, one segment after the other. */
	readonly checksums: Uint32Array;
}

/** What goes into the parameters of the index, and the section. */
export function rowsToSave({ rowBytes, segments, checksums }: SavedRows): {
	parameters: Record<string, Json>;
	section: SectionSource;
} {
	const named = segments.map(({ file, from, rows }) => ({ file, from, rows }));
	const bytes = new Uint8Array(checksums.buffer, checksums.byteOffset, checksums.byteLength);
	return {
		parameters: { [ROW_FILES]: { rowBytes, segments: named } },
		section: { name: CHECKSUMS, element: "u32", bytes: bytes.length, chunks: [bytes] },
	};
}

/**
 * What a snapshot that names row files says of them; nothing is read of them here.
 *
 * @param key Of the collection that they have to be of.
 * @throws NighError `CORRUPT_SNAPSHOT`.
 */
export function savedRows(snapshot: Snapshot, key: number): SavedRows {
	const { rowBytes, segments } = rowFilesNamed(snapshot.info, key);
	const { path, sections } = snapshot.info;
	const section = sections.find(({ name }) => name === CHECKSUMS);
	if (section === undefined) throw corrupt(path, "there are no checksums of the row files", PREFIX_BYTES);
	const checksums = new Uint32Array(section.bytes / 4);
	snapshot.readSection(CHECKSUMS, new Uint8Array(checksums.buffer));
	return { rowBytes, segments, checksums };
}

/**
 * Reads all of the row files that a snapshot names, and compares them with their checksums.
 *
 * @param owner The collection that they have to be of.
 * @returns The bytes of their rows; 0 where it names none.
 * @throws NighError as `verifySegments`.
 */
export async function verifyRows(snapshot: Snapshot, folder: string, owner: Required<RowFileOwner>): Promise<number> {
	if (!namesRowFiles(snapshot.info)) return 0;
	const { rowBytes, segments, checksums } = savedRows(snapshot, owner.key);
	return verifySegments(folder, rowBytes, segments, checksums, { owner });
}

/** The part of {@link savedRows} that a header says. */
export function rowFilesNamed({ path, index, sections }: SnapshotInfo, key: number): Omit<SavedRows, "checksums"> {
	const { rowBytes, segments } = (index.parameters[ROW_FILES] ?? {}) as Record<string, unknown>;
	const checked = checkSegments(segments, key);
	if (typeof checked === "string") throw corrupt(path, `the header ${checked}`, PREFIX_BYTES);
	if (!Number.isSafeInteger(rowBytes) || (rowBytes as number) < 1) {
		throw corrupt(path, `the header has ${JSON.stringify(rowBytes)} as bytes of a row`, PREFIX_BYTES);
	}
	const slots = (sections.find(({ name }) => name === "labels")?.bytes ?? 0) / 4;
	if (endOf(checked) !== slots) {
		throw corrupt(path, `the header has ${slots} slots and names ${endOf(checked)} rows`, PREFIX_BYTES);
	}
	return { rowBytes: rowBytes as number, segments: checked };
}
