import { type Random, randomBelow } from "../random.ts";

/**
 * A uniform sample of a stream whose length nobody knows: after n items each is in it with probability size / n (algorithm R: Vitter, ACM TOMS 11
 * (1985) 37-57). It depends on nothing but the order of arrival, so that what is in it is a fair sample of the time since it was begun.
 */
export class Reservoir<T> {
	readonly size: number;
	/** What is in it. The order means nothing. */
	readonly items: T[] = [];
	/** Items that have come. */
	seen = 0;
	readonly #random: Random;

	/** @param size Items that are kept at most, 1 or more. */
	constructor(size: number, random: Random) {
		this.size = size;
		this.#random = random;
	}

	/** Takes in the next item. Returns the one that it has put out: another, itself, or none. */
	offer(item: T): T | undefined {
		this.seen++;
		if (this.items.length < this.size) {
			this.items.push(item);
			return undefined;
		}
		const at = randomBelow(this.#random, this.seen);
		if (at >= this.size) return item;
		const out = this.items[at];
		this.items[at] = item;
		return out;
	}

	/** Begins anew: what came before is not to be sampled from any more. */
	clear(): void {
		this.items.length = 0;
		this.seen = 0;
	}
}
