import type { TwinMemory } from "./memory.ts";

/** A metric of the user's own: smaller is nearer. Both arguments are views that are valid during the call alone. */
export type CustomDistance = (a: Float32Array, b: Float32Array) => number;

/** Calls a user's metric on rows in memory. */
export class UserMetric {
	readonly #distance: CustomDistance;
	readonly #dimensions: number;
	/** The first argument is the same row for many calls (the query), so its view is kept. */
	#first: Float32Array = new Float32Array(0);
	#firstAt = -1;

	constructor(distance: CustomDistance, dimensions: number) {
		this.#distance = distance;
		this.#dimensions = dimensions;
	}

	/** The exact key of two rows. Throws `RangeError` where the metric returns no number. */
	key(m: TwinMemory, a: number, b: number): number {
		const at = a >>> 0;
		if (at !== this.#firstAt) {
			this.#first = new Float32Array(m.buffer, at, this.#dimensions);
			this.#firstAt = at;
		}
		const key = Math.fround(this.#distance(this.#first, new Float32Array(m.buffer, b >>> 0, this.#dimensions)));
		if (Number.isNaN(key)) {
			throw new RangeError(
				"The custom metric returned NaN (or something that is not a number) for two stored vectors. It must return a number for any two vectors, smaller for nearer ones: look for a division by zero, the square root of a negative number, or a missing return.",
			);
		}
		return key;
	}

	/** The memory has a new buffer: a view of the old one must not be used again. */
	forget(): void {
		this.#firstAt = -1;
	}
}
