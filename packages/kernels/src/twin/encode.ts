/**
 * Encoding into 7-bit codes: code = floor((x - origin) * inverse + 0.5), held to 0..127. `origin` has one float a dimension (what
 * code 0 stands for) and is zero behind the last one; `inverse` is 1 / step, the same for all dimensions, so that distances between
 * codes are distances between vectors.
 */
import type { TwinMemory } from "./memory.ts";

const { fround } = Math;

/** Codes one row of `rowBytes` bytes of floats into `codeBytes` codes with the norm behind them; returns the norm. */
export function encodeRow(
	m: TwinMemory,
	row: number,
	origin: number,
	inverse: number,
	rowBytes: number,
	code: number,
	codeBytes: number,
): number {
	const factor = fround(inverse);
	const to = code >>> 0;
	let norm = 0;
	for (let i = 0; i < rowBytes >>> 2; i++) {
		const x = fround(m.loadF32(row + 4 * i) - m.loadF32(origin + 4 * i));
		const scaled = fround(fround(x * factor) + 0.5);
		const c = Math.min(127, Math.max(0, scaled)) | 0;
		norm = (norm + c * c) | 0;
		m.u8[to + i] = c;
	}
	const used = rowBytes >>> 2;
	if (used < codeBytes) m.fill(code + used, 0, codeBytes - used);
	m.storeI32(code + codeBytes, norm);
	return norm;
}

/**
 * Codes a query for the dot form: signed bytes -127..127 in units of its own largest element. Returns the unit (0 for a zero row).
 */
export function encodeSigned(m: TwinMemory, row: number, rowBytes: number, code: number, codeBytes: number): number {
	let most = 0;
	for (let o = 0; o < rowBytes; o += 4) most = Math.max(most, Math.abs(m.loadF32(row + o)));
	m.fill(code, 0, codeBytes);
	if (most === 0) return 0;
	const unit = fround(most / 127);
	const to = code >>> 0;
	for (let i = 0; i < rowBytes >>> 2; i++) {
		const x = m.loadF32(row + 4 * i) / unit;
		m.i8[to + i] = Math.max(-127, Math.min(127, Math.floor(x + 0.5)));
	}
	return unit;
}

/**
 * Codes a query in two planes of bytes: (x - origin) / unit is about (128 * high + low) / 128 with high in -128..127 and low in
 * -64..63, which leaves an error 128 times smaller than one plane does. Writes the length of what is left over (in the units of x) to
 * `left` and the squared length of the coded query (in units of `unit`, so of the one-plane code) to `left + 8`, both float64.
 */
export function encodePlanes(
	m: TwinMemory,
	row: number,
	origin: number,
	unit: number,
	rowBytes: number,
	high: number,
	low: number,
	codeBytes: number,
	left: number,
): void {
	m.fill(high, 0, codeBytes);
	m.fill(low, 0, codeBytes);
	const toHigh = high >>> 0;
	const toLow = low >>> 0;
	let error = 0;
	let norm = 0;
	for (let i = 0; i < rowBytes >>> 2; i++) {
		const x = m.loadF32(row + 4 * i) - m.loadF32(origin + 4 * i);
		const y = unit === 0 ? 0 : Math.max(-16384, Math.min(16319, Math.floor((x / unit) * 128 + 0.5)));
		const whole = y | 0;
		const upper = (whole + 64) >> 7;
		m.i8[toHigh + i] = upper;
		m.i8[toLow + i] = whole - (upper << 7);
		const coded = y / 128;
		const e = x - coded * unit;
		error += e * e;
		norm += coded * coded;
	}
	m.storeF64(left, Math.sqrt(error));
	m.storeF64(left + 8, norm);
}
