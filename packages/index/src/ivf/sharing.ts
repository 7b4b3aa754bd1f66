import type { View } from "@nigh/kernels";
import type { LabelRange } from "../rows/label-table.ts";
import { NO_LABELS, type ReservedLabels, sharedLabels } from "../rows/shared-labels.ts";
import type { Label } from "../vector-index.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { type IvfReaderOptions, type IvfReaderSpec, ReaderMemory } from "./reader-spec.ts";

/** What the owner tells its readers, in bytes of one cache line: u32 places that are complete, u32 rows there are. */
export const PUBLISHED = { slots: 0, rows: 4, bytes: 64 } as const;

/**
 * What an inverted file shares with readers on other threads. While there are readers nothing that they read moves or is used again: their number
 * decides what the owner may do. A row is told of when its vector, label and codes are written, before its block counts it: whatever a reader
 * meets in a cell has a place below the number that it reads afterwards.
 */
export class Sharing {
	readonly #file: InvertedFile;
	readonly #readers = new Map<number, ReaderMemory>();
	#published = 0;
	#counts: View<Uint32Array>;
	/** Address of u32 a label: 1 + its place, 0 for none. */
	#places = 0;
	#placeOf: View<Uint32Array>;
	#labels = NO_LABELS;
	#reserved: ReservedLabels | undefined;
	/** Labels of an `insertMany` that is running: a reader that is opened in the middle of it is to find them too. */
	coming = NO_LABELS;

	constructor(file: InvertedFile) {
		this.#file = file;
		this.#counts = file.arena.view(Uint32Array, 0, 0);
		this.#placeOf = this.#counts;
	}

	/** Whether other threads may be reading. */
	get active(): boolean {
		return this.#readers.size > 0;
	}

	get readers(): number {
		return this.#readers.size;
	}

	/** Whether only some labels can be inserted: those that readers can find. */
	get isHeld(): boolean {
		return this.active || (this.#reserved?.range.count ?? 0) > 0;
	}

	get bytes(): number {
		let bytes = 4 * this.#labels.count + (this.#published === 0 ? 0 : PUBLISHED.bytes);
		for (const reader of this.#readers.values()) bytes += reader.bytes;
		return bytes;
	}

	covers(label: Label): boolean {
		const { from, count } = this.#labels;
		return label >= from && label < from + count;
	}

	/** Takes room for the places of labels, for all readers to come. Only while there are none. `vectors` as in {@link ReservedLabels}. */
	reserveLabels(labels: LabelRange, vectors: number | undefined): void {
		this.#takeLabels(labels);
		this.#reserved = { range: labels, vectors };
	}

	open(options: IvfReaderOptions): IvfReaderSpec {
		const { arena, table } = this.#file;
		if (this.#published === 0) {
			this.#published = arena.alloc(PUBLISHED.bytes);
			this.#counts = arena.view(Uint32Array, this.#published, 2);
		}
		if (!this.active) this.#takeLabels(sharedLabels(table, this.#reserved, this.coming));
		const reader = this.#reader(options);
		// Before the first there was nobody to be told.
		if (!this.active) this.#publishAll();
		this.#readers.set(reader.spec.scratch, reader);
		return reader.spec;
	}

	/** Gives a reader's memory back; its thread must have done with it. Returns whether there was such a reader. */
	close({ scratch }: IvfReaderSpec): boolean {
		const reader = this.#readers.get(scratch);
		if (reader === undefined) return false;
		reader.dispose();
		this.#readers.delete(scratch);
		this.#giveLabelsBack();
		return true;
	}

	/** Tells readers of a place whose row is complete. */
	publish(place: number, label: Label): void {
		if (!this.active) return;
		const counts = this.#counts.array;
		const slots = Math.max(place + 1, Atomics.load(counts, PUBLISHED.slots / 4));
		Atomics.store(counts, PUBLISHED.slots / 4, slots);
		if (this.covers(label)) Atomics.store(this.#placeOf.array, label - this.#labels.from, place + 1);
		Atomics.store(counts, PUBLISHED.rows / 4, this.#file.size);
	}

	dispose(): void {
		const { arena } = this.#file;
		for (const reader of this.#readers.values()) reader.dispose();
		this.#readers.clear();
		arena.free(this.#published);
		arena.free(this.#places);
	}

	#reader(options: IvfReaderOptions): ReaderMemory {
		const { from: firstLabel, count: labelCount } = this.#labels;
		const shared = { published: this.#published, places: this.#places, firstLabel, labelCount };
		try {
			return new ReaderMemory(this.#file, shared, options);
		} catch (error) {
			this.#giveLabelsBack();
			throw error;
		}
	}

	#takeLabels(labels: LabelRange): void {
		const { arena } = this.#file;
		this.#places = arena.resize(this.#places, 4 * labels.count);
		this.#placeOf = arena.view(Uint32Array, this.#places, labels.count);
		this.#labels = labels;
	}

	/** Which labels there are may be different when the next reader comes. */
	#giveLabelsBack(): void {
		if (this.isHeld) return;
		this.#file.arena.free(this.#places);
		this.#places = 0;
		this.#labels = NO_LABELS;
	}

	#publishAll(): void {
		const { table, slots, size } = this.#file;
		const places = this.#placeOf.array.fill(0);
		const { from, count } = this.#labels;
		table.forEach((label, place) => {
			if (label >= from && label - from < count) places[label - from] = place + 1;
		});
		const counts = this.#counts.array;
		Atomics.store(counts, PUBLISHED.rows / 4, size);
		Atomics.store(counts, PUBLISHED.slots / 4, slots);
	}
}
