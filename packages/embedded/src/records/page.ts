import type { FilterNode, IncludeOptions } from "@nigh/contract";
import { getByLabels } from "./get.ts";
import { matchingOf } from "./matching.ts";
import type { Statements } from "./read-statements.ts";
import type { ReadRecord, Row } from "./row.ts";
import { tablesOf } from "./schema.ts";
import { unexpired } from "./unexpired.ts";

export interface PageOptions {
	/** Start behind this id, which need not exist. Default: at the first record. */
	readonly after?: string | undefined;
	/** Records to give at most. */
	readonly limit: number;
	readonly node?: FilterNode | undefined;
	readonly include: IncludeOptions;
	/** Milliseconds since 1970; what has expired by then is passed over. */
	readonly now: number;
}

export interface Page {
	/** In the UTF-8 order of their ids. May be fewer than the limit, even none, before the end. */
	readonly records: readonly ReadRecord[];
	/** What to give as `after` to go on; `undefined` at the end. */
	readonly next: string | undefined;
}

/** Rows that one page looks at, so that it is done soon even where nothing matches. */
export const PAGE_ROWS = 4_096;

/** The next records in the order of their ids. To be called inside a transaction. */
export function readPage(statements: Statements, key: number, options: PageOptions): Page {
	const { after = "", limit, node, include, now } = options;
	const rows = node === undefined ? Math.min(limit, PAGE_ROWS) : PAGE_ROWS;
	const last = lastOf(statements, key, after, rows);
	const { labels, full } = labelsOf(statements, key, { after, last, limit, node, now });
	const records = getByLabels(statements, key, labels, include) as ReadRecord[];
	return { records, next: full ? records.at(-1)?.id : last };
}

/** The id at which a page that looks at so many rows ends; `undefined` where no more are there. */
function lastOf(statements: Statements, key: number, after: string, rows: number): string | undefined {
	const sql = `SELECT id FROM ${tablesOf(key).records} WHERE id > ? ORDER BY id LIMIT 2 OFFSET ?`;
	const [last, beyond] = statements.get(sql).all(after, rows - 1) as unknown as Row[];
	return beyond === undefined ? undefined : (last?.[0] as string);
}

interface Range extends Pick<PageOptions, "limit" | "node" | "now"> {
	readonly after: string;
	readonly last: string | undefined;
}

function labelsOf(statements: Statements, key: number, range: Range): { labels: number[]; full: boolean } {
	const { after, last, limit, node, now } = range;
	const { records } = tablesOf(key);
	const { narrowing, accepts } = matchingOf(node);
	const living = unexpired(statements, key, now, "r");
	// Only the index of ids: that of a field would give all its rows to be sorted, however many there are.
	const sql = `
		SELECT r.label${accepts === undefined ? "" : ", r.metadata"}
		FROM ${records} r INDEXED BY sqlite_autoindex_${records}_1
		WHERE r.id > ? ${last === undefined ? "" : "AND r.id <= ?"} AND ${narrowing.sql} AND ${living.sql} ORDER BY r.id`;
	const bounds = last === undefined ? [after] : [after, last];
	const labels: number[] = [];
	for (const row of statements.get(sql).iterate(...bounds, ...narrowing.parameters, ...living.parameters)) {
		const [label, json] = row as unknown as [number, string | null];
		if (accepts !== undefined && !accepts(json)) continue;
		if (labels.push(label) === limit) return { labels, full: true };
	}
	return { labels, full: false };
}
