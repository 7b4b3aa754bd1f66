/** A random rotation in O(d log d); what it is made of, and the table of factors, are told in assembly/rotate.ts. */
import type { TwinMemory } from "./memory.ts";

/** Sums of the first half of `2 * half` floats with the second go into the first, differences into the second. Float32 rounds each. */
function butterfly(floats: Float32Array, at: number, half: number): void {
	for (let i = at; i < at + half; i++) {
		const a = floats[i] as number;
		const b = floats[i + half] as number;
		floats[i] = a + b;
		floats[i + half] = a - b;
	}
}

/** The Walsh-Hadamard transform of `length` floats, a power of two, in place and not scaled. */
function hadamard(floats: Float32Array, at: number, length: number): void {
	for (let half = 1; half < length; half *= 2) {
		for (let block = at; block < at + length; block += 2 * half) butterfly(floats, block, half);
	}
}

/** Writes the rotation of `row - origin` (of `row` where `origin` is 0), both of `bytes` bytes, as `dimensions` floats to `out`. */
export function rotateRow(
	m: TwinMemory,
	row: number,
	origin: number,
	bytes: number,
	factors: number,
	passes: number,
	dimensions: number,
	out: number,
): void {
	const floats = m.f32;
	const first = out >>> 2;
	for (let i = 0; i < bytes >>> 2; i++) {
		const x = m.loadF32(row + 4 * i);
		floats[first + i] = origin === 0 ? x : x - m.loadF32(origin + 4 * i);
	}
	m.fill(out + bytes, 0, 4 * dimensions - bytes);
	const window = 2 ** (31 - Math.clz32(dimensions));
	for (let pass = 0; pass < passes; pass++) {
		if (pass > 0 && window < dimensions) butterfly(floats, first, dimensions / 2);
		const table = factors + 4 * dimensions * pass;
		for (let i = 0; i < dimensions; i++) {
			floats[first + i] = (floats[first + i] as number) * m.loadF32(table + 4 * i);
		}
		hadamard(floats, pass % 2 === 1 ? first + dimensions - window : first, window);
	}
}
