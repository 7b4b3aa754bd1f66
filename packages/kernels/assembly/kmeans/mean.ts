/** How many cells a lane takes from the cursor at a time. */
const CELLS: i32 = 4;

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
