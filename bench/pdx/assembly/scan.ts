/**
 * A scan of cells that are stored dimension-major (PDX: Kuffo, Krippner, Boncz 2025), which gives a row up as soon as a part of its
 * squared distance says that it cannot be among the nearest (ADSampling: Gao, Long 2023; or the part alone, which never errs).
 *
 * An entry of the cell table: u32 address of the first block, u32 rows. The blocks of a cell follow one another; all have 64 rows but the
 * last. A block of n rows, where `width` is n rounded up to 16:
 *
 * | bytes                 | what                                                                          |
 * |-----------------------|-------------------------------------------------------------------------------|
 * | 4 x width             | u32 label of each row                                                          |
 * | 4 x width x vertical  | f32 elements: the first of all rows, the second of all rows ... (fill is zero) |
 * | 256 x n x chunks      | f32 elements: the others of each row in turn, in chunks of 64                  |
 *
 * PDX keeps a chunk of all rows together instead. Few rows get so far, and those are read faster where their chunks follow one another.
 *
 * `steps` are {i32 elements, f32 factor}: after so many a row is given up whose part exceeds the factor times the k-th distance so far. They
 * end with `vertical`, then follow the chunks, one factor each.
 */
import { sumF32, sumsF32 } from "../../../packages/kernels/assembly/lanes";
import { place } from "../../../packages/kernels/assembly/topk";

/** Rows of a block. */
const ROWS: i32 = 64;
/** Bytes of 64 elements of a row. */
const CHUNK: usize = 256;
/** More of the quarters of a block than this share of 4 are looked at all together rather than one by one. */
const DENSE: i32 = 3;

let query: usize = 0;
let vertical: i32 = 0;
let chunks: i32 = 0;
let steps: usize = 0;
let sums: usize = 0;
let listed: usize = 0;
let pool: usize = 0;
let k: i32 = 0;
let size: i32 = 0;
/** Elements that were looked at, of all rows. */
let looked: i64 = 0;

/**
 * Leaves the nearest k rows of the probed cells ({u32 cell, f32} at `probes`) as pairs {f32 key, u32 label} in the pool and returns how many
 * there are. `scratch` has 512 bytes.
 */
export function scanVertical(
	table: usize,
	probes: usize,
	count: i32,
	queryAt: usize,
	verticals: i32,
	horizontals: i32,
	stepsAt: usize,
	scratch: usize,
	poolAt: usize,
	nearest: i32,
): i32 {
	query = queryAt;
	vertical = verticals;
	chunks = horizontals;
	steps = stepsAt;
	sums = scratch;
	listed = scratch + 256;
	pool = poolAt;
	k = nearest;
	size = 0;
	looked = 0;
	for (let i = 0; i < count; i++) {
		const entry = table + (<usize>load<u32>(probes + (<usize>i << 3)) << 3);
		let at = <usize>load<u32>(entry);
		for (let rows = load<i32>(entry, 4); rows > 0; rows -= ROWS) {
			const n = min(rows, ROWS);
			const width = <usize>((n + 15) & ~15) << 2;
			scanBlock(at, n, width);
			at += width * (<usize>vertical + 1) + CHUNK * <usize>n * <usize>chunks;
		}
	}
	return size;
}

/** Elements that the last scan looked at. */
export function elementsLookedAt(): f64 {
	return <f64>looked;
}

@inline
function limit(): f32 {
	return size < k ? <f32>Infinity : load<f32>(pool + (<usize>(k - 1) << 3));
}

function scanBlock(block: usize, n: i32, width: usize): void {
	const most = limit();
	const stride = CHUNK * <usize>chunks;
	memory.fill(sums, 0, width);
	const all: u64 = n == ROWS ? ~(<u64>0) : (<u64>1 << n) - 1;
	const elements = block + width;
	let left = all;
	let step = steps;
	for (let d = 0; d < vertical; step += 8) {
		const to = load<i32>(step);
		const groups = listGroups(left);
		if (groups << 2 > DENSE * <i32>(width >> 4)) {
			dense(elements, width, d, to);
			looked += <i64>((to - d) * <i32>(width >> 2));
		} else {
			sparse(elements, width, d, to, groups);
			looked += <i64>((to - d) * 4 * groups);
		}
		d = to;
		if (most != Infinity) {
			left &= survivors(most * load<f32>(step, 4), width);
			if (left == 0) return;
		}
	}
	let found = listRows(left);
	let chunk = elements + width * <usize>vertical;
	let q = query + (<usize>vertical << 2);
	for (let c = 0; c < chunks; c++) {
		looked += <i64>(64 * found);
		found = horizontal(chunk, stride, q, found, most * load<f32>(step, 4));
		if (found == 0) return;
		chunk += CHUNK;
		q += CHUNK;
		step += 8;
	}
	for (let i = 0; i < found; i++) {
		const row = <usize>load<u8>(listed + <usize>i) << 2;
		const key = load<f32>(sums + row);
		if (key <= limit()) size = place(pool, size, k, key, load<u32>(block + row));
	}
}

/** Lists the numbers of the rows in a set. */
function listRows(set: u64): i32 {
	let count = 0;
	for (; set != 0; set &= set - 1) {
		store<u8>(listed + <usize>count, <u8>ctz(set));
		count++;
	}
	return count;
}

/** Lists the fours of rows of which at least one is in a set, by the bytes from the first. */
function listGroups(set: u64): i32 {
	let count = 0;
	while (set != 0) {
		const group = ctz(set) >> 2;
		store<u8>(listed + <usize>count, <u8>(group << 4));
		count++;
		set &= ~(<u64>15 << (group << 2));
	}
	return count;
}

/** Rows whose part does not exceed a limit. */
@inline
function survivors(most: f32, width: usize): u64 {
	const limits = f32x4.splat(most);
	let set: u64 = 0;
	for (let o: usize = 0; o < width; o += 16) {
		set |= (<u64>i32x4.bitmask(f32x4.le(v128.load(sums + o), limits))) << <u64>(o >> 2);
	}
	return set;
}

@inline
function add(sum: v128, at: usize, q: v128): v128 {
	const t = f32x4.sub(v128.load(at), q);
	return f32x4.add(sum, f32x4.mul(t, t));
}

/** Elements from `d` to `to` of all rows. */
function dense(elements: usize, width: usize, d: i32, to: i32): void {
	const first = elements + <usize>d * width;
	const q = query + (<usize>d << 2);
	const end = query + (<usize>to << 2);
	let o: usize = 0;
	for (; o + 128 <= width; o += 128) {
		const s = sums + o;
		let a = v128.load(s);
		let b = v128.load(s, 16);
		let c = v128.load(s, 32);
		let e = v128.load(s, 48);
		let f = v128.load(s, 64);
		let g = v128.load(s, 80);
		let h = v128.load(s, 96);
		let i = v128.load(s, 112);
		let at = first + o;
		for (let p = q; p < end; p += 4) {
			const x = v128.load32_splat(p);
			a = add(a, at, x);
			b = add(b, at + 16, x);
			c = add(c, at + 32, x);
			e = add(e, at + 48, x);
			f = add(f, at + 64, x);
			g = add(g, at + 80, x);
			h = add(h, at + 96, x);
			i = add(i, at + 112, x);
			at += width;
		}
		v128.store(s, a);
		v128.store(s, b, 16);
		v128.store(s, c, 32);
		v128.store(s, e, 48);
		v128.store(s, f, 64);
		v128.store(s, g, 80);
		v128.store(s, h, 96);
		v128.store(s, i, 112);
	}
	for (; o < width; o += 64) {
		const s = sums + o;
		let a = v128.load(s);
		let b = v128.load(s, 16);
		let c = v128.load(s, 32);
		let e = v128.load(s, 48);
		let at = first + o;
		for (let p = q; p < end; p += 4) {
			const x = v128.load32_splat(p);
			a = add(a, at, x);
			b = add(b, at + 16, x);
			c = add(c, at + 32, x);
			e = add(e, at + 48, x);
			at += width;
		}
		v128.store(s, a);
		v128.store(s, b, 16);
		v128.store(s, c, 32);
		v128.store(s, e, 48);
	}
}

/** The same of the listed fours of rows. */
function sparse(elements: usize, width: usize, d: i32, to: i32, groups: i32): void {
	const first = elements + <usize>d * width;
	const q = query + (<usize>d << 2);
	const end = query + (<usize>to << 2);
	let i = 0;
	for (; i + 4 <= groups; i += 4) {
		const four = listed + <usize>i;
		const oa = <usize>load<u8>(four);
		const ob = <usize>load<u8>(four, 1);
		const oc = <usize>load<u8>(four, 2);
		const oe = <usize>load<u8>(four, 3);
		let a = v128.load(sums + oa);
		let b = v128.load(sums + ob);
		let c = v128.load(sums + oc);
		let e = v128.load(sums + oe);
		let at = first;
		for (let p = q; p < end; p += 4) {
			const x = v128.load32_splat(p);
			a = add(a, at + oa, x);
			b = add(b, at + ob, x);
			c = add(c, at + oc, x);
			e = add(e, at + oe, x);
			at += width;
		}
		v128.store(sums + oa, a);
		v128.store(sums + ob, b);
		v128.store(sums + oc, c);
		v128.store(sums + oe, e);
	}
	for (; i < groups; i++) {
		const o = <usize>load<u8>(listed + <usize>i);
		let a = v128.load(sums + o);
		let at = first + o;
		for (let p = q; p < end; p += 4) {
			a = add(a, at, v128.load32_splat(p));
			at += width;
		}
		v128.store(sums + o, a);
	}
}

/** Adds 64 elements of each listed row, and lists those again that are not given up; returns how many. */
function horizontal(chunk: usize, stride: usize, q: usize, n: i32, most: f32): i32 {
	let kept = 0;
	let i = 0;
	for (; i + 4 <= n; i += 4) {
		const four = listed + <usize>i;
		const ra = <usize>load<u8>(four);
		const rb = <usize>load<u8>(four, 1);
		const rc = <usize>load<u8>(four, 2);
		const re = <usize>load<u8>(four, 3);
		const a = chunk + ra * stride;
		const b = chunk + rb * stride;
		const c = chunk + rc * stride;
		const e = chunk + re * stride;
		let sa = f32x4.splat(0);
		let sb = sa;
		let sc = sa;
		let se = sa;
		for (let o: usize = 0; o < CHUNK; o += 16) {
			const x = v128.load(q + o);
			sa = add(sa, a + o, x);
			sb = add(sb, b + o, x);
			sc = add(sc, c + o, x);
			se = add(se, e + o, x);
		}
		const parts = sumsF32(sa, sb, sc, se);
		kept = keep(ra, f32x4.extract_lane(parts, 0), most, kept);
		kept = keep(rb, f32x4.extract_lane(parts, 1), most, kept);
		kept = keep(rc, f32x4.extract_lane(parts, 2), most, kept);
		kept = keep(re, f32x4.extract_lane(parts, 3), most, kept);
	}
	for (; i < n; i++) {
		const row = <usize>load<u8>(listed + <usize>i);
		const at = chunk + row * stride;
		let a = f32x4.splat(0);
		let b = a;
		for (let o: usize = 0; o < CHUNK; o += 32) {
			a = add(a, at + o, v128.load(q + o));
			b = add(b, at + o + 16, v128.load(q + o, 16));
		}
		kept = keep(row, sumF32(f32x4.add(a, b)), most, kept);
	}
	return kept;
}

@inline
function keep(row: usize, part: f32, most: f32, kept: i32): i32 {
	const at = sums + (row << 2);
	const sum = load<f32>(at) + part;
	store<f32>(at, sum);
	if (sum > most) return kept;
	store<u8>(listed + <usize>kept, <u8>row);
	return kept + 1;
}
