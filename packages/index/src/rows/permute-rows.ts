import type { Arena } from "@nigh/kernels";

/** An order of some of `slots` places with the others behind it, so that it is a permutation of all. */
export function completed(order: Uint32Array, slots: number): Uint32Array {
	const whole = new Uint32Array(slots);
	whole.set(order);
	const used = new Uint8Array(slots);
	for (const place of order) used[place] = 1;
	let at = order.length;
	for (let place = 0; place < slots; place++) if (used[place] === 0) whole[at++] = place;
	return whole;
}

/** Moves rows of `stride` bytes within their memory: row i becomes what row `order[i]` was. */
export function permuteRows(arena: Arena, base: number, stride: number, order: Uint32Array): void {
	const n = order.length;
	const at = arena.alloc(n * 4 + stride + Math.ceil(n / 32) * 4);
	arena.u32(at, n).set(order);
	arena.kernels.permuteRows(base, stride, at, n, at + n * 4, at + n * 4 + stride);
	arena.free(at);
}
