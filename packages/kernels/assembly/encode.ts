/**
 * Encoding into 7-bit codes: code = floor((x - origin) * inverse + 0.5), held to 0..127. `origin` has one float a dimension (what
 * code 0 stands for) and is zero behind the last one; `inverse` is 1 / step, the same for all dimensions, so that distances between
 * codes are distances between vectors.
 */
import { sumI32 } from "./lanes";

/** Codes one row of `rowBytes` bytes of floats into `codeBytes` codes with the norm behind them; returns the norm. */
export function encodeRow(
	row: usize,
	origin: usize,
	inverse: f32,
	rowBytes: usize,
	code: usize,
	codeBytes: usize,
): i32 {
	const factor = f32x4.splat(inverse);
	const half = f32x4.splat(0.5);
	const most = f32x4.splat(127);
	const none = f32x4.splat(0);
	let norms = i32x4.splat(0);
	for (let o: usize = 0; o < rowBytes; o += 16) {
		let x = f32x4.sub(v128.load(row + o), v128.load(origin + o));
		x = f32x4.add(f32x4.mul(x, factor), half);
		// Held first, so that the conversion (towards zero) is floor and cannot overflow.
		const c = i32x4.trunc_sat_f32x4_s(f32x4.min(most, f32x4.max(none, x)));
		norms = i32x4.add(norms, i32x4.mul(c, c));
		const narrow = i16x8.narrow_i32x4_s(c, c);
		store<u32>(code + (o >> 2), i32x4.extract_lane(i8x16.narrow_i16x8_u(narrow, narrow), 0));
	}
	const used = rowBytes >> 2;
	if (used < codeBytes) memory.fill(code + used, 0, codeBytes - used);
	const norm = sumI32(norms);
	store<i32>(code + codeBytes, norm);
	return norm;
}

/**
 * Codes a query for the dot form: signed bytes -127..127 in units of its own largest element. Returns the unit (0 for a zero row).
 */
export function encodeSigned(row: usize, rowBytes: usize, code: usize, codeBytes: usize): f32 {
	let most: f32 = 0;
	for (let o: usize = 0; o < rowBytes; o += 4) most = max<f32>(most, abs<f32>(load<f32>(row + o)));
	memory.fill(code, 0, codeBytes);
	if (most == 0) return 0;
	const unit: f32 = most / 127;
	for (let o: usize = 0; o < rowBytes; o += 4) {
		const x = <f64>load<f32>(row + o) / <f64>unit;
		store<i8>(code + (o >> 2), <i8>max<f64>(-127, min<f64>(127, Math.floor(x + 0.5))));
	}
	return unit;
}

/**
 * Codes a query in two planes of bytes: (x - origin) / unit is about (128 * high + low) / 128 with high in -128..127 and low in
 * -64..63, which leaves an error 128 times smaller than one plane does. Writes the length of what is left over (in the units of x) to
 * `left` and the squared length of the coded query (in units of `unit`, so of the one-plane code) to `left + 8`, both float64.
 */
export function encodePlanes(
	row: usize,
	origin: usize,
	unit: f64,
	rowBytes: usize,
	high: usize,
	low: usize,
	codeBytes: usize,
	left: usize,
): void {
	memory.fill(high, 0, codeBytes);
	memory.fill(low, 0, codeBytes);
	let error: f64 = 0;
	let norm: f64 = 0;
	for (let o: usize = 0; o < rowBytes; o += 4) {
		const x = <f64>load<f32>(row + o) - <f64>load<f32>(origin + o);
		const y = unit == 0 ? 0 : max<f64>(-16384, min<f64>(16319, Math.floor((x / unit) * 128 + 0.5)));
		const whole = <i32>y;
		// To the nearest, so that the high plane alone says as much as it can.
		const upper = (whole + 64) >> 7;
		store<i8>(high + (o >> 2), <i8>upper);
		store<i8>(low + (o >> 2), <i8>(whole - (upper << 7)));
		const coded = y / 128;
		const e = x - coded * unit;
		error += e * e;
		norm += coded * coded;
	}
	store<f64>(left, Math.sqrt(error));
	store<f64>(left, norm, 8);
}
