import { uniform } from "../random.ts";

/** Numbers that follow one another and depend on a seed alone. */
export class Draws {
	readonly #seed: number;
	#count = 0;

	constructor(seed: number) {
		this.#seed = seed;
	}

	/** A number strictly between 0 and 1. */
	next(): number {
		return uniform(this.#seed, this.#count++);
	}

	/** A whole number from 0 to n - 1. */
	below(n: number): number {
		return Math.min(n - 1, Math.floor(this.next() * n));
	}

	/** Puts the first `count` places of `values` (default: all) in a random order drawn from all of them. */
	shuffle(values: Uint32Array, count: number = values.length): void {
		for (let i = 0; i < Math.min(count, values.length - 1); i++) {
			const other = i + this.below(values.length - i);
			const value = values[i] as number;
			values[i] = values[other] as number;
			values[other] = value;
		}
	}

	/** A place drawn in proportion to its weight; `undefined` where all weights are 0. Weights that are not finite count as 0. */
	weighted(weights: Float32Array | Float64Array): number | undefined {
		let total = 0;
		for (const weight of weights) if (Number.isFinite(weight)) total += weight;
		let left = this.next() * total;
		let last: number | undefined;
		for (let i = 0; i < weights.length; i++) {
			const weight = weights[i] as number;
			if (!(weight > 0) || !Number.isFinite(weight)) continue;
			last = i;
			left -= weight;
			if (left < 0) return i;
		}
		return last;
	}
}
