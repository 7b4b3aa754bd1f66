import { isNighError, NighError } from "@nigh/contract";
import { Generation } from "../memory/generation.ts";
import { RowMaker, vectorBytes, vectorOf } from "../memory/rows.ts";
import { type Full, SlotWriter } from "../memory/slot-writer.ts";
import { withinMemory } from "../memory/within-memory.ts";
import type { CatalogueEntry, StoredSpec } from "../records/catalogue.ts";
import type { CommittedRow } from "./committed-rows.ts";
import type { Installed } from "./messages.ts";
import { addRoom, hasRoom, hasTail, NO_ROOM, type Room } from "./room.ts";

/** What the writer has to wait for the indexer for. */
export interface RoomMaker {
	/** Asks for a generation with room for so much more. Fails with `MEMORY_LIMIT` where no memory holds it. */
	grow(room: Room): Promise<void>;
	/** Says that writers wait, or wait no longer. */
	waiting(waiting: boolean): void;
	/**
	 * Has the indexer look for what is due: a write begins to wait for rows of the tail. Each tells of itself, also where others wait already: what
	 * frees the rows may have come due only by what this one has filled in.
	 */
	awaited(): void;
	/** Has everything built anew from the records, where rows on disk have turned out to be damaged. Not while something is being shown. */
	mend(): Promise<void>;
}

/** A collection as the writer sees it: what it has committed becomes visible here. */
export class WrittenCollection {
	readonly key: number;
	readonly name: string;
	spec: StoredSpec;
	/** The last change that was committed. */
	change: number;
	/** Records there are, as far as is known here. */
	records: number;
	/** Labels from here on have not been seen. */
	nextLabel: number;
	/** Whether catching up with another process ended in the middle: what is in memory belongs to no state, and has to be made anew. */
	isTorn = false;
	/** In a process that only reads: the index is to be followed by the next snapshot of the one that writes. */
	isOutgrown = false;
	/** When the snapshot was taken that it began with, and the one that was last looked for: ms since 1970. */
	savedAt: number | undefined;
	lookedFor: number | undefined;
	/** The first write that tells the dimensions, while it runs. */
	fixing: Promise<void> | undefined;
	#generation: Generation | undefined;
	#slots: SlotWriter | undefined;
	#rows: RowMaker | undefined;
	#wake: PromiseWithResolvers<void>[] = [];
	/** Why the tail is not taken in at the moment, and the how manieth time it is that this has failed. */
	#stall: { readonly reason: Error; readonly number: number } | undefined;
	#stalls = 0;
	readonly #room: RoomMaker;
	#failure: NighError | undefined;
	/** Why nobody need wait for room any more. */
	#ended: NighError | undefined;
	/** Writes that wait for room. */
	#waiting = 0;
	/** What writes under way may still fill in. */
	#reserved = NO_ROOM;
	/** Resolves when nobody waits for a reservation any more: they come in their order, the small ones behind the large. */
	#reserving: Promise<void> | undefined;

	constructor(
		{ key, name, spec, change, records, nextLabel }: Omit<CatalogueEntry, "reclaimedThrough">,
		room: RoomMaker,
	) {
		this.key = key;
		this.name = name;
		this.spec = spec;
		this.change = change;
		this.records = records;
		this.nextLabel = nextLabel;
		this.#room = room;
	}

	/** `undefined` until the first vector has told the dimensions. */
	get generation(): Generation | undefined {
		return this.#generation;
	}

	/** Set where memory and records have come apart, which only opening anew mends. */
	get failure(): NighError | undefined {
		return this.#failure;
	}

	/** @throws NighError `UNAVAILABLE` after a failure that only opening the database anew can mend. */
	check(): void {
		if (this.#failure !== undefined) throw this.#failure;
	}

	/** Begins again from what the records say: whatever came apart is left behind. */
	recover({ change, nextLabel, records }: Pick<CatalogueEntry, "change" | "nextLabel" | "records">): void {
		this.#failure = undefined;
		this.change = change;
		this.nextLabel = nextLabel;
		this.records = records;
	}

	/** The first generation, or one that begins anew. */
	begin({ generation }: Installed): void {
		const { format } = generation;
		this.isOutgrown = false;
		if (this.#rows?.format.dimensions !== format.dimensions) {
			this.#rows = withinMemory(this.records, () => new RowMaker(format));
		}
		this.#use(new Generation(generation));
	}

	/** Makes what was committed at `change` visible: first all of it in memory, then the number. */
	async show(change: number, rows: Iterable<CommittedRow>, died: Iterable<number>): Promise<void> {
		try {
			this.check();
			// What has to wait comes first: a generation that takes over meanwhile would leave out what has died already.
			for (const row of rows) {
				const waiting = this.append(row);
				// Not awaited without need: that would take longer than the rest.
				if (waiting !== undefined) await waiting;
			}
			for (const label of died) this.kill(label, change);
			this.publish(change);
		} catch (cause) {
			this.#failure ??= new NighError(
				"UNAVAILABLE",
				`the records of ${JSON.stringify(this.name)} are safe on disk, but its index in memory could not follow: close the database and open it again, or call repair(). ${reasonOf(cause)}`,
				{},
				{ cause },
			);
			throw this.#failure;
		}
	}

	/**
	 * Makes sure that what is about to be written can be shown afterwards, before it is written: what is committed cannot be refused any more,
	 * and is seen soon. Waits where another generation has to be made for it, or where the tail has to be taken in first.
	 *
	 * @returns what gives the room back that the write has not used, or used by now.
	 * @throws NighError `MEMORY_LIMIT`, `CLOSED`, `UNAVAILABLE` without an indexer; where the tail is full, what has kept it from being taken in:
	 * `DISK_FULL`, `READ_ONLY`.
	 */
	async reserve(room: Room): Promise<() => void> {
		if (this.#reserving === undefined && this.#hasRoom(room)) this.#reserved = addRoom(this.#reserved, room);
		else {
			const waiting = this.#waitForRoom(room, this.#reserving);
			const forget = () => {
				if (this.#reserving === ended) this.#reserving = undefined;
			};
			const ended: Promise<void> = waiting.then(forget, forget);
			this.#reserving = ended;
			await waiting;
		}
		return () => {
			const { slots, idBytes } = this.#reserved;
			this.#reserved = { slots: slots - room.slots, idBytes: idBytes - room.idBytes };
			this.#wakeAll();
		};
	}

	async #waitForRoom(room: Room, before: Promise<void> | undefined): Promise<void> {
		const stalls = this.#stalls;
		await before;
		while (!this.#hasRoom(room)) {
			if (this.#ended !== undefined) throw this.#ended;
			if (!this.#fits(room)) await this.#whileWaiting(this.#grow(addRoom(this.#reserved, room)));
			else {
				// What those before have been told while they waited, this one does not wait for once more.
				if (this.#stall !== undefined && this.#stall.number > stalls) throw this.#stall.reason;
				await this.#whileWaiting(this.#progress());
			}
		}
		this.#reserved = addRoom(this.#reserved, room);
	}

	async #grow(room: Room): Promise<void> {
		try {
			await this.#room.grow(room);
		} catch (error) {
			if (!isNighError(error, "CORRUPT_SNAPSHOT")) throw error;
			await this.#room.mend();
		}
	}

	#hasRoom(room: Room): boolean {
		if (this.#generation === undefined || room.slots === 0) return true;
		return this.#fits(room) && this.#hasTail(this.#generation, room);
	}

	#hasTail(generation: Generation, room: Room): boolean {
		const { slotEnd, ringFree, size } = generation;
		const isWhole = slotEnd - ringFree + this.#reserved.slots + room.slots <= size.ringRows;
		// What is in the records already, and waits in vain for the rest of its rows, could not be found.
		return (this.#stall === undefined || isWhole) && hasTail(generation, this.#reserved, room);
	}

	/** Whether the generation can hold it, as soon as the tail has been taken in as often as that needs. */
	#fits(room: Room): boolean {
		return hasRoom(this.#generation as Generation, addRoom(this.#reserved, room));
	}

	/** Appends a record; waits, where there is no room, until there is. */
	append(row: CommittedRow): Promise<void> | undefined {
		const full = this.#appendIfRoom(row);
		return full === undefined ? undefined : this.#appendWhenRoom(row, full);
	}

	#appendIfRoom({ label, id, born, expires, vector }: CommittedRow): Full | undefined {
		const slots = this.#slots as SlotWriter;
		const full = slots.full(id);
		if (full === undefined) slots.append({ label, id, born, expires, row: (this.#rows as RowMaker).row(vector) });
		return full;
	}

	async #appendWhenRoom(row: CommittedRow, why: Full): Promise<void> {
		for (let full: Full | undefined = why; full !== undefined; full = this.#appendIfRoom(row)) {
			const progress = this.#progress();
			const room = { slots: 1, idBytes: Buffer.byteLength(row.id) };
			await this.#whileWaiting(full === "tail" ? progress : Promise.all([progress, this.#room.grow(room)]));
		}
	}

	kill(label: number, change: number): void {
		const generation = this.#generation;
		if (generation === undefined) return;
		const slot = generation.slotOf(label);
		if (slot >= 0) generation.kill(slot, change);
	}

	/** A record was changed in place. */
	touch(label: number, expires: number): void {
		const generation = this.#generation;
		if (generation === undefined) return;
		const slot = generation.slotOf(label);
		if (slot < 0) return;
		generation.expires[slot] = expires;
		generation.revive(slot);
		generation.noteExpiry(expires);
	}

	publish(change: number): void {
		this.change = change;
		this.#generation?.publish(change);
	}

	/** The indexer has made room. */
	wake(): void {
		this.#stall = undefined;
		this.#wakeAll();
	}

	#wakeAll(): void {
		for (const { resolve } of this.#wake.splice(0)) resolve();
	}

	/** The tail cannot be taken in, which is tried again after a while: whoever waits for that is told why. */
	stall(reason: Error): void {
		this.#stall = { reason, number: ++this.#stalls };
		for (const { reject } of this.#wake.splice(0)) reject(reason);
	}

	/** A generation that was to be filled from the records has not come to have all of them. */
	tear(cause: unknown): void {
		const [name, why] = [JSON.stringify(this.name), reasonOf(cause)];
		const message = `the records of ${name} are safe on disk, but its index could not be built from them: call repair(), or close the database and open it again. ${why}`;
		this.#failure ??= new NighError("UNAVAILABLE", message, {}, { cause });
	}

	/**
	 * Lets a generation take over. What has died or was touched since it was begun is carried over, and the slots that it lacks are
	 * appended. Answers false, and leaves everything as it is, where they do not fit.
	 */
	install({ generation: handle }: Installed, oldSlots: Uint32Array, fromSlot: number): boolean {
		const old = this.#generation;
		if (old === undefined || this.#ended !== undefined) return false;
		const next = new Generation(handle);
		const lacking: number[] = [];
		for (let slot = fromSlot; slot < old.slotEnd; slot++) {
			if (!old.isDeleted(slot)) lacking.push(slot);
		}
		const idBytes = (old.idStarts[old.slotEnd] as number) - (old.idStarts[fromSlot] as number);
		const { capacity, ringRows } = next.size;
		const fits =
			next.slotEnd - next.ringFree + lacking.length <= ringRows &&
			next.slotEnd + lacking.length <= capacity &&
			(next.idStarts[next.slotEnd] as number) + idBytes <= next.size.idBytes;
		if (!fits) return false;
		oldSlots.forEach((oldSlot, slot) => {
			const died = old.died[oldSlot] as number;
			if (died !== Number.POSITIVE_INFINITY) next.kill(slot, died);
			next.expires[slot] = old.expires[oldSlot] as number;
		});
		const slots = new SlotWriter(next);
		for (const slot of lacking) {
			slots.append({
				label: old.labels[slot] as number,
				id: old.idOf(slot),
				born: old.born[slot] as number,
				expires: old.expires[slot] as number,
				row: old.ringBytes(slot % old.size.ringRows),
			});
		}
		next.noteExpiries();
		next.publish(old.change);
		this.#use(next);
		this.wake();
		return true;
	}

	close(): void {
		this.fail(new NighError("CLOSED", "the collection was closed while a write waited for room: open it again"));
	}

	/** Nobody makes room any more: whoever waits for some is told why, and whoever would have to. */
	fail(reason: NighError): void {
		this.#ended ??= reason;
		this.wake();
	}

	/** Makes stored bytes the vector they are. */
	vectorMaker(): (bytes: Uint8Array) => Float32Array | Uint8Array {
		const { metric } = this.spec;
		return (bytes) => vectorOf(bytes.byteOffset % 4 === 0 ? bytes : bytes.slice(), { metric });
	}

	/** The vectors of stored bytes, by row. */
	vectorsOf(bytes: Uint8Array): (row: number) => Float32Array | Uint8Array {
		const length = vectorBytes({ metric: this.spec.metric, dimensions: this.spec.dimensions as number });
		const make = this.vectorMaker();
		return (row) => make(bytes.subarray(row * length, (row + 1) * length));
	}

	#use(generation: Generation): void {
		this.#generation = generation;
		this.#slots = new SlotWriter(generation);
	}

	/** Says that writers wait as long as one does. */
	async #whileWaiting(what: Promise<unknown>): Promise<void> {
		if (this.#waiting++ === 0) this.#room.waiting(true);
		try {
			await what;
		} finally {
			if (--this.#waiting === 0) this.#room.waiting(false);
		}
	}

	#progress(): Promise<void> {
		if (this.#ended !== undefined) throw this.#ended;
		const waiting = Promise.withResolvers<void>();
		this.#wake.push(waiting);
		this.#room.awaited();
		return waiting.promise;
	}
}

function reasonOf(cause: unknown): string {
	return `The reason: ${cause instanceof Error ? cause.message : cause}`;
}
