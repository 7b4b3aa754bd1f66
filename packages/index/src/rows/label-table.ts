import { NighError } from "@nigh/contract";
import type { Label } from "../vector-index.ts";

export const MAX_LABEL = 0xfffffffe;
const NOWHERE = 0xffffffff;
/** Up to here places are kept in an array by label; labels that are strewn more thinly go to a map. */
const DENSE_SHARE = 16;

/** Labels that readers can find: `count` of them from `from` on. */
export interface LabelRange {
	readonly from: Label;
	readonly count: number;
}

/** Where each label is. Labels are dense in practice, so an array indexed by label serves; a few far-off ones do not blow it up. */
export class LabelTable {
	#places = new Uint32Array(0);
	readonly #far = new Map<Label, number>();
	#size = 0;
	/** One more than the largest label there ever was. */
	next = 0;

	get size(): number {
		return this.#size;
	}

	/** Bytes of the table. */
	get bytes(): number {
		return this.#places.byteLength + this.#far.size * 16;
	}

	get(label: Label): number | undefined {
		const place = label < this.#places.length ? (this.#places[label] as number) : (this.#far.get(label) ?? NOWHERE);
		return place === NOWHERE ? undefined : place;
	}

	set(label: Label, place: number): void {
		if (this.get(label) === undefined) this.#size++;
		if (label >= this.#places.length && label < DENSE_SHARE * (this.#size + 1_024)) this.#grow(label + 1);
		if (label < this.#places.length) this.#places[label] = place;
		else this.#far.set(label, place);
		if (label >= this.next) this.next = label + 1;
	}

	delete(label: Label): void {
		if (this.get(label) === undefined) return;
		this.#size--;
		if (label < this.#places.length) this.#places[label] = NOWHERE;
		else this.#far.delete(label);
	}

	/** Makes room at once for `count` labels below `end`, in any order. */
	reserve(count: number, end: number): void {
		if (end > this.#places.length && end <= DENSE_SHARE * (count + 1_024)) this.#grow(end);
	}

	/** The smallest label there is. */
	get first(): Label | undefined {
		for (let label = 0; label < this.#places.length; label++) if (this.#places[label] !== NOWHERE) return label;
		let first: Label | undefined;
		for (const label of this.#far.keys()) if (first === undefined || label < first) first = label;
		return first;
	}

	/** From the smallest label there is to the largest there ever was, and `more` behind it. */
	range(more: number): LabelRange {
		const from = this.first ?? this.next;
		return { from, count: this.next - from + more };
	}

	/** As {@link LabelTable.entries}, without an object for each. */
	forEach(visit: (label: Label, place: number) => void): void {
		const places = this.#places;
		for (let label = 0; label < places.length; label++) {
			const place = places[label] as number;
			if (place !== NOWHERE) visit(label, place);
		}
		for (const [label, place] of this.#far) visit(label, place);
	}

	*entries(): Generator<[label: Label, place: number]> {
		for (let label = 0; label < this.#places.length; label++) {
			const place = this.#places[label] as number;
			if (place !== NOWHERE) yield [label, place];
		}
		yield* this.#far;
	}

	labels(): Uint32Array {
		const all = new Uint32Array(this.#size);
		let i = 0;
		this.forEach((label) => {
			all[i++] = label;
		});
		return all;
	}

	clear(): void {
		this.#places = new Uint32Array(0);
		this.#far.clear();
		this.#size = 0;
	}

	#grow(length: number): void {
		const places = new Uint32Array(Math.max(length, Math.ceil(this.#places.length * 1.5), 1_024)).fill(NOWHERE);
		places.set(this.#places);
		this.#places = places;
		for (const [label, place] of this.#far) {
			if (label >= places.length) continue;
			places[label] = place;
			this.#far.delete(label);
		}
	}
}

/** The labels of `n` rows: those given, checked, or the next ones. */
export function labelsFor(table: LabelTable, n: number, given: Uint32Array | undefined): Uint32Array {
	if (given === undefined) {
		if (table.next + n > MAX_LABEL + 1)
			throw new NighError("INVALID_RECORD", "there are no labels left: they end at 4,294,967,294");
		return Uint32Array.from({ length: n }, (_, i) => table.next + i);
	}
	if (given.length !== n) {
		throw new NighError("INVALID_RECORD", `${n} rows need ${n} labels, not ${given.length}`, {
			expected: n,
			actual: given.length,
		});
	}
	// A table rather than a set: labels are dense as a rule, and there can be millions.
	const seen = new LabelTable();
	seen.reserve(
		n,
		given.reduce((end, label) => Math.max(end, label + 1), 0),
	);
	given.forEach((label, row) => {
		checkLabel(label, row);
		if (seen.get(label) !== undefined)
			throw new NighError("INVALID_RECORD", `row ${row}: the label ${label} is given twice in one call`, {
				row,
				value: label,
			});
		seen.set(label, row);
	});
	return given;
}

/** The labels to remove, checked. A string is not a list of labels, although it can be iterated. */
export function checkedLabels(labels: Iterable<Label>): Label[] {
	if (typeof labels !== "object" || labels === null || !(Symbol.iterator in labels)) {
		throw new NighError(
			"INVALID_RECORD",
			`labels are given as a list, such as [1, 2] or a Set, not ${JSON.stringify(labels)}`,
		);
	}
	return Array.from(labels, (label) => {
		checkLabel(label);
		return label;
	});
}

export function checkLabel(label: Label, row?: number): void {
	if (Number.isInteger(label) && label >= 0 && label <= MAX_LABEL) return;
	const where = row === undefined ? "" : `row ${row}: `;
	throw new NighError(
		"INVALID_RECORD",
		`${where}a label is an integer from 0 to 4,294,967,294, not ${typeof label === "number" ? label : JSON.stringify(label)}`,
		{
			row,
			value: label,
		},
	);
}
