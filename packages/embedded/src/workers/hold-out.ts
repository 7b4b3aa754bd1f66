import { randomBelow, randomFrom, shuffle } from "@nigh/recall";

/** Slots of an index that is built: those that it takes in last, and the others in their order. */
export interface HeldOut {
	readonly heldOut: Uint32Array;
	/** `undefined`: all of them. */
	readonly rest: Uint32Array | undefined;
}

/**
 * Vectors that wait until the recall of the index has been asked by them. One that the index has taken in finds its own neighbours too easily: its links,
 * and those of what was linked after it, lead there.
 */
const MOST_HELD_OUT = 2_000;
/**
 * Of a small collection one in so many: what is left out is missing among what there is to find, and once it is taken in the index is another, though not
 * by as much as makes a certificate stale.
 */
const ONE_IN = 12;
/** Fewer would tell next to nothing. */
export const LEAST_HELD_OUT = 256;

/** How many of so many vectors wait, so that the recall of the index can be asked by them. */
export function mostHeldOut(vectors: number): number {
	return Math.min(MOST_HELD_OUT, Math.floor(vectors / ONE_IN));
}

/** Slots from `from` to below `to` in an order that is drawn, at most as many as are held out of a build. */
export function drawn(from: number, to: number): Uint32Array {
	const slots = Array.from({ length: to - from }, (_, i) => from + i);
	return Uint32Array.from(shuffle(slots, randomFrom(to)).slice(0, MOST_HELD_OUT));
}

/**
 * Draws vectors that are held out of a build, each as likely as any other but the first, which is never: readers of an index see labels from the least on that
 * is in it when they begin. The draw is the same for the same number.
 */
export function holdOut(slots: number): HeldOut {
	const n = mostHeldOut(slots);
	if (n < LEAST_HELD_OUT) return { heldOut: new Uint32Array(0), rest: undefined };
	const isHeld = new Uint8Array(slots);
	// Floyd's: every set of n is equally likely.
	const random = randomFrom(slots);
	for (let last = slots - n; last < slots; last++) {
		const drawn = 1 + randomBelow(random, last);
		isHeld[isHeld[drawn] === 0 ? drawn : last] = 1;
	}
	const all = Uint32Array.from({ length: slots }, (_, slot) => slot);
	// The order in which they ask is drawn too.
	const heldOut = Uint32Array.from(shuffle([...all.filter((slot) => isHeld[slot] === 1)], random));
	return { heldOut, rest: all.filter((slot) => isHeld[slot] === 0) };
}
