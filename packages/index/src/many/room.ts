import { checkInteger, checkOptions } from "@nigh/contract";
import { ELIGIBILITY, MANY, manyCodesBytes } from "@nigh/kernels";
import type { RowWriter } from "../rows/row-writer.ts";
import { MANY_BOUNDS } from "./parameters.ts";

export interface ManyOptions {
	/** The most queries of one `scanMany`, 1 to 1,024. Default 256; fewer are slower a query. */
	readonly queries?: number;
	/** The most answers of each, 1 to 10,000. Default 128. */
	readonly k?: number;
}

/** Room of a reader for many queries at once. */
export interface ManySpec {
	readonly address: number;
	readonly queries: number;
	readonly k: number;
}

/** Where everything lies. Addresses are bytes of the arena. */
export interface ManyRoom {
	readonly struct: number;
	readonly eligibility: number;
	/** The queries as rows, and their codes. */
	readonly queries: number;
	readonly queryCodes: number;
	/** A pool of k pairs {key, label} a query, its size (i32), and its limit (f32), with eight limits more. */
	readonly pools: number;
	readonly sizes: number;
	readonly limits: number;
	/** What code 0 stands for, as a row. */
	readonly origin: number;
	/** Of a chunk: labels, the numbers of rows that may be answered, those rows where they do not follow each other, and their codes. */
	readonly labels: number;
	readonly numbers: number;
	readonly gathered: number;
	readonly rowCodes: number;
	/** f32 a row of a chunk, for each query of {@link TOGETHER}. */
	readonly keys: number;
	/** Bytes of all. */
	readonly bytes: number;
}

/** Queries that are compared with a chunk together: more would not stay in the first-level cache beside a tile of rows. */
export const TOGETHER = 16;

/** Rows that are looked at together: so many bytes of them, to stay in the second-level cache, within these numbers of rows. */
const CHUNK = { bytes: 2 ** 18, least: 16, most: 512 } as const;
/** Panels of codes have eight. */
const PANEL = 8;

export function chunkRows(rowBytes: number): number {
	const fitting = Math.floor(CHUNK.bytes / rowBytes / PANEL) * PANEL;
	return Math.min(CHUNK.most, Math.max(CHUNK.least, fitting));
}

/** Whether rows are looked at by codes first: those of which floats are multiplied, or squared differences summed. */
export function isCoded({ metric }: Pick<RowWriter, "metric">): boolean {
	return metric === "l2" || metric === "cosine" || metric === "ip";
}

/** @throws NighError `INVALID_OPTION`. */
export function checkMany(options: ManyOptions): Required<ManyOptions> {
	checkOptions(options, ["queries", "k"] satisfies (keyof ManyOptions)[], "many");
	return {
		queries: checkInteger("many.queries", options.queries ?? MANY_BOUNDS.queries.default, MANY_BOUNDS.queries),
		k: checkInteger("many.k", options.k ?? MANY_BOUNDS.k.default, MANY_BOUNDS.k),
	};
}

/** The parts from an address on; with address 0, how many bytes there have to be. */
export function layOutMany(rows: Pick<RowWriter, "metric" | "bytes">, { address, queries, k }: ManySpec): ManyRoom {
	let at = address;
	const take = (bytes: number): number => {
		const start = at;
		at += Math.ceil(bytes / 64) * 64;
		return start;
	};
	const { bytes } = rows;
	const chunk = chunkRows(bytes);
	const codes = (n: number) => (isCoded(rows) ? manyCodesBytes(bytes, n) : 0);
	const parts = {
		struct: take(MANY.bytes),
		eligibility: take(ELIGIBILITY.bytes),
		queries: take(queries * bytes),
		queryCodes: take(codes(queries)),
		pools: take(queries * k * 8),
		sizes: take(4 * queries),
		limits: take(4 * (queries + PANEL)),
		origin: take(bytes),
		labels: take(4 * chunk),
		numbers: take(4 * chunk),
		gathered: take(chunk * bytes),
		rowCodes: take(codes(chunk)),
		keys: take(4 * TOGETHER * chunk),
	};
	return { ...parts, bytes: at - address };
}
