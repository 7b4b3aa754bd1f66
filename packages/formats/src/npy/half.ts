// IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. Every value is exact in float32.

let table: Float32Array | undefined;

/** The value of each of the 65,536 half floats (256 KiB, made at the first call): one look-up is faster than the arithmetic. */
export function halfTable(): Float32Array {
	table ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfToNumber(bits));
	return table;
}

/** The number that 16 bits stand for, subnormals, signed zeros, infinities and NaN included. */
export function halfToNumber(bits: number): number {
	const sign = bits & 0x8000 ? -1 : 1;
	const exponent = (bits >> 10) & 0x1f;
	const fraction = bits & 0x3ff;
	if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
	if (exponent === 0) return sign * fraction * 2 ** -24;
	return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
