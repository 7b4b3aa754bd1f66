/** What is done to a row before it is stored or asked for. Sums are in float64, so that 1e-30 and 1e30 neither vanish nor overflow. */
import type { TwinMemory } from "./memory.ts";

/**
 * The sum of squares of a float row, in float64: element i in lane i mod 4, then (0 + 1) + (2 + 3). NaN or Infinity where an element
 * is, so that one comparison with a bound validates the whole row.
 */
export function sumOfSquares({ f32 }: TwinMemory, row: number, bytes: number): number {
	const lanes = [0, 0, 0, 0];
	const first = row >>> 2;
	for (let i = 0; i < bytes >>> 2; i++) {
		const x = f32[first + i] as number;
		(lanes[i & 3] as number) += x * x;
	}
	const [a, b, c, d] = lanes as [number, number, number, number];
	return a + b + (c + d);
}

/** Multiplies a row by one factor a dimension: how weights enter, once a row rather than once a distance. */
export function scaleRow(m: TwinMemory, row: number, factors: number, bytes: number): void {
	for (let o = 0; o < bytes; o += 4) m.storeF32(row + o, m.loadF32(row + o) * m.loadF32(factors + o));
}

/** Brings a row to length 1 and returns the length it had. A zero row stays as it is. */
export function normalizeRow(m: TwinMemory, row: number, bytes: number): number {
	const norm = Math.sqrt(sumOfSquares(m, row, bytes));
	if (norm === 0) return 0;
	for (let o = 0; o < bytes; o += 4) m.storeF32(row + o, m.loadF32(row + o) / norm);
	return norm;
}
