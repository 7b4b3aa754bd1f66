import type { TwinMemory } from "./memory.ts";

/** Differing bits of two packed rows. Equal to the compiled form for rows of up to 65,520 bytes, where its 16-bit lanes end. */
export function hamming({ u32 }: TwinMemory, a: number, b: number, bytes: number): number {
	const x = a >>> 2;
	const y = b >>> 2;
	const n = bytes >>> 2;
	let sum = 0;
	for (let i = 0; i < n; i++) sum += bitsIn((u32[x + i] as number) ^ (u32[y + i] as number));
	return sum;
}

/** The set bits of a 32-bit word: counted in pairs, fours, eights, and the four bytes added by a multiplication. */
function bitsIn(word: number): number {
	const pairs = word - ((word >>> 1) & 0x55555555);
	const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
	return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
