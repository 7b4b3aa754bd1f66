/** Numbers of at least 0 and below 1, one after the other. */
export type Random = () => number;

/**
 * A generator that gives the same numbers for the same seed: sfc32 (Doty-Humphrey, PractRand), seeded through the mixing function of
 * splitmix32. For draws that have to be told again: it keeps nothing secret.
 */
export function randomFrom(seed: number): Random {
	let state = seed | 0;
	const mixed = () => {
		state = (state + 0x9e3779b9) | 0;
		let z = state ^ (state >>> 16);
		z = Math.imul(z, 0x21f0aaad);
		z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
		return z ^ (z >>> 15);
	};
	let [a, b, c, counter] = [mixed(), mixed(), mixed(), 1];
	return () => {
		const sum = (a + b + counter) | 0;
		counter = (counter + 1) | 0;
		a = b ^ (b >>> 9);
		b = (c + (c << 3)) | 0;
		c = ((c << 21) | (c >>> 11)) + sum;
		return (sum >>> 0) / 2 ** 32;
	};
}

/** A whole number of at least 0 and below `n`. */
export function randomBelow(random: Random, n: number): number {
	return Math.floor(random() * n);
}

/** Puts a list into an order in which every permutation is equally likely (Fisher & Yates). Returns the list. */
export function shuffle<T>(list: T[], random: Random): T[] {
	for (let i = list.length - 1; i > 0; i--) {
		const j = randomBelow(random, i + 1);
		[list[i], list[j]] = [list[j] as T, list[i] as T];
	}
	return list;
}
