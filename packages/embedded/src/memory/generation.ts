import type { Metric } from "@nigh/contract";
import type { Arena, EngineName, WasmMemory } from "@nigh/kernels";
import type { IndexChoice } from "../records/catalogue.ts";
import type { RowSegment } from "../row-files/segments.ts";

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
 * | died      | slot, f64       | the change that took it away; infinity while it is there, 0 while it has expired, -1 once it was deleted after that |
 * | expires   | slot, f64       | ms since 1970; infinity: never                                |
 * | idStarts  | slot + 1, u32   | where its id starts in `ids`; it ends where the next one starts |
 * | ids       |                 | ids in UTF-8                                                  |
 * | ring      | ring row        | rows of slots that the main index has not taken in: slot s at s mod ringRows |
 * | ringSlots | ring row, u32   | the slot of that row                                          |
 * | counted   | 32 slots, u32   | a bit for each slot that "dead in the main index" counts        |
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
	/** Bytes that one more slot takes in all, its id left out. */
	readonly slotBytes: number;
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
	readonly counted: number;
}

/** How vectors are compared in it. */
export interface VectorFormat {
	readonly metric: Metric;
	readonly dimensions: number;
	readonly weights: readonly number[] | null;
}

/** What the codes of the tail's rows mean: those of the main index, which stay as they are while the generation lives. */
export interface TailCodes {
	/** Address of the code of ring row 0. */
	readonly rows: number;
	/** Address of one float a dimension: what code 0 stands for. */
	readonly origin: number;
	/** What one step of a code stands for. */
	readonly unit: number;
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
	/** `null` where the main index has no codes: the tail is compared by its rows alone. */
	readonly tailCodes: TailCodes | null;
	/** Where the rows of slots are that the main index has taken in; `null`: in the index. */
	readonly rowFiles: RowFilesAt | null;
	/** The main index, as far as its memory depends on it; left out where there is none. */
	readonly index?: IndexChoice;
	/** Which main index that is; left out where there is none. */
	readonly identity?: IndexIdentity;
}

/**
 * Which index a generation has: an index keeps its identity when it is copied into another generation, or read from a snapshot, and gets another
 * when it is built anew. What is known of its recall is known of an identity.
 */
export interface IndexIdentity {
	readonly id: string;
	/** What {@link churnOf} counts that this generation does not: vectors that had come and gone before it. */
	readonly offset: number;
}

/**
 * How many vectors have come into the main index or died since it was built, whichever generation they did so in: it grows by 1 with each. Two
 * numbers of one identity tell how much has changed between them.
 */
export function churnOf({ handle, mainEnd, dead }: Pick<Generation, "handle" | "mainEnd" | "dead">): number {
	return (handle.identity?.offset ?? 0) + mainEnd + dead;
}

/** Files that hold rows by slot. The last of them grows while the generation lives. */
export interface RowFilesAt {
	readonly folder: string;
	readonly segments: readonly RowSegment[];
}

/** Readers that can be counted at the same time: those of this process's threads. */
export const MOST_READERS = 65;

/**
 * ms that the clocks of two threads may differ, and that a clock may go back without anything coming back into sight. Threads read the clock
 * some time before they look for what has expired: without it, two of them around one expiry would take turns in looking at every slot.
 */
export const CLOCK_TOLERANCE_MS = 1_000;

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
	clock: 10,
	expired: 12,
	ceiling: 13,
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
		counted: arena.alloc(Math.ceil(capacity / 32) * 4),
	};
	arena.f64(tables.header + WORD.nextExpiry * 4, 1)[0] = Number.POSITIVE_INFINITY;
	arena.f64(tables.header + WORD.clock * 4, 1)[0] = Number.NEGATIVE_INFINITY;
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

/** What `died` holds of a record that is there, and of one that has expired and is there again should the clock go back. */
const FOREVER = bitsOf(Number.POSITIVE_INFINITY);
const EXPIRED = bitsOf(0);
/** What {@link Generation.kill} is given for a slot that no reader may see any more, whatever the time. */
export const DELETED = -1;

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
	readonly #counted: Uint32Array;
	readonly #change: BigInt64Array;
	/** The bits of `died`, for changes that two threads may make at the same time. */
	readonly #diedBits: BigInt64Array;
	readonly #words: Int32Array;
	readonly #nextExpiry: Float64Array;
	readonly #nextExpiryBits: BigInt64Array;
	/** The latest moment of a look for what has expired, since the clock last went back. */
	readonly #clock: Float64Array;

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
		this.#counted = new Uint32Array(buffer, tables.counted, Math.ceil(capacity / 32));
		this.#change = new BigInt64Array(buffer, tables.header, 1);
		this.#diedBits = new BigInt64Array(buffer, tables.died, capacity);
		this.#words = new Int32Array(buffer, tables.header, HEADER_BYTES / 4);
		this.#nextExpiry = new Float64Array(buffer, tables.header + WORD.nextExpiry * 4, 1);
		this.#nextExpiryBits = new BigInt64Array(buffer, tables.header + WORD.nextExpiry * 4, 1);
		this.#clock = new Float64Array(buffer, tables.header + WORD.clock * 4, 1);
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

	/** Writers wait before slots from here on are filled: another generation is being built that would have no room for them. 0: none. */
	get ceiling(): number {
		return Atomics.load(this.#words, WORD.ceiling) >>> 0;
	}

	set ceiling(slot: number) {
		Atomics.store(this.#words, WORD.ceiling, slot);
	}

	/** Slots of labels that have gone, or have expired. */
	get dead(): number {
		return Atomics.load(this.#words, WORD.dead);
	}

	/** Those of them whose records are gone for good: what has expired is there again should the clock go back. */
	get deleted(): number {
		return this.dead - Atomics.load(this.#words, WORD.expired);
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
		for (;;) {
			const was = Atomics.load(this.#nextExpiryBits, 0);
			if (floatOf(was) <= time) return;
			if (Atomics.compareExchange(this.#nextExpiryBits, 0, was, bitsOf(time)) === was) return;
		}
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
	 * is what expiring means. Where the clock has gone back by more than {@link CLOCK_TOLERANCE_MS}, what will not expire for longer than that
	 * is back in sight: a record is there by its time alone, until the next write or prune deletes it. What has expired within that time of
	 * `now` may stay out of sight.
	 *
	 * Any thread may do it, also while another does. Their clocks must agree to within that time: as long as they do, one never brings back
	 * what another has taken away.
	 */
	expire(now: number): void {
		const clock = this.#clock[0] as number;
		const isBack = now < clock - CLOCK_TOLERANCE_MS;
		if (now < this.nextExpiry && !isBack) return;
		const notes = Atomics.load(this.#words, WORD.expiryNotes);
		this.#clock[0] = isBack ? now : Math.max(now, clock);
		const { next, revived } = this.#sweep(now);
		// Said before the moment is written: who looked at the same time, and may write a later one over it, looks again.
		const own = revived > 0 ? 1 : 0;
		Atomics.add(this.#words, WORD.expiryNotes, own);
		this.#nextExpiry[0] = next;
		// A note that came in meanwhile may have been written over: look again next time.
		const isDisturbed = Atomics.load(this.#words, WORD.expiryNotes) !== ((notes + own) | 0);
		if (isDisturbed) this.#nextExpiry[0] = Number.NEGATIVE_INFINITY;
		// Where another thread has turned it back meanwhile, what was taken away here may have to come back.
		if ((this.#clock[0] as number) < now) this.#clock[0] = now;
	}

	/** Looks at all slots. Returns when the next record expires, and how many are in sight again. */
	#sweep(now: number): { next: number; revived: number } {
		const { expires, died, slotEnd } = this;
		let next = Number.POSITIVE_INFINITY;
		let revived = 0;
		for (let slot = 0; slot < slotEnd; slot++) {
			const time = expires[slot] as number;
			if (time === Number.POSITIVE_INFINITY || (died[slot] as number) < 0) continue;
			const isExpired = died[slot] === 0;
			if (time <= now) {
				if (isExpired) continue;
				this.kill(slot, 0);
				// Whoever has prolonged it meanwhile may have found nothing to revive yet, and notes the new time afterwards.
				if ((expires[slot] as number) > now) this.revive(slot);
				continue;
			}
			if (isExpired) {
				if (time <= now + CLOCK_TOLERANCE_MS) continue;
				this.revive(slot);
				revived++;
			}
			if (time < next) next = time;
		}
		return { next, revived };
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

	/**
	 * Marks a slot as gone from `change` on (0: as expired; {@link DELETED}: for good, at a change that nobody reads any more). Returns whether
	 * it was there. Of two threads that do, one is told so.
	 */
	kill(slot: number, change: number): boolean {
		for (;;) {
			const was = Atomics.load(this.#diedBits, slot);
			const wasExpired = was === EXPIRED && change !== 0;
			if (floatOf(was) <= change && !wasExpired) return false;
			// What is deleted does not come back with the clock.
			const isBoth = wasExpired || (was !== FOREVER && change === 0);
			if (Atomics.compareExchange(this.#diedBits, slot, was, bitsOf(isBoth ? DELETED : change)) !== was) continue;
			if (wasExpired) Atomics.sub(this.#words, WORD.expired, 1);
			if (was !== FOREVER) return false;
			if (change === 0) Atomics.add(this.#words, WORD.expired, 1);
			this.#countDead(slot, 1);
			return true;
		}
	}

	/**
	 * Takes back what {@link Generation.expire} has done: a record's time was prolonged before it ran out, and that has come to be known
	 * here only after it would have; or the clock has gone back.
	 */
	revive(slot: number): void {
		if (Atomics.compareExchange(this.#diedBits, slot, EXPIRED, FOREVER) !== EXPIRED) return;
		Atomics.sub(this.#words, WORD.expired, 1);
		this.#countDead(slot, -1);
	}

	/** Whether nobody will ever see the slot again, as far as is known by now. */
	isDeleted(slot: number): boolean {
		const died = this.died[slot] as number;
		return died !== Number.POSITIVE_INFINITY && died !== 0;
	}

	#countDead(slot: number, more: number): void {
		Atomics.add(this.#words, WORD.dead, more);
		if (slot < this.mainEnd) this.#settle(slot);
	}

	/** The main index has the slots from `from` to below `end` now, as {@link mainEnd} says: those that died in the tail count from here on. */
	countDeadInMain(from: number, end: number): void {
		for (let slot = from; slot < end; slot++) {
			if (Atomics.load(this.#diedBits, slot) !== FOREVER) this.#settle(slot);
		}
	}

	/**
	 * Makes a slot of the main index count as dead just while it is. Whoever takes it in and whoever kills or revives it may do so at the
	 * same moment: the bit says whether it counts already, and who has changed the bit looks again whether it is still right.
	 */
	#settle(slot: number): void {
		const bit = 1 << (slot & 31);
		for (;;) {
			const isDead = Atomics.load(this.#diedBits, slot) !== FOREVER;
			const before = isDead ? Atomics.or(this.#counted, slot >>> 5, bit) : Atomics.and(this.#counted, slot >>> 5, ~bit);
			const wasCounted = (before & bit) !== 0;
			if (wasCounted !== isDead) Atomics.add(this.#words, WORD.deadInMain, isDead ? 1 : -1);
			if ((Atomics.load(this.#diedBits, slot) !== FOREVER) === isDead) return;
		}
	}

	/** Begins to read: until {@link leave}, nothing that can be seen now is written over. `reader` is 0 to {@link MOST_READERS} - 1. */
	enter(reader: number): void {
		Atomics.add(this.#words, WORD.readers + reader, 1);
	}

	leave(reader: number): void {
		Atomics.add(this.#words, WORD.readers + reader, 1);
	}

	/** Ends the turn of a reader whose thread was ended while it read, before another thread gets its number. */
	endTurn(reader: number): void {
		const turn = Atomics.load(this.#words, WORD.readers + reader);
		if ((turn & 1) === 1) Atomics.compareExchange(this.#words, WORD.readers + reader, turn, turn + 1);
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
