import { noCollection } from "./catalogue.ts";
import type { Statements } from "./read-statements.ts";
import type { Row } from "./row.ts";

/** Where a collection stands. */
export interface CollectionState {
	/** The number of its last committed change. */
	readonly change: number;
	/** The label that the next vector gets. */
	readonly nextLabel: number;
	/** Records there are, expired ones included. */
	readonly records: number;
}

/** @throws NighError `NOT_FOUND` when the collection has been dropped. */
export function readState(statements: Statements, key: number): CollectionState {
	const row = statements.get("SELECT change, next_label, records FROM collections WHERE key = ?").get(key);
	if (row === undefined) throw noCollection(key);
	const [change, nextLabel, records] = row as unknown as Row as [number, number, number];
	return { change, nextLabel, records };
}
