/**
 * The two steps of Lloyd's k-means: every point to its nearest centroid, and every centroid to the mean of its points.
 *
 * Centroids are compared in panels of eight, transposed, so that one element of a point is multiplied with two vectors of four
 * centroids and nothing is added across lanes:
 *
 *   panel    0  f32 x 8            the constants of the centroids, +infinity where there is none
 *           32  f32 x 8 x (d)      element 0 of the eight, element 1, ...; zeros where there is no centroid
 *
 * A key is constant - 2 (point . centroid), the product summed in the order of the elements. With |c|^2 for a constant it orders
 * like the squared Euclidean distance, from which it differs by the point's own |x|^2.
 */

/** How many points are compared with a panel while it is in the nearest cache; also what a lane takes from the cursor at a time. */
const BLOCK: i32 = 64;

/** How many cells a lane takes from the cursor at a time. */
const CELLS: i32 = 4;

/** A point's row, by number where numbers are given. */
@inline
function rowOf(rows: usize, stride: usize, ids: usize, i: i32): usize {
	const row = ids == 0 ? <usize>i : <usize>load<u32>(ids + (<usize>i << 2));
	return rows + row * stride;
}

/** Keeps the smaller keys of four centroids, lane by lane, with the number of their vector. The first of equal ones stays. */
@inline
function keep(best: usize, norms: v128, dot: v128, number: i32): void {
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
function tile(panel: usize, number: i32, bytes: usize, a: usize, b: usize, c: usize, d: usize, best: usize): void {
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
function answer(best: usize, label: usize, key: usize): void {
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

/**
 * The nearest of `k` centroids in panels for points[0..end), shared with other lanes through the cursor, a u32 that starts at 0. Point
 * i is row ids[i], or row i where `ids` is 0. Writes a label (u32; of equal keys the lowest) and a key (f32) a point. Where every key
 * overflows, the label is 0. `scratch` is 2,048 bytes of the lane's own.
 */
export function assignRange(
	rows: usize,
	stride: usize,
	bytes: usize,
	ids: usize,
	panels: usize,
	k: i32,
	scratch: usize,
	labels: usize,
	keys: usize,
	end: i32,
	cursor: usize,
): void {
	const panelBytes = 32 + (bytes << 3);
	const vectors = ((k + 7) >> 3) << 1;
	for (;;) {
		const from = <i32>atomic.add<u32>(cursor, BLOCK);
		// The cursor passes the end by at most a block for each lane, which must not wrap to below it.
		if (<u32>from >= <u32>end) return;
		const last = min(end - from, BLOCK) - 1;
		for (let i = 0; i <= last; i++) {
			v128.store(scratch + (<usize>i << 5), f32x4.splat(Infinity));
			v128.store(scratch + (<usize>i << 5), i32x4.splat(0), 16);
		}
		let panel = panels;
		for (let number = 0; number < vectors; number += 2) {
			let i = 0;
			for (; i + 3 <= last; i += 4) {
				const a = rowOf(rows, stride, ids, from + i);
				const b = rowOf(rows, stride, ids, from + i + 1);
				const c = rowOf(rows, stride, ids, from + i + 2);
				const d = rowOf(rows, stride, ids, from + i + 3);
				tile(panel, number, bytes, a, b, c, d, scratch + (<usize>i << 5));
			}
			if (i <= last) {
				// Behind the last point it is done again, in places that nobody reads.
				const a = rowOf(rows, stride, ids, from + i);
				const b = rowOf(rows, stride, ids, from + min(i + 1, last));
				const c = rowOf(rows, stride, ids, from + min(i + 2, last));
				tile(panel, number, bytes, a, b, c, c, scratch + (<usize>i << 5));
			}
			panel += panelBytes;
		}
		for (let i = 0; i <= last; i++) {
			const at = <usize>(from + i) << 2;
			answer(scratch + (<usize>i << 5), labels + at, keys + at);
		}
	}
}

/** Adds a row to the sums (f64) and its squared distance from the centroid to four lanes at `spread`. */
@inline
function take(row: usize, bytes: usize, sums: usize, centroid: usize, spread: usize): void {
	let s0 = v128.load(spread);
	let s1 = v128.load(spread, 16);
	for (let o: usize = 0; o < bytes; o += 16) {
		const x = v128.load(row + o);
		const c = v128.load(centroid + o);
		const low = f64x2.promote_low_f32x4(x);
		const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
		const at = sums + (o << 1);
		v128.store(at, f64x2.add(v128.load(at), low));
		v128.store(at, f64x2.add(v128.load(at, 16), high), 16);
		const t0 = f64x2.sub(low, f64x2.promote_low_f32x4(c));
		const t1 = f64x2.sub(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(c, c, 1, 1)));
		s0 = f64x2.add(s0, f64x2.mul(t0, t0));
		s1 = f64x2.add(s1, f64x2.mul(t1, t1));
	}
	v128.store(spread, s0);
	v128.store(spread, s1, 16);
}

/** The sums over `count`, as floats. */
@inline
function writeMean(sums: usize, bytes: usize, count: i32, mean: usize): void {
	const divisor = f64x2.splat(<f64>count);
	for (let o: usize = 0; o < bytes; o += 8) {
		const quotient = f64x2.div(v128.load(sums + (o << 1)), divisor);
		v128.store64_lane(mean + o, f32x4.demote_f64x2_zero(quotient), 0);
	}
}

/**
 * The means of cells[0..end), shared with other lanes through the cursor. Cell c has the rows members[offsets[c]..offsets[c + 1]), which
 * are added in this order in float64. Writes the mean (a row of floats; of a cell without members its centroid) and the spread: the sum
 * of the squared distances (f64) between members and centroid. Sums of squares: element i is added to lane i mod 4 over all members,
 * then (0 + 1) + (2 + 3). `scratch` is 32 + 2 `bytes` of the lane's own.
 */
export function meanRange(
	rows: usize,
	stride: usize,
	bytes: usize,
	members: usize,
	offsets: usize,
	centroids: usize,
	centroidStride: usize,
	means: usize,
	spreads: usize,
	scratch: usize,
	end: i32,
	cursor: usize,
): void {
	const sums = scratch + 32;
	for (;;) {
		const from = <i32>atomic.add<u32>(cursor, CELLS);
		if (<u32>from >= <u32>end) return;
		const to = min(end, from + CELLS);
		for (let cell = from; cell < to; cell++) {
			const first = load<i32>(offsets + (<usize>cell << 2));
			const last = load<i32>(offsets + (<usize>cell << 2), 4);
			const centroid = centroids + <usize>cell * centroidStride;
			const mean = means + <usize>cell * centroidStride;
			memory.fill(scratch, 0, 32 + (bytes << 1));
			for (let i = first; i < last; i++) {
				const row = rows + <usize>load<u32>(members + (<usize>i << 2)) * stride;
				take(row, bytes, sums, centroid, scratch);
			}
			if (last > first) writeMean(sums, bytes, last - first, mean);
			else memory.copy(mean, centroid, bytes);
			const spread = load<f64>(scratch) + load<f64>(scratch, 8) + (load<f64>(scratch, 16) + load<f64>(scratch, 24));
			store<f64>(spreads + (<usize>cell << 3), spread);
		}
	}
}
