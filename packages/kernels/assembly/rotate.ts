/**
 * A random rotation in O(d log d): passes of a random sign flip, a Walsh-Hadamard transform over the largest power of two that fits (the
 * first so many dimensions in even passes, the last so many in odd ones), and a butterfly of the two halves between passes, so that what
 * one window does not reach is mixed in as well. Every step is orthogonal once it is scaled.
 *
 * The flips and all scaling stand in one table, a float for each pass and dimension, so that a pass begins with one product a dimension:
 * sign x 1 / sqrt(window) inside the window, x 1 / sqrt(2) for the butterfly before it.
 */

/** The Walsh-Hadamard transform of `bytes` bytes of floats in place, not scaled. `bytes` is 16 times a power of two. */
@inline
function hadamard(at: usize, bytes: usize): void {
	const odd = i32x4(0, 0x80000000, 0, 0x80000000);
	const upper = i32x4(0, 0, 0x80000000, 0x80000000);
	for (let o: usize = 0; o < bytes; o += 16) {
		let v = v128.load(at + o);
		v = f32x4.add(v128.shuffle<i32>(v, v, 0, 0, 2, 2), v128.xor(v128.shuffle<i32>(v, v, 1, 1, 3, 3), odd));
		v = f32x4.add(v128.shuffle<i32>(v, v, 0, 1, 0, 1), v128.xor(v128.shuffle<i32>(v, v, 2, 3, 2, 3), upper));
		v128.store(at + o, v);
	}
	let half: usize = 16;
	// Two stages at a time: half as many loads and stores.
	for (; half << 1 < bytes; half <<= 2) {
		for (let block = at; block < at + bytes; block += half << 2) {
			for (let p = block; p < block + half; p += 16) {
				const a = v128.load(p);
				const b = v128.load(p + half);
				const c = v128.load(p + 2 * half);
				const d = v128.load(p + 3 * half);
				const ab = f32x4.add(a, b);
				const ba = f32x4.sub(a, b);
				const cd = f32x4.add(c, d);
				const dc = f32x4.sub(c, d);
				v128.store(p, f32x4.add(ab, cd));
				v128.store(p + half, f32x4.add(ba, dc));
				v128.store(p + 2 * half, f32x4.sub(ab, cd));
				v128.store(p + 3 * half, f32x4.sub(ba, dc));
			}
		}
	}
	if (half < bytes) butterfly(at, half);
}

/** Sums into the first of two neighbouring ranges of `half` bytes, differences into the second. */
@inline
function butterfly(at: usize, half: usize): void {
	for (let p = at; p < at + half; p += 16) {
		const a = v128.load(p);
		const b = v128.load(p + half);
		v128.store(p, f32x4.add(a, b));
		v128.store(p + half, f32x4.sub(a, b));
	}
}

@inline
function subtract(row: usize, origin: usize, bytes: usize, out: usize): void {
	for (let o: usize = 0; o < bytes; o += 16) {
		v128.store(out + o, f32x4.sub(v128.load(row + o), v128.load(origin + o)));
	}
}

/**
 * Writes the rotation of `row - origin` (of `row` where `origin` is 0), both of `bytes` bytes, as `dimensions` floats to `out`.
 * `dimensions` is a multiple of 8; `factors` has so many floats for each of the `passes`.
 */
export function rotateRow(
	row: usize,
	origin: usize,
	bytes: usize,
	factors: usize,
	passes: i32,
	dimensions: i32,
	out: usize,
): void {
	if (origin == 0) memory.copy(out, row, bytes);
	else subtract(row, origin, bytes, out);
	const total = <usize>dimensions << 2;
	memory.fill(out + bytes, 0, total - bytes);
	const window = (<usize>1 << (31 - clz<i32>(dimensions))) << 2;
	for (let pass = 0; pass < passes; pass++) {
		if (pass > 0 && window < total) butterfly(out, total >> 1);
		for (let o: usize = 0; o < total; o += 16) {
			v128.store(out + o, f32x4.mul(v128.load(out + o), v128.load(factors + o)));
		}
		hadamard(pass & 1 ? out + total - window : out, window);
		factors += total;
	}
}
