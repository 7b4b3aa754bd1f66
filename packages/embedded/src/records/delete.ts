import { bury } from "./tombstones.ts";
import { WordChanges } from "./word-changes.ts";
import type { Place, WriteStatements } from "./write-statements.ts";

/**
 * Deletes records by id; ids that are not there, or come again, are passed over. To be called inside a transaction.
 *
 * @returns the labels that died, in the order of the ids.
 */
export function deleteIds(statements: WriteStatements, ids: Iterable<string>, change: number): number[] {
	return deletePlaces(statements, ids, (id) => statements.find(id), change);
}

/** As {@link deleteIds}, by label. */
export function deleteLabels(statements: WriteStatements, labels: Iterable<number>, change: number): number[] {
	return deletePlaces(statements, labels, (label) => statements.findLabel(label), change);
}

function deletePlaces<T>(
	statements: WriteStatements,
	names: Iterable<T>,
	find: (name: T) => Place | undefined,
	change: number,
): number[] {
	const words = new WordChanges();
	const died: number[] = [];
	for (const name of names) {
		const place = find(name);
		if (place === undefined) continue;
		words.remove(place);
		bury(statements, place[0], change);
		statements.deleteRecord.run(place[0]);
		died.push(place[0]);
	}
	words.write(statements);
	const { nextLabel, records } = statements.counters();
	statements.saveCounters(change, { nextLabel, records: records - died.length });
	return died;
}
