/** Numbers that look random and are the same in every run. */
export interface Random {
	/** From 0 to 1, without 1. */
	next(): number;
	/** A whole number from 0 to `end`, without `end`. */
	below(end: number): number;
	/** Normally distributed with mean 0 and variance 1. */
	normal(): number;
	pick<T>(list: readonly T[]): T;
	/** A copy in another order. */
	shuffle<T>(list: readonly T[]): T[];
}

/** Mulberry32: 32 bits of state, good enough for test data and the same on every machine. */
export function createRandom(seed: number): Random {
	let state = seed | 0;
	const next = () => {
		state = (state + 0x6d2b79f5) | 0;
		let bits = Math.imul(state ^ (state >>> 15), 1 | state);
		bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
		return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
	};
	const below = (end: number) => Math.floor(next() * end);
	return {
		next,
		below,
		// Box & Muller; 1 - next() is never 0, whose logarithm is infinite.
		normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
		pick: <T>(list: readonly T[]) => list[below(list.length)] as T,
		shuffle: <T>(list: readonly T[]) => {
			const copy = [...list];
			for (let i = copy.length - 1; i > 0; i--) {
				const j = below(i + 1);
				[copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
			}
			return copy;
		},
	};
}
