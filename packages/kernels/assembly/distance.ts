/**
 * Exact keys over float rows (and Hamming over bit rows). A key orders like the distance and costs less: l2 is squared, ip is
 * minus the dot product, cosine is 1 - dot of unit rows held to 0..2, l1 is the sum of absolute differences.
 *
 * Summation order of the float keys, the same in all forms: element i is added to lane i mod 8; then lanes 0-3 and 4-7 are added
 * pairwise, then (0 + 1) + (2 + 3). Two accumulators a row are what fits the 16 registers when four rows are done at a time.
 */
import { hamming } from "./bits";
import { sumF32, sumsF32 } from "./lanes";
import { COSINE, HAMMING, IP, L1, L2 } from "./metric";

@inline
function step(metric: i32, sum: v128, x: v128, y: v128): v128 {
	if (metric == L2) {
		const t = f32x4.sub(x, y);
		return f32x4.add(sum, f32x4.mul(t, t));
	}
	if (metric == L1) return f32x4.add(sum, f32x4.abs(f32x4.sub(x, y)));
	return f32x4.add(sum, f32x4.mul(x, y));
}

@inline
function keyOf(metric: i32, low: v128, high: v128): f32 {
	const sum = sumF32(f32x4.add(low, high));
	if (metric == IP) return <f32>0 - sum;
	if (metric == COSINE) return min<f32>(2, max<f32>(0, <f32>1 - sum));
	return sum;
}

/** The keys of four rows from the vectors in which their elements were summed. */
@inline
function keysOf(metric: i32, a: v128, b: v128, c: v128, d: v128): v128 {
	const sums = sumsF32(a, b, c, d);
	if (metric == IP) return f32x4.sub(f32x4.splat(0), sums);
	if (metric != COSINE) return sums;
	return f32x4.min(f32x4.splat(2), f32x4.max(f32x4.splat(0), f32x4.sub(f32x4.splat(1), sums)));
}

@inline
function one(metric: i32, a: usize, b: usize, bytes: usize): f32 {
	let low = f32x4.splat(0);
	let high = f32x4.splat(0);
	let o: usize = 0;
	for (const end = bytes & ~31; o < end; o += 32) {
		low = step(metric, low, v128.load(a + o), v128.load(b + o));
		high = step(metric, high, v128.load(a + o, 16), v128.load(b + o, 16));
	}
	if (o < bytes) low = step(metric, low, v128.load(a + o), v128.load(b + o));
	return keyOf(metric, low, high);
}

/** Four rows at a time, so that their cache misses overlap: WebAssembly has no prefetch. */
@inline
function four(metric: i32, q: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize, out: usize): void {
	let a0 = f32x4.splat(0);
	let a1 = a0;
	let b0 = a0;
	let b1 = a0;
	let c0 = a0;
	let c1 = a0;
	let d0 = a0;
	let d1 = a0;
	let o: usize = 0;
	for (const end = bytes & ~31; o < end; o += 32) {
		let y = v128.load(q + o);
		a0 = step(metric, a0, v128.load(a + o), y);
		b0 = step(metric, b0, v128.load(b + o), y);
		c0 = step(metric, c0, v128.load(c + o), y);
		d0 = step(metric, d0, v128.load(d + o), y);
		y = v128.load(q + o, 16);
		a1 = step(metric, a1, v128.load(a + o, 16), y);
		b1 = step(metric, b1, v128.load(b + o, 16), y);
		c1 = step(metric, c1, v128.load(c + o, 16), y);
		d1 = step(metric, d1, v128.load(d + o, 16), y);
	}
	if (o < bytes) {
		const y = v128.load(q + o);
		a0 = step(metric, a0, v128.load(a + o), y);
		b0 = step(metric, b0, v128.load(b + o), y);
		c0 = step(metric, c0, v128.load(c + o), y);
		d0 = step(metric, d0, v128.load(d + o), y);
	}
	v128.store(out, keysOf(metric, f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1)));
}

/** 2 queries x 4 rows. Even and odd 16-byte groups in two passes: 16 accumulators at once would not fit the registers. */
@inline
function tile(
	metric: i32,
	q: usize,
	p: usize,
	a: usize,
	b: usize,
	c: usize,
	d: usize,
	bytes: usize,
	out: usize,
	out2: usize,
): void {
	let qa = f32x4.splat(0);
	let qb = qa;
	let qc = qa;
	let qd = qa;
	let pa = qa;
	let pb = qa;
	let pc = qa;
	let pd = qa;
	for (let o: usize = 0; o < bytes; o += 32) {
		const x = v128.load(q + o);
		const y = v128.load(p + o);
		let row = v128.load(a + o);
		qa = step(metric, qa, row, x);
		pa = step(metric, pa, row, y);
		row = v128.load(b + o);
		qb = step(metric, qb, row, x);
		pb = step(metric, pb, row, y);
		row = v128.load(c + o);
		qc = step(metric, qc, row, x);
		pc = step(metric, pc, row, y);
		row = v128.load(d + o);
		qd = step(metric, qd, row, x);
		pd = step(metric, pd, row, y);
	}
	let ra = f32x4.splat(0);
	let rb = ra;
	let rc = ra;
	let rd = ra;
	let sa = ra;
	let sb = ra;
	let sc = ra;
	let sd = ra;
	for (let o: usize = 16; o < bytes; o += 32) {
		const x = v128.load(q + o);
		const y = v128.load(p + o);
		let row = v128.load(a + o);
		ra = step(metric, ra, row, x);
		sa = step(metric, sa, row, y);
		row = v128.load(b + o);
		rb = step(metric, rb, row, x);
		sb = step(metric, sb, row, y);
		row = v128.load(c + o);
		rc = step(metric, rc, row, x);
		sc = step(metric, sc, row, y);
		row = v128.load(d + o);
		rd = step(metric, rd, row, x);
		sd = step(metric, sd, row, y);
	}
	v128.store(out, keysOf(metric, f32x4.add(qa, ra), f32x4.add(qb, rb), f32x4.add(qc, rc), f32x4.add(qd, rd)));
	v128.store(out2, keysOf(metric, f32x4.add(pa, sa), f32x4.add(pb, sb), f32x4.add(pc, sc), f32x4.add(pd, sd)));
}

@inline
function many(
	metric: i32,
	query: usize,
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
			metric,
			query,
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
		store<f32>(out + (<usize>i << 2), one(metric, row, query, bytes));
	}
}

@inline
function block(metric: i32, query: usize, base: usize, stride: usize, bytes: usize, n: i32, out: usize): void {
	let i = 0;
	let row = base;
	for (; i + 4 <= n; i += 4) {
		four(metric, query, row, row + stride, row + 2 * stride, row + 3 * stride, bytes, out + (<usize>i << 2));
		row += 4 * stride;
	}
	for (; i < n; i++) {
		store<f32>(out + (<usize>i << 2), one(metric, row, query, bytes));
		row += stride;
	}
}

@inline
function tiles(
	metric: i32,
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
	let i = 0;
	let row = base;
	for (; i + 4 <= n; i += 4) {
		let j = 0;
		let q = queries;
		let o = out + (<usize>i << 2);
		for (; j + 2 <= m; j += 2) {
			tile(metric, q, q + queryStride, row, row + stride, row + 2 * stride, row + 3 * stride, bytes, o, o + outStride);
			q += 2 * queryStride;
			o += 2 * outStride;
		}
		if (j < m) four(metric, q, row, row + stride, row + 2 * stride, row + 3 * stride, bytes, o);
		row += 4 * stride;
	}
	for (; i < n; i++) {
		let q = queries;
		let o = out + (<usize>i << 2);
		for (let j = 0; j < m; j++) {
			store<f32>(o, one(metric, row, q, bytes));
			q += queryStride;
			o += outStride;
		}
		row += stride;
	}
}

/** The key of two rows of `bytes` bytes. */
export function distance(metric: i32, a: usize, b: usize, bytes: usize): f32 {
	if (metric == L2) return one(L2, a, b, bytes);
	if (metric == IP) return one(IP, a, b, bytes);
	if (metric == COSINE) return one(COSINE, a, b, bytes);
	if (metric == L1) return one(L1, a, b, bytes);
	return hamming(a, b, bytes);
}

/** One query against `n` rows named by number: row `ids[i]` is at `base + ids[i] * stride`. Writes `n` keys to `out`. */
export function distanceMany(
	metric: i32,
	query: usize,
	base: usize,
	stride: usize,
	bytes: usize,
	ids: usize,
	n: i32,
	out: usize,
): void {
	if (metric == L2) many(L2, query, base, stride, bytes, ids, n, out);
	else if (metric == IP) many(IP, query, base, stride, bytes, ids, n, out);
	else if (metric == COSINE) many(COSINE, query, base, stride, bytes, ids, n, out);
	else if (metric == L1) many(L1, query, base, stride, bytes, ids, n, out);
	else if (metric == HAMMING) {
		for (let i = 0; i < n; i++) {
			const row = base + <usize>load<u32>(ids + (<usize>i << 2)) * stride;
			store<f32>(out + (<usize>i << 2), hamming(row, query, bytes));
		}
	}
}

/** One query against `n` rows that follow each other every `stride` bytes. Writes `n` keys to `out`. */
export function distanceBlock(
	metric: i32,
	query: usize,
	base: usize,
	stride: usize,
	bytes: usize,
	n: i32,
	out: usize,
): void {
	if (metric == L2) block(L2, query, base, stride, bytes, n, out);
	else if (metric == IP) block(IP, query, base, stride, bytes, n, out);
	else if (metric == COSINE) block(COSINE, query, base, stride, bytes, n, out);
	else if (metric == L1) block(L1, query, base, stride, bytes, n, out);
	else if (metric == HAMMING) {
		for (let i = 0; i < n; i++) store<f32>(out + (<usize>i << 2), hamming(base + <usize>i * stride, query, bytes));
	}
}

/** `m` queries against `n` consecutive rows, in tiles. The keys of query j are at `out + j * outStride`. */
export function distanceTiles(
	metric: i32,
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
	if (metric == L2) tiles(L2, queries, queryStride, m, base, stride, bytes, n, out, outStride);
	else if (metric == IP) tiles(IP, queries, queryStride, m, base, stride, bytes, n, out, outStride);
	else if (metric == COSINE) tiles(COSINE, queries, queryStride, m, base, stride, bytes, n, out, outStride);
	else if (metric == L1) tiles(L1, queries, queryStride, m, base, stride, bytes, n, out, outStride);
	else if (metric == HAMMING) {
		for (let i = 0; i < n; i++) {
			for (let j = 0; j < m; j++) {
				const key = hamming(base + <usize>i * stride, queries + <usize>j * queryStride, bytes);
				store<f32>(out + <usize>j * outStride + (<usize>i << 2), key);
			}
		}
	}
}
