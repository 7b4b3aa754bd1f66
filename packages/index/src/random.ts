/** A number strictly between 0 and 1 that depends on seed and index alone (the finaliser of MurmurHash3). */
export function uniform(seed: number, index: number): number {
	let h = Math.imul(index ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b) ^ seed;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return (((h ^ (h >>> 16)) >>> 0) + 0.5) / 4_294_967_296;
}
