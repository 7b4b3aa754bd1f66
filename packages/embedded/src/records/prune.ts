import { tablesOf } from "./schema.ts";
import type { WriteStatements } from "./write-statements.ts";

export interface PruneLimits {
	/** ms since 1970. */
	readonly now: number;
	/** Records whose last update is longer ago, in ms, are too old. Left out: none is. */
	readonly maxAgeMs?: number;
	/** Records to leave. Left out: any number. */
	readonly maxRecords?: number;
	/** Labels, each once: only these can be too old or too many, and only these are counted. Left out: all. */
	readonly among?: ArrayLike<number>;
}

/** Labels that may go, each in one of the lists. */
export interface Prunable {
	/** Of records that have expired, whatever `among` says. The first to expire comes first. */
	readonly expired: number[];
	/** Of others that are too old, in the order of their last update, equal ones by label. */
	readonly tooOld: number[];
	/** Of as many of the rest as are above `maxRecords`, in the same order. */
	readonly tooMany: number[];
}

/** Finds what has to go for the limits to hold. Deletes nothing. */
export function findPrunable(statements: WriteStatements, limits: PruneLimits): Prunable {
	const { now, maxAgeMs = Number.POSITIVE_INFINITY, maxRecords = Number.POSITIVE_INFINITY } = limits;
	const expired = findExpired(statements, now);
	const tooOld: number[] = [];
	const tooMany: number[] = [];
	if (maxAgeMs === Number.POSITIVE_INFINITY && maxRecords === Number.POSITIVE_INFINITY) {
		return { expired, tooOld, tooMany };
	}
	const { rows, total } = candidates(statements, limits, expired.length);
	// In the order of age: what is too old comes first, then what is one too many, then what stays.
	for (const [label, updatedAt] of rows) {
		if (now - updatedAt > maxAgeMs) tooOld.push(label);
		else if (total - tooOld.length - tooMany.length > maxRecords) tooMany.push(label);
		else break;
	}
	return { expired, tooOld, tooMany };
}

type Aged = readonly [label: number, updatedAt: number];

function findExpired({ rare, key }: WriteStatements, now: number): number[] {
	const { records } = tablesOf(key);
	const statement = rare.get(`SELECT label FROM ${records} WHERE expires_at <= ? ORDER BY expires_at, label`);
	const expired: number[] = [];
	for (const row of statement.iterate(now)) expired.push((row as unknown as [number])[0]);
	return expired;
}

/** Records that have not expired, the longest not updated first, and how many they are. */
function candidates(
	statements: WriteStatements,
	{ now, maxRecords, among }: PruneLimits,
	expired: number,
): { rows: Iterable<Aged>; total: number } {
	const { rare, key } = statements;
	const { records } = tablesOf(key);
	const live = "(expires_at IS NULL OR expires_at > ?)";
	const rowsOf = (matches: string, ...parameters: (string | number)[]) =>
		rare
			.get(`SELECT label, updated_at ${matches} ORDER BY updated_at, label`)
			.iterate(...parameters) as Iterable<unknown> as Iterable<Aged>;
	if (among === undefined) {
		return { rows: rowsOf(`FROM ${records} WHERE ${live}`, now), total: statements.counters().records - expired };
	}
	const labels = `[${Array.prototype.join.call(among)}]`;
	// A cross join keeps its tables in this order: the labels are looked up rather than the records read from end to end.
	const matches = `FROM json_each(?) AS among CROSS JOIN ${records} ON label = among.value WHERE ${live}`;
	if (maxRecords === undefined) return { rows: rowsOf(matches, labels, now), total: 0 };
	const [total] = rare.get(`SELECT count(*) ${matches}`).get(labels, now) as unknown as [number];
	return { rows: rowsOf(matches, labels, now), total };
}
