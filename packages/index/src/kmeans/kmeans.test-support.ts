import { Arena, rowBytes } from "@nigh/kernels";
import { randomNumbers } from "../vectors.test-support.ts";
import type { PointRows } from "./points.ts";

/** Rows in an arena of their own, `gap` bytes of something else behind each. */
export function pointsOf(
	rows: readonly ArrayLike<number>[],
	gap = 0,
): { readonly arena: Arena; readonly points: PointRows } {
	const arena = new Arena();
	return { arena, points: putPoints(arena, rows, gap) };
}

export function putPoints(arena: Arena, rows: readonly ArrayLike<number>[], gap = 0): PointRows {
	const dimensions = rows[0]?.length ?? 0;
	const bytes = rowBytes(4 * dimensions);
	const stride = bytes + gap;
	const address = arena.alloc(stride * rows.length);
	rows.forEach((row, i) => {
		arena.f32(address + i * stride, dimensions).set(row);
		arena.u8(address + i * stride + bytes, gap).fill(255);
	});
	return { address, stride, bytes, n: rows.length, dimensions };
}

/** `n` rows about `centers` points that lie `apart` from one another, `offset` away from the origin. */
export function blobs(
	seed: number,
	{
		n,
		dimensions,
		centers,
		apart = 4,
		offset = 0,
	}: { n: number; dimensions: number; centers: number; apart?: number; offset?: number },
): Float32Array[] {
	const random = randomNumbers(seed);
	const middle = Array.from({ length: centers }, () =>
		Float64Array.from({ length: dimensions }, () => offset + apart * (2 * random() - 1)),
	);
	return Array.from({ length: n }, () => {
		const center = middle[Math.floor(random() * centers)] as Float64Array;
		return Float32Array.from(center, (x) => x + random() + random() - 1);
	});
}

export function rowsOf(arena: Arena, { address, stride, n, dimensions }: PointRows): Float32Array[] {
	return Array.from({ length: n }, (_, i) => arena.f32(address + i * stride, dimensions).slice());
}

/** The squared Euclidean distance in float64. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
	return sum;
}
