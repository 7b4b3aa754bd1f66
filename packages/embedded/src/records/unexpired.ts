import type { Parameter } from "./narrow.ts";
import type { Statements } from "./read-statements.ts";
import { tablesOf } from "./schema.ts";

/**
 * The condition that a row of the records table (`alias`) has not expired at `now`; nothing where no record has. It asks the index of
 * expiring rows rather than the row, so that a filter can be answered from the index of a field alone.
 */
export function unexpired(
	statements: Statements,
	key: number,
	now: number,
	alias: string,
): { sql: string; parameters: readonly Parameter[] } {
	const expired = `SELECT label FROM ${tablesOf(key).records} WHERE expires_at <= ?`;
	if (statements.get(`${expired} LIMIT 1`).get(now) === undefined) return { sql: "TRUE", parameters: [] };
	return { sql: `${alias}.label NOT IN (${expired})`, parameters: [now] };
}
