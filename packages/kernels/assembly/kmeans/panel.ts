/**
 * Centroids are compared in panels of eight, transposed, so that one element of a point is multiplied with two vectors of four
 * centroids and nothing is added across lanes:
 *
 *   panel    0  f32 x 8            the constants of the centroids, +infinity where there is none
 *           32  f32 x 8 x (d)      element 0 of the eight, element 1, ...; zeros where there is no centroid
 *
 * A key is constant - 2 (point . centroid), the product summed in the order of the elements. With |c|^2 for a constant it orders
 * like the squared Euclidean distance, from which it differs by the point's own |x|^2.
 */

/** Keeps the smaller keys of four centroids, lane by lane, with the number of their vector. The first of equal ones stays. */
@inline
export function keep(best: usize, norms: v128, dot: v128, number: i32): void {
	const keys = f32x4.sub(norms, f32x4.add(dot, dot));
	const kept = v128.load(best);
	const nearer = f32x4.lt(keys, kept);
	v128.store(best, v128.bitselect(keys, kept, nearer));
	v128.store(best, v128.bitselect(i32x4.splat(number), v128.load(best, 16), nearer), 16);
}

/**
 * Four points and a panel: eight accumulators, which with two vectors of centroids and one splat element stay in the 16 registers.
 * Multiplications and additions keep three ports of a core busy to nine tenths; larger tiles were no faster. Not inlined: a runtime
 * that compiles a function anew for speed can only do so between calls, and a first call over all points would stay slow to its end.
 */
export function tile(
	panel: usize,
	number: i32,
	bytes: usize,
	a: usize,
	b: usize,
	c: usize,
	d: usize,
	best: usize,
): void {
	let a0 = f32x4.splat(0);
	let a1 = a0;
	let b0 = a0;
	let b1 = a0;
	let c0 = a0;
	let c1 = a0;
	let d0 = a0;
	let d1 = a0;
	let at = panel + 32;
	for (let o: usize = 0; o < bytes; o += 4) {
		const low = v128.load(at);
		const high = v128.load(at, 16);
		let x = v128.load32_splat(a + o);
		a0 = f32x4.add(a0, f32x4.mul(x, low));
		a1 = f32x4.add(a1, f32x4.mul(x, high));
		x = v128.load32_splat(b + o);
		b0 = f32x4.add(b0, f32x4.mul(x, low));
		b1 = f32x4.add(b1, f32x4.mul(x, high));
		x = v128.load32_splat(c + o);
		c0 = f32x4.add(c0, f32x4.mul(x, low));
		c1 = f32x4.add(c1, f32x4.mul(x, high));
		x = v128.load32_splat(d + o);
		d0 = f32x4.add(d0, f32x4.mul(x, low));
		d1 = f32x4.add(d1, f32x4.mul(x, high));
		at += 32;
	}
	const low = v128.load(panel);
	const high = v128.load(panel, 16);
	keep(best, low, a0, number);
	keep(best, high, a1, number + 1);
	keep(best + 32, low, b0, number);
	keep(best + 32, high, b1, number + 1);
	keep(best + 64, low, c0, number);
	keep(best + 64, high, c1, number + 1);
	keep(best + 96, low, d0, number);
	keep(best + 96, high, d1, number + 1);
}

/** The nearest of the four lanes; of equal keys the lowest centroid. */
@inline
export function answer(best: usize, label: usize, key: usize): void {
	let nearest = load<f32>(best);
	let centroid = load<u32>(best, 16) << 2;
	for (let lane: u32 = 1; lane < 4; lane++) {
		const at = best + (<usize>lane << 2);
		const other = load<f32>(at);
		const number = (load<u32>(at, 16) << 2) + lane;
		if (other < nearest || (other == nearest && number < centroid)) {
			nearest = other;
			centroid = number;
		}
	}
	store<u32>(label, centroid);
	store<f32>(key, nearest);
}
