import type { IncludeOptions, Metadata } from "@nigh/contract";
import { parseMetadata } from "./parse-metadata.ts";
import { tablesOf } from "./schema.ts";

/** A record as it is stored. Metadata, text and vector are there when they were asked for and the record has them. */
export interface ReadRecord {
	readonly label: number;
	readonly id: string;
	/** The last change that touched the record, and the one that gave the label. */
	readonly change: number;
	readonly born: number;
	/** Milliseconds since 1970, as the other two. */
	readonly insertedAt: number;
	readonly updatedAt: number;
	readonly expiresAt: number | undefined;
	readonly metadata?: Metadata;
	readonly text?: string;
	/** The bytes as they are stored, a copy that starts at a multiple of 4. */
	readonly vector?: Uint8Array<ArrayBuffer>;
}

/** One row, its columns in the order of the SELECT. */
export type Row = readonly unknown[];

/** Columns of every read, before those that were asked for. */
const COLUMNS = ["label", "id", "change", "born", "inserted_at", "updated_at", "expires_at"] as const;

/** SELECT list and joins that read what was asked for and nothing else. The records table goes by the name `r`. */
export function selectionOf(key: number, include: IncludeOptions): { columns: string; joins: string } {
	const columns = COLUMNS.map((column) => `r.${column}`);
	if (include.metadata !== false) columns.push("r.metadata");
	if (include.text === true) columns.push("r.text");
	if (include.vector !== true) return { columns: columns.join(", "), joins: "" };
	columns.push("v.vector");
	return { columns: columns.join(", "), joins: `LEFT JOIN ${tablesOf(key).vectors} v ON v.label = r.label` };
}

/** The record in a row of {@link selectionOf}, whose columns start at `from`. */
export function recordOf(row: Row, from: number, include: IncludeOptions): ReadRecord {
	let at = from + COLUMNS.length;
	const metadata = include.metadata === false ? null : (row[at++] as string | null);
	const text = include.text === true ? (row[at++] as string | null) : null;
	const vector = include.vector === true ? (row[at] as Uint8Array<ArrayBuffer> | null) : null;
	return {
		label: row[from] as number,
		id: row[from + 1] as string,
		change: row[from + 2] as number,
		born: row[from + 3] as number,
		insertedAt: row[from + 4] as number,
		updatedAt: row[from + 5] as number,
		expiresAt: (row[from + 6] as number | null) ?? undefined,
		...(metadata !== null && { metadata: parseMetadata(metadata) }),
		...(text !== null && { text }),
		...(vector !== null && { vector: aligned(vector) }),
	};
}

const EXPIRES_AT = COLUMNS.indexOf("expires_at");

/** Whether the record in a row of {@link selectionOf}, whose columns start at `from`, has expired at `now`. */
export function hasExpired(row: Row, from: number, now: number): boolean {
	const expiresAt = row[from + EXPIRES_AT] as number | null;
	return expiresAt !== null && expiresAt <= now;
}

function aligned(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
	return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
}
