import type { Generation } from "../memory/generation.ts";

/** Slots that are to be filled, and the bytes of their ids. */
export interface Room {
	readonly slots: number;
	readonly idBytes: number;
}

export const NO_ROOM: Room = { slots: 0, idBytes: 0 };

/** A slot is only filled where its id would fit at three bytes for each of its UTF-16 units (`SlotWriter.full`); this is as much for the longest. */
const ID_MARGIN = 3 * 512;

/** Whether all of it can be filled in, as soon as the tail has been taken in as often as that needs. */
export function hasRoom({ slotEnd, idStarts, size }: Generation, { slots, idBytes }: Room): boolean {
	const ids = (idStarts[slotEnd] as number) + idBytes + ID_MARGIN;
	return slotEnd + slots <= size.capacity && ids <= size.idBytes;
}

export function addRoom(a: Room, b: Room): Room {
	return { slots: a.slots + b.slots, idBytes: a.idBytes + b.idBytes };
}

/**
 * Whether the tail, and that of a generation that is being built, can take a write beside those that it is reserved for. More than a whole tail begins when half of it is free: waiting for
 * all of it would be waiting for the slowest reader.
 */
export function hasTail({ slotEnd, ringFree, size, ceiling }: Generation, reserved: Room, room: Room): boolean {
	if (ceiling > 0 && slotEnd + reserved.slots + room.slots > ceiling) return false;
	const taken = slotEnd - ringFree + reserved.slots;
	return taken + room.slots <= size.ringRows || (reserved.slots === 0 && taken <= size.ringRows / 2);
}
