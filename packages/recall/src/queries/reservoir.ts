import { type Random, randomBelow } from "../random.ts";

/**
 * A uniform sample of a stream whose length nobody knows: after n items each is in it with probability size / n (algorithm R: Vitter, ACM TOMS 11
 * (1985) 37-57). It depends on nothing but the order of arrival, so that what is in it is a fair sample of the time since it was begun.
 */
export class Reservoir<T> {
	#size: number;
	/** What is in it. The order means nothing. */
	readonly items: T[] = [];
	/** Items that have come. */
	seen = 0;
	readonly #random: Random;

	/** @param size Items that are kept at most, 1 or more. */
	constructor(size: number, random: Random) {
		this.#size = size;
		this.#random = random;
	}

	/** Takes in the next item. Returns the one that it has put out: another, itself, or none. */
	offer(item: T): T | undefined {
		this.seen++;
		if (this.items.length < this.#size) {
			this.items.push(item);
			return undefined;
		}
		return randomBelow(this.#random, this.seen) < this.#size ? this.admit(item) : item;
	}

	/** Takes in an item that has been drawn already (see {@link ReservoirCoin}): it takes the place of any other once there are enough. Returns that. */
	admit(item: T): T | undefined {
		if (this.items.length < this.#size) {
			this.items.push(item);
			return undefined;
		}
		const at = randomBelow(this.#random, this.items.length);
		const out = this.items[at];
		this.items[at] = item;
		return out;
	}

	/** Items that are kept at most. */
	get size(): number {
		return this.#size;
	}

	/** Keeps one item less from now on: any of those that are in it goes. Returns it; `undefined` where there is none. */
	shrink(): T | undefined {
		this.#size = Math.max(1, Math.min(this.#size, this.items.length) - 1);
		if (this.items.length <= this.#size) return undefined;
		const [out] = this.items.splice(randomBelow(this.#random, this.items.length), 1);
		return out;
	}

	/** Begins anew: what came before is not to be sampled from any more. */
	clear(): void {
		this.items.length = 0;
		this.seen = 0;
	}
}

/** Draws from a stream what a reservoir elsewhere is to admit, so that what is not drawn need not be sent there. */
export class ReservoirCoin {
	readonly size: number;
	/** Items that have come. */
	seen = 0;
	readonly #random: Random;

	constructor(size: number, random: Random) {
		this.size = size;
		this.#random = random;
	}

	/** Whether the next item goes in. */
	toss(): boolean {
		this.seen++;
		return this.seen <= this.size || this.#random() * this.seen < this.size;
	}
}
