import type { Metric } from "@nigh/contract";
import type { Arena, EngineName, WasmMemory } from "@nigh/kernels";

/**
 * A *generation* is the memory that a collection is searched in: one shared WebAssembly memory with a table of *slots*, the ring of the
 * tail, and the main index. Nothing in it ever moves. What does not fit any more, or is to be laid out anew (growth, compaction, another
 * index), goes into the next generation, which is built aside and then takes over.
 *
 * A slot is where a generation keeps a label; slots are given in the order of labels, so that a label is found by bisection. The
 * indexer allocates; the writer fills slots and ring and publishes; the indexer moves slots from the ring into the main index; readers
 * read.
 *
 * | table     | one for each    | what                                                          |
 * |-----------|-----------------|---------------------------------------------------------------|
 * | labels    | slot, u32       | the label, ascending                                          |
 * | born      | slot, f64       | the change that wrote it                                      |
 * | died      | slot, f64       | the change that took it away; infinity while it is there       |
 * | expires   | slot, f64       | ms since 1970; infinity: never                                |
 * | idStarts  | slot + 1, u32   | where its id starts in `ids`; it ends where the next one starts |
 * | ids       |                 | ids in UTF-8                                                  |
 * | ring      | ring row        | rows of slots that the main index has not taken in: slot s at s mod ringRows |
 * | ringSlots | ring row, u32   | the slot of that row                                          |
 */
export interface GenerationSize {
	/** Slots. */
	readonly capacity: number;
	/** Rows of the tail. */
	readonly ringRows: number;
	/** Bytes of all ids. */
	readonly idBytes: number;
	/** Bytes of a row, padding included. */
	readonly rowBytes: number;
}

/** Where the tables are. */
export interface GenerationTables {
	readonly header: number;
	readonly labels: number;
	readonly born: number;
	readonly died: number;
	readonly expires: number;
	readonly idStarts: number;
	readonly ids: number;
	readonly ring: number;
	readonly ringSlots: number;
}

/** How vectors are compared in it. */
export interface VectorFormat {
	readonly metric: Metric;
	readonly dimensions: number;
	readonly weights: readonly number[] | null;
}

/** A generation as it crosses threads. */
export interface GenerationHandle {
	/** Counts up with every generation of a collection. */
	readonly number: number;
	readonly memory: WasmMemory;
	readonly engine: EngineName;
	readonly format: VectorFormat;
	readonly size: GenerationSize;
	readonly tables: GenerationTables;
}

/** Readers that can be counted at the same time: those of this process's threads. */
export const MOST_READERS = 64;

/** Places in the header, in 4-byte words; `change` takes two. */
const WORD = {
	change: 0,
	slotEnd: 2,
	mainEnd: 3,
	ringFree: 4,
	dead: 5,
	deadInMain: 6,
	expiryNotes: 7,
	nextExpiry: 8,
	readers: 16,
} as const;
const HEADER_BYTES = (WORD.readers + MOST_READERS) * 4;

/** Takes the memory of the tables. The header says that there is nothing yet. */
export function allocateTables(arena: Arena, size: GenerationSize): GenerationTables {
	const { capacity, ringRows, idBytes, rowBytes } = size;
	const tables: GenerationTables = {
		header: arena.alloc(HEADER_BYTES),
		labels: arena.alloc(capacity * 4),
		born: arena.alloc(capacity * 8),
		died: arena.alloc(capacity * 8),
		expires: arena.alloc(capacity * 8),
		idStarts: arena.alloc((capacity + 1) * 4),
		ids: arena.alloc(idBytes),
		ring: arena.alloc(ringRows * rowBytes),
		ringSlots: arena.alloc(ringRows * 4),
	};
	arena.f64(tables.header + WORD.nextExpiry * 4, 1)[0] = Number.POSITIVE_INFINITY;
	return tables;
}

const FLOAT = new Float64Array(1);
const BITS = new BigInt64Array(FLOAT.buffer);

function bitsOf(float: number): bigint {
	FLOAT[0] = float;
	return BITS[0] as bigint;
}

function floatOf(bits: bigint): number {
	BITS[0] = bits;
	return FLOAT[0] as number;
}

/** What `died` holds of a record that is there, and of one that has expired. */
const FOREVER = bitsOf(Number.POSITIVE_INFINITY);
const EXPIRED = bitsOf(0);

/** One thread's view of a generation. */
export class Generation {
	readonly handle: GenerationHandle;
	readonly size: GenerationSize;
	readonly labels: Uint32Array;
	readonly born: Float64Array;
	readonly died: Float64Array;
	readonly expires: Float64Array;
	readonly idStarts: Uint32Array;
	readonly ids: Buffer<ArrayBuffer>;
	readonly ringSlots: Uint32Array;
	readonly #buffer: ArrayBufferLike;
	readonly #change: BigInt64Array;
	/** The bits of `died`, for changes that two threads may make at the same time. */
	readonly #diedBits: BigInt64Array;
	readonly #words: Int32Array;
	readonly #nextExpiry: Float64Array;

	constructor(handle: GenerationHandle) {
		const { memory, size, tables } = handle;
		const { capacity, ringRows, idBytes } = size;
		// A shared memory's buffer stays good for what it spans when the memory grows: the tables lie within it.
		const buffer = memory.buffer;
		this.handle = handle;
		this.size = size;
		this.#buffer = buffer;
		this.labels = new Uint32Array(buffer, tables.labels, capacity);
		this.born = new Float64Array(buffer, tables.born, capacity);
		this.died = new Float64Array(buffer, tables.died, capacity);
		this.expires = new Float64Array(buffer, tables.expires, capacity);
		this.idStarts = new Uint32Array(buffer, tables.idStarts, capacity + 1);
		this.ids = Buffer.from(buffer as ArrayBuffer, tables.ids, idBytes);
		this.ringSlots = new Uint32Array(buffer, tables.ringSlots, ringRows);
		this.#change = new BigInt64Array(buffer, tables.header, 1);
		this.#diedBits = new BigInt64Array(buffer, tables.died, capacity);
		this.#words = new Int32Array(buffer, tables.header, HEADER_BYTES / 4);
		this.#nextExpiry = new Float64Array(buffer, tables.header + WORD.nextExpiry * 4, 1);
	}

	/** The published change number: what readers see. */
	get change(): number {
		return Number(Atomics.load(this.#change, 0));
	}

	publish(change: number): void {
		Atomics.store(this.#change, 0, BigInt(change));
	}

	/** One more than the last slot that has been filled. */
	get slotEnd(): number {
		return Atomics.load(this.#words, WORD.slotEnd) >>> 0;
	}

	set slotEnd(slot: number) {
		Atomics.store(this.#words, WORD.slotEnd, slot);
	}

	/** Slots below are in the main index; from here on they are in the ring. */
	get mainEnd(): number {
		return Atomics.load(this.#words, WORD.mainEnd) >>> 0;
	}

	set mainEnd(slot: number) {
		Atomics.store(this.#words, WORD.mainEnd, slot);
	}

	/** Ring rows of slots below may be written over: they are in the main index, and readers that did not know it have left. */
	get ringFree(): number {
		return Atomics.load(this.#words, WORD.ringFree) >>> 0;
	}

	set ringFree(slot: number) {
		Atomics.store(this.#words, WORD.ringFree, slot);
	}

	/** Slots of labels that have gone. */
	get dead(): number {
		return Atomics.load(this.#words, WORD.dead);
	}

	/** Those of them that are in the main index. */
	get deadInMain(): number {
		return Atomics.load(this.#words, WORD.deadInMain);
	}

	/** No record expires before this moment. */
	get nextExpiry(): number {
		return this.#nextExpiry[0] as number;
	}

	/** Says that a record expires at `time`, after that has been written to its slot. */
	noteExpiry(time: number): void {
		if (time === Number.POSITIVE_INFINITY) return;
		Atomics.add(this.#words, WORD.expiryNotes, 1);
		if (time < this.nextExpiry) this.#nextExpiry[0] = time;
	}

	/** Says when the first record of all slots expires, after they have been filled by other means than one by one. */
	noteExpiries(): void {
		const { expires, slotEnd } = this;
		let first = Number.POSITIVE_INFINITY;
		for (let slot = 0; slot < slotEnd; slot++) if ((expires[slot] as number) < first) first = expires[slot] as number;
		this.noteExpiry(first);
	}

	/**
	 * Takes what has expired by `now` out of sight. A record goes from every reader's view at once, whatever change number it reads at: that
	 * is what expiring means. The record itself is deleted by the next write or prune. Any thread may do it; twice is harmless.
	 */
	expire(now: number): void {
		if (now < this.nextExpiry) return;
		const { expires, died, slotEnd } = this;
		const notes = Atomics.load(this.#words, WORD.expiryNotes);
		let next = Number.POSITIVE_INFINITY;
		for (let slot = 0; slot < slotEnd; slot++) {
			const time = expires[slot] as number;
			if (time === Number.POSITIVE_INFINITY || died[slot] === 0) continue;
			if (time <= now) this.kill(slot, 0);
			else if (time < next) next = time;
		}
		this.#nextExpiry[0] = next;
		// A note that came in meanwhile may have been written over: look again next time.
		if (Atomics.load(this.#words, WORD.expiryNotes) !== notes) this.#nextExpiry[0] = Number.NEGATIVE_INFINITY;
	}

	/** Records that there are now, expired ones included that nobody has looked for yet. */
	get live(): number {
		return this.slotEnd - this.dead;
	}

	/** Address of the ring's row `at`. */
	ringRow(at: number): number {
		return this.handle.tables.ring + at * this.size.rowBytes;
	}

	ringBytes(at: number): Uint8Array {
		return new Uint8Array(this.#buffer, this.ringRow(at), this.size.rowBytes);
	}

	/** The slot of a label; -1 where it has none. */
	slotOf(label: number): number {
		const { labels } = this;
		let low = 0;
		let high = this.slotEnd;
		while (low < high) {
			const mid = (low + high) >>> 1;
			if ((labels[mid] as number) < label) low = mid + 1;
			else high = mid;
		}
		return low < this.slotEnd && labels[low] === label ? low : -1;
	}

	idOf(slot: number): string {
		return this.ids.toString("utf8", this.idStarts[slot] as number, this.idStarts[slot + 1] as number);
	}

	/** Whether a reader at `change` sees the slot. */
	isAlive(slot: number, change: number): boolean {
		return (this.born[slot] as number) <= change && change < (this.died[slot] as number);
	}

	/** Marks a slot as gone from `change` on. Returns whether it was there. Of two threads that do, one is told so. */
	kill(slot: number, change: number): boolean {
		for (;;) {
			const was = Atomics.load(this.#diedBits, slot);
			if (floatOf(was) <= change) return false;
			if (Atomics.compareExchange(this.#diedBits, slot, was, bitsOf(change)) !== was) continue;
			if (was === FOREVER) this.#countDead(slot, 1);
			return was === FOREVER;
		}
	}

	/**
	 * Takes back what {@link Generation.expire} has done: a record's time was prolonged before it ran out, and that has come to be known
	 * here only after it would have.
	 */
	revive(slot: number): void {
		if (Atomics.compareExchange(this.#diedBits, slot, EXPIRED, FOREVER) === EXPIRED) this.#countDead(slot, -1);
	}

	#countDead(slot: number, more: number): void {
		Atomics.add(this.#words, WORD.dead, more);
		if (slot < this.mainEnd) Atomics.add(this.#words, WORD.deadInMain, more);
	}

	/** The indexer has taken `slots` in of which so many are dead. */
	countDeadInMain(slots: number): void {
		Atomics.add(this.#words, WORD.deadInMain, slots);
	}

	/** Begins to read: until {@link leave}, nothing that can be seen now is written over. `reader` is 0 to {@link MOST_READERS} - 1. */
	enter(reader: number): void {
		Atomics.add(this.#words, WORD.readers + reader, 1);
	}

	leave(reader: number): void {
		Atomics.add(this.#words, WORD.readers + reader, 1);
	}

	/** What each reader is doing now: an odd number belongs to one that reads. */
	readerTurns(): Int32Array {
		const turns = new Int32Array(MOST_READERS);
		for (let i = 0; i < MOST_READERS; i++) turns[i] = Atomics.load(this.#words, WORD.readers + i);
		return turns;
	}

	/** Whether every reader that was reading at `turns` has left since. */
	haveLeft(turns: Int32Array): boolean {
		return turns.every((turn, i) => (turn & 1) === 0 || Atomics.load(this.#words, WORD.readers + i) !== turn);
	}
}
