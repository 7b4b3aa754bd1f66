import { checkLabelsLeft } from "./labels.ts";
import type { Rows } from "./packed-rows.ts";
import { bury } from "./tombstones.ts";
import { WordChanges } from "./word-changes.ts";
import type { Place, WriteStatements } from "./write-statements.ts";

/** When a write happens. */
export interface WriteMoment {
	/** The number of the change it belongs to. Larger than those of earlier changes. */
	readonly change: number;
	/** ms since 1970. */
	readonly now: number;
}

export interface UpsertResult {
	/** Row i has the label `firstLabel` + i. */
	readonly firstLabel: number;
	/** Labels of the records that were replaced. */
	readonly died: number[];
	/** Records there are now that were not there before. */
	readonly inserted: number;
}

/**
 * Writes records, each with a vector, no two of one id. One that replaces another keeps its `insertedAt`, unless that one had expired and
 * so was not there any more. To be called inside a transaction.
 *
 * @throws NighError `COLLECTION_FULL` where no labels are left.
 */
export function upsert(statements: WriteStatements, rows: Rows, moment: WriteMoment): UpsertResult {
	const { insertRecord, replaceRecord, insertVector } = statements;
	const { change, now } = moment;
	const { nextLabel: firstLabel, records } = statements.counters();
	const { ids, metadata, texts, expiresAt, vectors } = rows;
	const count = ids.length;
	checkLabelsLeft(firstLabel, count);
	const words = new WordChanges();
	const died: number[] = [];
	for (let row = 0; row < count; row++) {
		const label = firstLabel + row;
		const id = ids[row] as string;
		const json = metadata[row] ?? null;
		const text = texts[row] ?? null;
		const expires = expiresAt[row] ?? null;
		// Most ids are new: the insert itself finds out, which spares those a look-up.
		if (insertRecord.run(label, id, json, text, now, expires, change).changes === 0) {
			const place = statements.find(id) as Place;
			words.remove(place);
			bury(statements, place[0], change);
			replaceRecord.run(label, json, text, now, expires, change, place[0]);
			died.push(place[0]);
		}
		insertVector.run(label, vectors[row] as Uint8Array);
		words.add(label, text);
	}
	words.write(statements);
	const inserted = count - died.length;
	statements.saveCounters(change, { nextLabel: firstLabel + count, records: records + inserted });
	return { firstLabel, died, inserted };
}
