import type { FilterNode } from "@nigh/contract";
import { matchingOf } from "./matching.ts";
import type { Statements } from "./read-statements.ts";
import type { Row } from "./row.ts";
import { tablesOf } from "./schema.ts";
import { readState } from "./state.ts";
import { unexpired } from "./unexpired.ts";

/** The number of unexpired records, or of those that match. To be called inside a transaction. */
export function countRecords(statements: Statements, key: number, node: FilterNode | undefined, now: number): number {
	const { records } = tablesOf(key);
	if (node === undefined) {
		const expired = statements.get(`SELECT count(*) FROM ${records} WHERE expires_at <= ?`).get(now);
		return readState(statements, key).records - ((expired as unknown as Row)[0] as number);
	}
	const { narrowing, accepts } = matchingOf(node);
	const living = unexpired(statements, key, now, "r");
	const from = `FROM ${records} r WHERE ${narrowing.sql} AND ${living.sql}`;
	const parameters = [...narrowing.parameters, ...living.parameters];
	if (accepts === undefined) {
		return (statements.get(`SELECT count(*) ${from}`).get(...parameters) as unknown as Row)[0] as number;
	}
	let count = 0;
	for (const row of statements.get(`SELECT r.metadata ${from}`).iterate(...parameters)) {
		const [json] = row as unknown as [string | null];
		if (accepts(json)) count++;
	}
	return count;
}
