/** How often each recall was seen. All that a bound needs to know of a sample: their order does not matter. */
export class RecallCounts {
	readonly #counts = new Map<number, number>();
	#size = 0;

	static of(recalls: Iterable<number>): RecallCounts {
		const counts = new RecallCounts();
		for (const recall of recalls) counts.add(recall);
		return counts;
	}

	/** @param recall 0 to 1. */
	add(recall: number, times = 1): void {
		this.#counts.set(recall, (this.#counts.get(recall) ?? 0) + times);
		this.#size += times;
	}

	/** How many queries there were. */
	get size(): number {
		return this.#size;
	}

	/** Their plain mean; NaN without any. */
	get mean(): number {
		return 1 - this.loss / this.#size;
	}

	/** The sum of 1 - recall: over the few recalls there are, not query by query: a million rounding errors are not added up. */
	get loss(): number {
		let loss = 0;
		for (const [recall, times] of this.#counts) loss += times * (1 - recall);
		return loss;
	}

	/** Their sample variance, with n - 1 in the denominator; NaN with fewer than two. */
	get variance(): number {
		const { mean } = this;
		let squares = 0;
		for (const [recall, times] of this.#counts) squares += times * (recall - mean) ** 2;
		return squares / (this.#size - 1);
	}

	/** How many were below a floor. */
	below(floor: number): number {
		let below = 0;
		for (const [recall, times] of this.#counts) if (recall < floor) below += times;
		return below;
	}

	[Symbol.iterator](): IterableIterator<[recall: number, times: number]> {
		return this.#counts.entries();
	}
}
