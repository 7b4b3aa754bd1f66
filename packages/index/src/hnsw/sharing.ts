import type { LabelRange } from "../rows/label-table.ts";
import { NO_LABELS, type ReservedLabels, sharedLabels } from "../rows/shared-labels.ts";
import type { Label } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { ReaderMemory, type ReaderOptions, type ReaderSpec, type SharedSpec } from "./reader-spec.ts";

/** What the owner tells its readers, in bytes of one cache line: f64 step of the codes, u32 places that are complete. */
export const PUBLISHED = { unit: 0, slots: 8, bytes: 64 } as const;

/** The label of a place that has none: it is in no bitmap. */
export const NO_LABEL = 0xffffffff;

/**
 * What a graph shares with readers on other threads. While there are readers nothing that they read moves or is used again: their number
 * decides what the owner may do. A place is published when its vector, code, label and level are written, before a link leads to it.
 */
export class Sharing {
	readonly #graph: HnswGraph;
	readonly #readers = new Map<number, ReaderMemory>();
	#published = 0;
	/** Address of u32 a label: 1 + its place, 0 for none. */
	#places = 0;
	#labels = NO_LABELS;
	#reserved: ReservedLabels | undefined;
	/** Address of u32 a place: its label, and behind those a pair a place: norm and residual of its code. Only while there are readers. */
	#nodes = 0;
	#nodeBytes = 0;
	/** Places of nodes that could not be linked: readers may still look at them, so they wait until there are none. */
	readonly #abandoned: number[] = [];

	constructor(graph: HnswGraph) {
		this.#graph = graph;
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
		let bytes = 4 * this.#labels.count + (this.#published === 0 ? 0 : PUBLISHED.bytes) + this.#nodeBytes;
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

	open(options: ReaderOptions): ReaderSpec {
		const { arena } = this.#graph;
		if (this.#published === 0) this.#published = arena.alloc(PUBLISHED.bytes);
		// An insertMany that is running has given all its vectors their labels before it first waits.
		if (!this.active) this.#takeForReaders();
		const { from: firstLabel, count: labels } = this.#labels;
		const { errors } = this;
		const shared = {
			published: this.#published,
			places: this.#places,
			firstLabel,
			labels,
			labelsOf: this.#nodes,
			errors,
		};
		const reader = this.#reader(shared, options);
		// Before the first there was nobody to be told.
		if (!this.active) this.#publishAll();
		this.#readers.set(reader.spec.scratch, reader);
		return reader.spec;
	}

	/** Gives a reader's memory back; its thread must have done with it. Returns whether there was such a reader. */
	close({ scratch }: ReaderSpec): boolean {
		const reader = this.#readers.get(scratch);
		if (reader === undefined) return false;
		reader.dispose();
		this.#readers.delete(scratch);
		if (this.active) return true;
		this.#giveBack();
		if (this.#abandoned.length > 0) this.#graph.reuse(this.#abandoned.splice(0));
		return true;
	}

	/** Tells readers of new places, which must be written but need not be linked. */
	publish(nodes: ArrayLike<number> & Iterable<number>): void {
		if (!this.active) return;
		const places = this.#placesView();
		const { from } = this.#labels;
		const labels = this.#labelsView();
		for (const node of nodes) labels[node] = this.#graph.labelOf(node);
		for (const node of nodes) Atomics.store(places, this.#graph.labelOf(node) - from, node + 1);
		this.#publishCounts();
	}

	/** Takes back what was told of a node that could not be linked; its place is not used again while there are readers. */
	abandon(node: number): void {
		const label = this.#graph.labelOf(node);
		if (this.covers(label)) Atomics.store(this.#placesView(), label - this.#labels.from, 0);
		this.#abandoned.push(node);
	}

	dispose(): void {
		for (const reader of this.#readers.values()) reader.dispose();
		this.#readers.clear();
		this.#graph.arena.free(this.#published);
		this.#graph.arena.free(this.#places);
		this.#freeNodes();
	}

	/** Where the pairs of norm and residual begin; 0 in a graph without codes. */
	get errors(): number {
		return this.#graph.codes === undefined ? 0 : this.#nodes + 4 * evenly(this.#graph.capacity);
	}

	#reader(shared: SharedSpec, options: ReaderOptions): ReaderMemory {
		try {
			return new ReaderMemory(this.#graph, shared, options);
		} catch (error) {
			if (!this.active) this.#giveBack();
			throw error;
		}
	}

	#takeForReaders(): void {
		this.#takeLabels(sharedLabels(this.#graph.table, this.#reserved, NO_LABELS));
		try {
			this.#allocateNodes();
		} catch (error) {
			this.#giveBack();
			throw error;
		}
	}

	/** What there is only while there are readers. Which labels there are may be different when the next comes. */
	#giveBack(): void {
		this.#freeNodes();
		if (this.isHeld) return;
		this.#graph.arena.free(this.#places);
		this.#places = 0;
		this.#labels = NO_LABELS;
	}

	#takeLabels(labels: LabelRange): void {
		this.#places = this.#graph.arena.resize(this.#places, 4 * labels.count);
		this.#labels = labels;
	}

	#allocateNodes(): void {
		const { arena, capacity, codes } = this.#graph;
		const bytes = 4 * evenly(capacity) + (codes === undefined ? 0 : 8 * capacity);
		this.#nodes = arena.alloc(bytes);
		this.#nodeBytes = bytes;
	}

	#freeNodes(): void {
		this.#graph.arena.free(this.#nodes);
		this.#nodes = 0;
		this.#nodeBytes = 0;
	}

	#publishAll(): void {
		const places = this.#placesView().fill(0);
		const { from, count } = this.#labels;
		const labels = this.#labelsView().fill(NO_LABEL);
		this.#graph.table.forEach((label, node) => {
			labels[node] = label;
			if (label >= from && label - from < count) places[label - from] = node + 1;
		});
		this.#publishCounts();
	}

	#publishCounts(): void {
		const { arena, codes, slots } = this.#graph;
		arena.f64(this.#published + PUBLISHED.unit, 1)[0] = codes?.unit ?? 1;
		Atomics.store(arena.u32(this.#published + PUBLISHED.slots, 1), 0, slots);
	}

	#labelsView(): Uint32Array {
		return this.#graph.arena.u32(this.#nodes, this.#graph.capacity);
	}

	#placesView(): Uint32Array {
		return this.#graph.arena.u32(this.#places, this.#labels.count);
	}
}

/** So that what follows that many words starts at a multiple of 8. */
function evenly(words: number): number {
	return words + (words & 1);
}
