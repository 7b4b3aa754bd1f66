import type { ArenaView } from "../arena-view.ts";
import { uniform } from "../random.ts";

/** Passes of sign flips and Walsh-Hadamard transform: after four even a vector with one component is spread out in any dimension. */
const PASSES = 4;

/** Rotated dimensions come in multiples of this: codes have whole 8-byte words for each bit. */
const DIMENSION_STEP = 64;

/** Dimensions of a vector once it is rotated: up to 63 more, over which its length is spread as well. */
export function rotatedDimensions(dimensions: number): number {
	return Math.ceil(dimensions / DIMENSION_STEP) * DIMENSION_STEP;
}

/** Bytes of the table of a rotation. */
export function rotationBytes(dimensions: number): number {
	return 4 * PASSES * rotatedDimensions(dimensions);
}

/**
 * Writes the table of the rotation that a seed stands for ({@link Kernels.rotateRow}): for each pass and dimension a random sign, with the
 * scale that makes the pass orthogonal.
 */
export function writeRotation(arena: ArenaView, factors: number, dimensions: number, seed: number): void {
	const rotated = rotatedDimensions(dimensions);
	const table = arena.f32(factors, PASSES * rotated);
	const window = 2 ** (31 - Math.clz32(rotated));
	for (let pass = 0; pass < PASSES; pass++) {
		const isFirst = pass % 2 === 0;
		const butterfly = pass > 0 && window < rotated ? Math.SQRT1_2 : 1;
		for (let i = 0; i < rotated; i++) {
			const isInside = isFirst ? i < window : i >= rotated - window;
			const scale = isInside ? butterfly / Math.sqrt(window) : butterfly;
			const at = pass * rotated + i;
			table[at] = uniform(seed, at) < 0.5 ? -scale : scale;
		}
	}
}

/** Writes the rotation of `row - origin` (of `row` where `origin` is 0) to `out`. Rows are padded to 16 bytes. */
export function rotate(
	arena: ArenaView,
	factors: number,
	row: { readonly address: number; readonly origin: number; readonly bytes: number },
	rotated: number,
	out: number,
): void {
	arena.kernels.rotateRow(row.address, row.origin, row.bytes, factors, PASSES, rotated, out);
}
