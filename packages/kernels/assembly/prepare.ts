/** What is done to a row before it is stored or asked for. Sums are in float64, so that 1e-30 and 1e30 neither vanish nor overflow. */

/**
 * The sum of squares of a float row, in float64: element i in lane i mod 4, then (0 + 1) + (2 + 3). NaN or Infinity where an element
 * is, so that one comparison with a bound validates the whole row.
 */
export function sumOfSquares(row: usize, bytes: usize): f64 {
	let low = f64x2.splat(0);
	let high = low;
	for (let o: usize = 0; o < bytes; o += 16) {
		const v = v128.load(row + o);
		const a = f64x2.promote_low_f32x4(v);
		const b = f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
		low = f64x2.add(low, f64x2.mul(a, a));
		high = f64x2.add(high, f64x2.mul(b, b));
	}
	const left = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
	return left + (f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1));
}

/** Multiplies a row by one factor a dimension: how weights enter, once a row rather than once a distance. */
export function scaleRow(row: usize, factors: usize, bytes: usize): void {
	for (let o: usize = 0; o < bytes; o += 16) v128.store(row + o, f32x4.mul(v128.load(row + o), v128.load(factors + o)));
}

/** Brings a row to length 1 and returns the length it had. A zero row stays as it is. */
export function normalizeRow(row: usize, bytes: usize): f64 {
	const norm = Math.sqrt(sumOfSquares(row, bytes));
	if (norm == 0) return 0;
	for (let o: usize = 0; o < bytes; o += 4) store<f32>(row + o, <f32>(<f64>load<f32>(row + o) / norm));
	return norm;
}
