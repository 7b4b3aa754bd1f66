import { checkLabelsLeft } from "./labels.ts";
import type { Rows } from "./packed-rows.ts";
import { bury } from "./tombstones.ts";
import type { WriteMoment } from "./upsert.ts";
import { WordChanges } from "./word-changes.ts";
import {
	type Place,
	SET_EXPIRES,
	SET_LABEL,
	SET_METADATA,
	SET_TEXT,
	type WriteStatements,
} from "./write-statements.ts";

export interface UpdateResult {
	/** Rows whose id is not there. Where there are any, nothing is written and the arrays below are empty. */
	readonly missing: number[];
	/** Records that got a vector are those of the labels `firstLabel` + i, each once; the next three arrays are about them. */
	readonly firstLabel: number;
	/** The row that has the vector: the last one, where several give one to the same record. */
	readonly moved: number[];
	/** ms since 1970; NaN: never. */
	readonly movedExpiresAt: number[];
	/** The label until now. */
	readonly died: number[];
	/** Labels of the other patched records, each once. */
	readonly touched: number[];
	/** ms since 1970; NaN: never. */
	readonly touchedExpiresAt: number[];
}

/** A record that is patched: one for each id of a call, however many of its patches have it. */
interface Target {
	/** As it was before the call. */
	readonly place: Place;
	label: number;
	/** NaN: never. */
	expiresAt: number;
	/** Whether its words have to be indexed anew. */
	rewords: boolean;
}

/**
 * Patches records, several patches of one id in their order. What a patch does not give stays. A record that gets a vector moves to a new
 * label, once in a call. To be called inside a transaction.
 *
 * @throws NighError `COLLECTION_FULL` where no labels are left.
 */
export function update(statements: WriteStatements, fields: Rows, moment: WriteMoment): UpdateResult {
	const { nextLabel: firstLabel, records } = statements.counters();
	const moved: number[] = [];
	const died: number[] = [];
	const { ofRow, distinct, missing } = findTargets(statements, fields.ids);
	if (missing.length > 0) {
		return { missing, firstLabel, moved, movedExpiresAt: [], died, touched: [], touchedExpiresAt: [] };
	}
	// Too many where several vectors are for one record: only the last labels of a collection show it.
	checkLabelsLeft(firstLabel, fields.vectors.filter((vector) => vector !== undefined).length);
	for (let row = 0; row < fields.ids.length; row++) {
		const target = ofRow[row] as Target;
		const { label } = target;
		const vector = fields.vectors[row];
		if (vector !== undefined && label >= firstLabel) {
			// The label is of this very call: nobody can have seen the vector that gives way.
			statements.replaceVector.run(vector, label);
			moved[label - firstLabel] = row;
		} else if (vector !== undefined) {
			bury(statements, label, moment.change);
			target.label = firstLabel + moved.length;
			statements.insertVector.run(target.label, vector);
			moved.push(row);
			died.push(label);
		}
		patchRecord(statements, target, label, fields, row, moment);
	}
	rewriteWords(statements, distinct);
	statements.saveCounters(moment.change, { nextLabel: firstLabel + moved.length, records });
	return { missing, firstLabel, moved, died, ...expiries(distinct, firstLabel, moved.length) };
}

function findTargets(statements: WriteStatements, ids: readonly string[]) {
	const ofRow: Target[] = [];
	const missing: number[] = [];
	const byLabel = new Map<number, Target>();
	for (let row = 0; row < ids.length; row++) {
		const place = statements.find(ids[row] as string);
		if (place === undefined) {
			missing.push(row);
			continue;
		}
		let target = byLabel.get(place[0]);
		if (target === undefined) {
			target = { place, label: place[0], expiresAt: place[1] ?? Number.NaN, rewords: false };
			byLabel.set(place[0], target);
		}
		ofRow.push(target);
	}
	return { ofRow, distinct: [...byLabel.values()], missing };
}

/** Writes what a row gives besides the vector. `until` is the label that the record has in the table. */
function patchRecord(
	statements: WriteStatements,
	target: Target,
	until: number,
	fields: Rows,
	row: number,
	{ now, change }: WriteMoment,
): void {
	const metadata = fields.metadata[row];
	const text = fields.texts[row];
	const expiresAt = fields.expiresAt[row];
	const values: (string | number | null)[] = [now, change];
	let columns = 0;
	if (metadata !== undefined) {
		columns |= SET_METADATA;
		values.push(metadata);
	}
	if (text !== undefined) {
		columns |= SET_TEXT;
		values.push(text);
		target.rewords = true;
	}
	if (expiresAt !== undefined) {
		columns |= SET_EXPIRES;
		values.push(expiresAt);
		target.expiresAt = expiresAt ?? Number.NaN;
	}
	if (target.label !== until) {
		columns |= SET_LABEL;
		values.push(target.label, change);
		target.rewords ||= target.place[2] === 1;
	}
	statements.patchRecord(columns).run(...values, until);
}

function rewriteWords(statements: WriteStatements, targets: readonly Target[]): void {
	const words = new WordChanges();
	const changed = targets.filter((target) => target.rewords).sort((a, b) => a.label - b.label);
	for (const { place, label } of changed) {
		words.remove(place);
		words.add(label, statements.text(label));
	}
	words.write(statements);
}

function expiries(targets: readonly Target[], firstLabel: number, moved: number) {
	const movedExpiresAt = new Array<number>(moved).fill(Number.NaN);
	const touched: number[] = [];
	const touchedExpiresAt: number[] = [];
	for (const { label, expiresAt } of targets) {
		if (label >= firstLabel) movedExpiresAt[label - firstLabel] = expiresAt;
		else {
			touched.push(label);
			touchedExpiresAt.push(expiresAt);
		}
	}
	return { movedExpiresAt, touched, touchedExpiresAt };
}
