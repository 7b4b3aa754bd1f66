import { AttachedArena } from "@nigh/index";
import type { Generation } from "./generation.ts";
import { TailCoder } from "./tail-codes.ts";

/** Why no slot can be filled at the moment: the generation is full, or the tail has to be taken in first. */
export type Full = "generation" | "tail";

/** A record on its way into a slot. */
export interface NewSlot {
	readonly label: number;
	readonly id: string;
	readonly born: number;
	/** ms since 1970; infinity: never. */
	readonly expires: number;
	/** As the index keeps it. */
	readonly row: Uint8Array;
}

/** Fills slots, one after the other. One thread does, the writer. */
export class SlotWriter {
	readonly #generation: Generation;
	readonly #ring: Uint8Array;
	readonly #coder: TailCoder | undefined;

	constructor(generation: Generation) {
		const { size, handle } = generation;
		this.#generation = generation;
		this.#ring = new Uint8Array(handle.memory.buffer, handle.tables.ring, size.ringRows * size.rowBytes);
		const { memory, engine, tailCodes } = handle;
		this.#coder =
			tailCodes === null ? undefined : new TailCoder(new AttachedArena(memory, engine), generation, tailCodes);
	}

	/** Why the next slot cannot be filled; `undefined` where it can. */
	full(id: string): Full | undefined {
		const { slotEnd, size, idStarts, ringFree, ceiling } = this.#generation;
		// An id has at most three bytes for each of its UTF-16 units.
		if (slotEnd === size.capacity || (idStarts[slotEnd] as number) + id.length * 3 > size.idBytes) return "generation";
		// What the next generation has no room for would only make that one come later.
		const isBeyond = ceiling > 0 && slotEnd >= ceiling && size.ringRows < size.capacity;
		return isBeyond || slotEnd - ringFree >= size.ringRows ? "tail" : undefined;
	}

	/** Fills the next slot, which nobody sees before its `born` is published. Returns it. */
	append({ label, id, born, expires, row }: NewSlot): number {
		const generation = this.#generation;
		const { size } = generation;
		const slot = generation.slotEnd;
		const at = slot % size.ringRows;
		const idStart = generation.idStarts[slot] as number;
		generation.labels[slot] = label;
		generation.born[slot] = born;
		generation.died[slot] = Number.POSITIVE_INFINITY;
		generation.expires[slot] = expires;
		generation.idStarts[slot + 1] = idStart + generation.ids.write(id, idStart, "utf8");
		this.#ring.set(row, at * size.rowBytes);
		this.#coder?.encode(at);
		generation.ringSlots[at] = slot;
		generation.slotEnd = slot + 1;
		generation.noteExpiry(expires);
		return slot;
	}
}
