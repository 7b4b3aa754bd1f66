/**
 * Exact search over codes: a scan of 7-bit codes with a two-plane query that keeps every row which the row's own residual (the
 * length of what its code leaves out) cannot exclude. What it keeps contains the k nearest by the float keys, whatever the data.
 *
 * l2 rests on the triangle inequality: | |q - v| - |q - v'| | <= |v - v'|. ip and cosine rest on Cauchy-Schwarz:
 * | q.v - q.v' | <= |q| |v - v'|. Both are widened by what the rounding of the float kernels can add.
 *
 * A code row here is `bytes` codes, the int32 norm and the float32 residual. The query struct:
 *
 * | byte | what                                                                                  |
 * |------|---------------------------------------------------------------------------------------|
 * | 0    | u32 address of the high plane                                                          |
 * | 4    | u32 address of the low plane                                                           |
 * | 8    | u32 form: 0 l2 (works in distances), 1 dot (works in keys)                             |
 * | 12   | u32 k                                                                                  |
 * | 16   | f64 l2: squared length of the coded query in code units; dot: the key of code zero     |
 * | 24   | f64 l2: the code's unit squared; dot: minus unit of code times unit of query, / 128    |
 * | 32   | f64 error that holds for every row (in distances or keys)                              |
 * | 40   | f64 error for each unit of residual                                                    |
 * | 48   | f64 l2: relative rounding error of a distance                                          |
 * | 56   | u32 address of the pool of k upper bounds {f32, u32 label}                             |
 * | 60   | i32 size of the pool                                                                   |
 * | 64   | u32 address of kept rows (u32 each)                                                    |
 * | 68   | u32 address of kept lower bounds (f32 each)                                            |
 * | 72   | i32 rows kept                                                                          |
 * | 80   | 32 zero bytes: the eligibility that admits everything                                  |
 */
import { eligible, openEligibility } from "./eligibility";
import { sumI32 } from "./lanes";
import { place } from "./topk";
import { step } from "./codes";

/**
 * The length of what a code leaves out of a row, rounded up: | x - (origin + unit * code) |. Written behind the norm by the caller.
 */
export function residual(row: usize, origin: usize, unit: f64, rowBytes: usize, code: usize): f32 {
	let sum: f64 = 0;
	for (let o: usize = 0; o < rowBytes; o += 4) {
		const e = <f64>load<f32>(row + o) - (<f64>load<f32>(origin + o) + unit * <f64>load<u8>(code + (o >> 2)));
		sum += e * e;
	}
	// One part in 2^22 is more than the roundings of the sum and of the conversion together.
	return <f32>(Math.sqrt(sum) * (1 + 1 / 4194304.0));
}

let form: u32 = 0;
let k: i32 = 0;
let constant: f64 = 0;
let factor: f64 = 0;
let slack: f64 = 0;
let perResidual: f64 = 0;
let rounding: f64 = 0;
let pool: usize = 0;
let size: i32 = 0;
let keptRows: usize = 0;
let keptBounds: usize = 0;
let kept: i32 = 0;
/** The k-th smallest upper bound so far, already widened. */
let most: f64 = Infinity;

@inline
function limit(): f64 {
	return size < k ? Infinity : <f64>load<f32>(pool + (<usize>(k - 1) << 3));
}

@inline
function judge(product: f64, norm: i32, error: f32, row: u32, label: u32): void {
	const width = slack + perResidual * <f64>error;
	let lower: f64;
	let upper: f64;
	if (form == 0) {
		const squared = max<f64>(0, factor * (constant + <f64>norm - product / 64));
		const reach = most * (1 + rounding) + width;
		if (squared > reach * reach) return;
		const distance = Math.sqrt(squared);
		lower = max<f64>(0, distance - width) * (1 - rounding);
		upper = (distance + width) * (1 + rounding);
	} else {
		const key = constant + factor * product;
		lower = key - width;
		upper = key + width;
		if (lower > most) return;
	}
	if (!eligible(label)) return;
	store<u32>(keptRows + (<usize>kept << 2), row);
	store<f32>(keptBounds + (<usize>kept << 2), <f32>lower);
	kept++;
	if (upper < most || size < k) {
		size = place(pool, size, k, <f32>upper, label);
		most = limit();
	}
}

/**
 * Judges `n` consecutive code rows; row i is number `first + i` and has the label `labels[i]`. Adds to the struct's pool and kept rows.
 * A kept row is wanted when its lower bound is at most the pool's last upper bound once all rows have been seen.
 */
export function boundScan(
	query: usize,
	base: usize,
	stride: usize,
	bytes: usize,
	first: u32,
	n: i32,
	labels: usize,
	eligibility: usize,
): void {
	const high = <usize>load<u32>(query);
	const low = <usize>load<u32>(query, 4);
	form = load<u32>(query, 8);
	k = load<i32>(query, 12);
	constant = load<f64>(query, 16);
	factor = load<f64>(query, 24);
	slack = load<f64>(query, 32);
	perResidual = load<f64>(query, 40);
	rounding = load<f64>(query, 48);
	pool = <usize>load<u32>(query, 56);
	size = load<i32>(query, 60);
	keptRows = <usize>load<u32>(query, 64);
	keptBounds = <usize>load<u32>(query, 68);
	kept = load<i32>(query, 72);
	most = limit();
	openEligibility(eligibility != 0 ? eligibility : query + 80);
	let i = 0;
	let a = base;
	for (; i + 2 <= n; i += 2) {
		const b = a + stride;
		let ah = i32x4.splat(0);
		let al = ah;
		let bh = ah;
		let bl = ah;
		for (let o: usize = 0; o < bytes; o += 16) {
			const h = v128.load(high + o);
			const l = v128.load(low + o);
			let v = v128.load(a + o);
			ah = step(ah, h, v);
			al = step(al, l, v);
			v = v128.load(b + o);
			bh = step(bh, h, v);
			bl = step(bl, l, v);
		}
		const at = labels + (<usize>i << 2);
		judge(
			128 * <f64>sumI32(ah) + <f64>sumI32(al),
			load<i32>(a + bytes),
			load<f32>(a + bytes, 4),
			first + i,
			load<u32>(at),
		);
		judge(
			128 * <f64>sumI32(bh) + <f64>sumI32(bl),
			load<i32>(b + bytes),
			load<f32>(b + bytes, 4),
			first + i + 1,
			load<u32>(at, 4),
		);
		a = b + stride;
	}
	if (i < n) {
		let ah = i32x4.splat(0);
		let al = ah;
		for (let o: usize = 0; o < bytes; o += 16) {
			const v = v128.load(a + o);
			ah = step(ah, v128.load(high + o), v);
			al = step(al, v128.load(low + o), v);
		}
		const label = load<u32>(labels + (<usize>i << 2));
		judge(128 * <f64>sumI32(ah) + <f64>sumI32(al), load<i32>(a + bytes), load<f32>(a + bytes, 4), first + i, label);
	}
	store<i32>(query, size, 60);
	store<i32>(query, kept, 72);
}
