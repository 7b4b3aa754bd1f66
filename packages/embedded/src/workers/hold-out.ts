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
const MOST = 2_000;
/** Of a small collection one in so many: what is left out is missing among what there is to find. */
const ONE_IN = 8;
/** Fewer would tell next to nothing. */
const LEAST = 256;

/** Slots from `from` to below `to` in an order that is drawn, at most as many as are held out of a build. */
export function drawn(from: number, to: number): Uint32Array {
	const slots = Array.from({ length: to - from }, (_, i) => from + i);
	return Uint32Array.from(shuffle(slots, randomFrom(to)).slice(0, MOST));
}

/** Draws vectors that are held out of a build, each as likely as any other. The draw is the same for the same number. */
export function holdOut(slots: number): HeldOut {
	const n = Math.min(MOST, Math.floor(slots / ONE_IN));
	if (n < LEAST) return { heldOut: new Uint32Array(0), rest: undefined };
	const isHeld = new Uint8Array(slots);
	// Floyd's: every set of n is equally likely.
	const random = randomFrom(slots);
	for (let last = slots - n; last < slots; last++) {
		const drawn = randomBelow(random, last + 1);
		isHeld[isHeld[drawn] === 0 ? drawn : last] = 1;
	}
	const all = Uint32Array.from({ length: slots }, (_, slot) => slot);
	// The order in which they ask is drawn too.
	const heldOut = Uint32Array.from(shuffle([...all.filter((slot) => isHeld[slot] === 1)], random));
	return { heldOut, rest: all.filter((slot) => isHeld[slot] === 0) };
}
