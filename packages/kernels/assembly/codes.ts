/**
 * Uniform 7-bit scalar codes. A code row is `bytes` codes of 0..127 followed by an int32, the sum of their squares (the norm).
 * Query and base are coded in the same units, so the squared distance is whole numbers: |q|^2 + |v|^2 - 2 q.v. Under the dot form
 * the query is signed (-127..127) in units of its own, and the key is minus the integer dot product.
 *
 * The relaxed dot product is exact here on every machine: its second operand stays in 0..127, and 2 x 128 x 127 fits 16 bits.
 */
import { sumI32, sumsI32 } from "./lanes";

/** Which key a code row gives. Must equal CODE_FORMS in ../src/layout.ts. */
export const CODE_L2: i32 = 0;
export const CODE_DOT: i32 = 1;

/** Adds the products of 16 query bytes (signed) with 16 codes, four to a lane. */
@inline
export function step(sum: v128, query: v128, code: v128): v128 {
	if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(query, code, sum);
	const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(query), i16x8.extend_low_i8x16_s(code));
	const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(query), i16x8.extend_high_i8x16_s(code));
	return i32x4.add(sum, i32x4.add(low, high));
}

@inline
function dot(q: usize, a: usize, bytes: usize): i32 {
	let s0 = i32x4.splat(0);
	let s1 = s0;
	let o: usize = 0;
	for (const end = bytes & ~31; o < end; o += 32) {
		s0 = step(s0, v128.load(q + o), v128.load(a + o));
		s1 = step(s1, v128.load(q + o, 16), v128.load(a + o, 16));
	}
	if (o < bytes) s0 = step(s0, v128.load(q + o), v128.load(a + o));
	return sumI32(i32x4.add(s0, s1));
}

/** The products of a query with four code rows, one in each lane: four sums at a time keep the processor busy. */
@inline
export function fourDots(q: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
	let sa = i32x4.splat(0);
	let sb = sa;
	let sc = sa;
	let sd = sa;
	for (let o: usize = 0; o < bytes; o += 16) {
		const y = v128.load(q + o);
		sa = step(sa, y, v128.load(a + o));
		sb = step(sb, y, v128.load(b + o));
		sc = step(sc, y, v128.load(c + o));
		sd = step(sd, y, v128.load(d + o));
	}
	return sumsI32(sa, sb, sc, sd);
}

@inline
function keyOf(form: i32, product: i32, norm: i32, queryNorm: i32): f32 {
	if (form == CODE_DOT) return <f32>(-product);
	return <f32>(queryNorm + norm - 2 * product);
}

@inline
function four(
	form: i32,
	q: usize,
	queryNorm: i32,
	a: usize,
	b: usize,
	c: usize,
	d: usize,
	bytes: usize,
	out: usize,
): void {
	const products = fourDots(q, a, b, c, d, bytes);
	if (form == CODE_DOT) {
		v128.store(out, f32x4.convert_i32x4_s(i32x4.neg(products)));
		return;
	}
	let norms = v128.load32_zero(a + bytes);
	norms = v128.load32_lane(b + bytes, norms, 1);
	norms = v128.load32_lane(c + bytes, norms, 2);
	norms = v128.load32_lane(d + bytes, norms, 3);
	const sums = i32x4.add(i32x4.splat(queryNorm), norms);
	v128.store(out, f32x4.convert_i32x4_s(i32x4.sub(sums, i32x4.shl(products, 1))));
}

@inline
function many(
	form: i32,
	q: usize,
	queryNorm: i32,
	base: usize,
	stride: usize,
	bytes: usize,
	ids: usize,
	n: i32,
	out: usize,
): void {
	let i = 0;
	for (; i + 4 <= n; i += 4) {
		const p = ids + (<usize>i << 2);
		four(
			form,
			q,
			queryNorm,
			base + <usize>load<u32>(p) * stride,
			base + <usize>load<u32>(p, 4) * stride,
			base + <usize>load<u32>(p, 8) * stride,
			base + <usize>load<u32>(p, 12) * stride,
			bytes,
			out + (<usize>i << 2),
		);
	}
	for (; i < n; i++) {
		const row = base + <usize>load<u32>(ids + (<usize>i << 2)) * stride;
		store<f32>(out + (<usize>i << 2), keyOf(form, dot(q, row, bytes), load<i32>(row + bytes), queryNorm));
	}
}

@inline
function block(
	form: i32,
	q: usize,
	queryNorm: i32,
	base: usize,
	stride: usize,
	bytes: usize,
	n: i32,
	out: usize,
): void {
	let i = 0;
	let row = base;
	for (; i + 4 <= n; i += 4) {
		four(form, q, queryNorm, row, row + stride, row + 2 * stride, row + 3 * stride, bytes, out + (<usize>i << 2));
		row += 4 * stride;
	}
	for (; i < n; i++) {
		store<f32>(out + (<usize>i << 2), keyOf(form, dot(q, row, bytes), load<i32>(row + bytes), queryNorm));
		row += stride;
	}
}

/** The dot product of a code row (signed or not) with a code row of 0..127. */
export function codeDot(query: usize, row: usize, bytes: usize): i32 {
	return dot(query, row, bytes);
}

/** The squared Euclidean distance of two code rows, in units of the code. Both rows carry their norm. */
export function codeL2(a: usize, b: usize, bytes: usize): i32 {
	return load<i32>(a + bytes) + load<i32>(b + bytes) - 2 * dot(a, b, bytes);
}

/** One coded query against `n` code rows named by number. */
export function codeKeysMany(
	form: i32,
	query: usize,
	queryNorm: i32,
	base: usize,
	stride: usize,
	bytes: usize,
	ids: usize,
	n: i32,
	out: usize,
): void {
	if (form == CODE_L2) many(CODE_L2, query, queryNorm, base, stride, bytes, ids, n, out);
	else many(CODE_DOT, query, queryNorm, base, stride, bytes, ids, n, out);
}

/** One coded query against `n` consecutive code rows. */
export function codeKeysBlock(
	form: i32,
	query: usize,
	queryNorm: i32,
	base: usize,
	stride: usize,
	bytes: usize,
	n: i32,
	out: usize,
): void {
	if (form == CODE_L2) block(CODE_L2, query, queryNorm, base, stride, bytes, n, out);
	else block(CODE_DOT, query, queryNorm, base, stride, bytes, n, out);
}

/**
 * `m` coded queries against `n` consecutive code rows, four rows at a time, so that a row is fetched once for all queries. A query's norm
 * stands behind its codes; the keys of query j are at `out + j * outStride`.
 */
export function codeKeysTiles(
	form: i32,
	queries: usize,
	queryStride: usize,
	m: i32,
	base: usize,
	stride: usize,
	bytes: usize,
	n: i32,
	out: usize,
	outStride: usize,
): void {
	if (form == CODE_L2) tiles(CODE_L2, queries, queryStride, m, base, stride, bytes, n, out, outStride);
	else tiles(CODE_DOT, queries, queryStride, m, base, stride, bytes, n, out, outStride);
}

@inline
function tiles(
	form: i32,
	queries: usize,
	queryStride: usize,
	m: i32,
	base: usize,
	stride: usize,
	bytes: usize,
	n: i32,
	out: usize,
	outStride: usize,
): void {
	let row = base;
	for (let i = 0; i < n; i += 4) {
		let q = queries;
		let to = out + (<usize>i << 2);
		const rows = min(4, n - i);
		for (let j = 0; j < m; j++) {
			block(form, q, load<i32>(q + bytes), row, stride, bytes, rows, to);
			q += queryStride;
			to += outStride;
		}
		row += 4 * stride;
	}
}
