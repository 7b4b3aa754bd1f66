import { filter, GROUP } from "./filter";
import { answer, tile } from "./panel";

/** How many points a lane takes from the cursor at a time, and compares with a panel while it is in the nearest cache. */
const BLOCK: i32 = 64;

/** In a lane's scratch: for each point the least keys and their vectors in four lanes, then the address of its row, then the filter's. */
const ROWS: usize = <usize>BLOCK << 5;
const FILTER: usize = ROWS + (<usize>BLOCK << 2);

function reset(best: usize, count: i32): void {
	for (let i = 0; i < count; i++) {
		v128.store(best + (<usize>i << 5), f32x4.splat(Infinity));
		v128.store(best + (<usize>i << 5), i32x4.splat(0), 16);
	}
}

/** Compares points, whose rows are at the addresses in `rows`, with all centroids. */
function compareAll(rows: usize, count: i32, bytes: usize, panels: usize, vectors: i32, best: usize): void {
	const last = count - 1;
	let panel = panels;
	for (let number = 0; number < vectors; number += 2) {
		let i = 0;
		for (; i + 3 <= last; i += 4) {
			const at = rows + (<usize>i << 2);
			const out = best + (<usize>i << 5);
			tile(panel, number, bytes, load<u32>(at), load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12), out);
		}
		if (i <= last) {
			// Behind the last point it is done again, in places that nobody reads.
			const a = load<u32>(rows + (<usize>i << 2));
			const b = load<u32>(rows + (<usize>min(i + 1, last) << 2));
			const c = load<u32>(rows + (<usize>min(i + 2, last) << 2));
			tile(panel, number, bytes, a, b, c, c, best + (<usize>i << 5));
		}
		panel += 32 + (bytes << 3);
	}
}

/**
 * The nearest of `k` centroids in panels for points[0..end), shared with other lanes through the cursor, a u32 that starts at 0. Point
 * i is row ids[i], or row i where `ids` is 0. Writes a label (u32; of equal keys the lowest) and a key (f32) a point. Where every key
 * overflows, the label is 0. `codes` are those of the same centroids (filter.ts), or 0: they save most of the work where the build has the
 * relaxed dot product, and change nothing of the answers. `scratch` is the lane's own; assignScratch() of ../../src/layout.ts says how
 * much it needs.
 */
export function assignRange(
	rows: usize,
	stride: usize,
	bytes: usize,
	ids: usize,
	panels: usize,
	codes: usize,
	k: i32,
	scratch: usize,
	labels: usize,
	keys: usize,
	end: i32,
	cursor: usize,
): void {
	const vectors = ((k + 7) >> 3) << 1;
	for (;;) {
		const from = <i32>atomic.add<u32>(cursor, BLOCK);
		// The cursor passes the end by at most a block for each lane, which must not wrap to below it.
		if (<u32>from >= <u32>end) return;
		const count = min(end - from, BLOCK);
		for (let i = 0; i < count; i++) {
			const row = ids == 0 ? <usize>(from + i) : <usize>load<u32>(ids + (<usize>(from + i) << 2));
			store<u32>(scratch + (<usize>i << 2), <u32>(rows + row * stride), ROWS);
		}
		reset(scratch, count);
		if (ASC_FEATURE_RELAXED_SIMD && codes != 0) {
			for (let i: i32 = 0; i < count; i += GROUP) {
				const group = min(count - i, GROUP);
				const addresses = scratch + ROWS + (<usize>i << 2);
				const best = scratch + (<usize>i << 5);
				if (filter(addresses, group, bytes, panels, codes, vectors, scratch + FILTER, best)) continue;
				reset(best, group);
				compareAll(addresses, group, bytes, panels, vectors, best);
			}
		} else {
			compareAll(scratch + ROWS, count, bytes, panels, vectors, scratch);
		}
		for (let i = 0; i < count; i++) {
			const at = <usize>(from + i) << 2;
			answer(scratch + (<usize>i << 5), labels + at, keys + at);
		}
	}
}
