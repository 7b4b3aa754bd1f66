import type { Statements } from "./read-statements.ts";
import type { Row } from "./row.ts";
import { tablesOf } from "./schema.ts";

/** Labels of records, ascending, expired ones included. */
export interface LabelChunk {
	readonly labels: Uint32Array;
	/** Milliseconds since 1970; infinity: never. */
	readonly expiresAt: Float64Array;
}

/** The first labels from `fromLabel` on, `limit` at most; fewer only at the end. */
export function readLabels(statements: Statements, key: number, fromLabel: number, limit: number): LabelChunk {
	const { records } = tablesOf(key);
	const rows = statements
		.get(`SELECT label, expires_at FROM ${records} WHERE label >= ? ORDER BY label LIMIT ?`)
		.all(fromLabel, limit) as unknown as Row[];
	return {
		labels: Uint32Array.from(rows, (row) => row[0] as number),
		expiresAt: Float64Array.from(rows, (row) => (row[1] as number | null) ?? Number.POSITIVE_INFINITY),
	};
}
