import type { TwinMemory } from "./memory.ts";

const { fround } = Math;

/** How many points a lane takes from the cursor at a time. */
const BLOCK = 64;

/** How many cells a lane takes from the cursor at a time. */
const CELLS = 4;

const PANEL = 8;

/** The products of one point with the eight of a panel. Storing into a Float32Array rounds, so that `+=` is one float32 addition. */
const dots = new Float32Array(PANEL);

function multiply({ f32 }: TwinMemory, panel: number, row: number, bytes: number): void {
	let at = (panel + 4 * PANEL) >>> 2;
	const first = row >>> 2;
	const end = first + (bytes >>> 2);
	dots.fill(0);
	for (let i = first; i < end; i++) {
		const x = f32[i] as number;
		for (let j = 0; j < PANEL; j++) (dots[j] as number) += fround(x * (f32[at++] as number));
	}
}

/** The nearest of `k` centroids in panels for points[0..end); of equal keys the lowest. Codes would only save work. */
export function assignRange(
	m: TwinMemory,
	rows: number,
	stride: number,
	bytes: number,
	ids: number,
	panels: number,
	_codes: number,
	k: number,
	_scratch: number,
	labels: number,
	keys: number,
	end: number,
	cursor: number,
): void {
	for (;;) {
		const from = m.atomicAdd(cursor, BLOCK) >>> 0;
		if (from >= end) return;
		const to = Math.min(end, from + BLOCK);
		for (let i = from; i < to; i++) {
			const row = rows + (ids === 0 ? i : m.loadU32(ids + 4 * i)) * stride;
			let nearest = Number.POSITIVE_INFINITY;
			let label = 0;
			for (let first = 0, panel = panels; first < k; first += PANEL, panel += 4 * PANEL + PANEL * bytes) {
				multiply(m, panel, row, bytes);
				for (let j = 0; j < PANEL; j++) {
					const dot = dots[j] as number;
					const key = fround(m.loadF32(panel + 4 * j) - fround(dot + dot));
					if (key < nearest) {
						nearest = key;
						label = first + j;
					}
				}
			}
			m.storeU32(labels + 4 * i, label);
			m.storeF32(keys + 4 * i, nearest);
		}
	}
}

/** The means of cells[0..end) and the sums of squared distances from the centroids; all sums are float64. */
export function meanRange(
	m: TwinMemory,
	rows: number,
	stride: number,
	bytes: number,
	members: number,
	offsets: number,
	centroids: number,
	centroidStride: number,
	means: number,
	spreads: number,
	scratch: number,
	end: number,
	cursor: number,
): void {
	for (;;) {
		const from = m.atomicAdd(cursor, CELLS) >>> 0;
		if (from >= end) return;
		const to = Math.min(end, from + CELLS);
		for (let cell = from; cell < to; cell++) {
			const first = m.loadU32(offsets + 4 * cell);
			const last = m.loadU32(offsets + 4 * cell + 4);
			const centroid = centroids + cell * centroidStride;
			const mean = means + cell * centroidStride;
			m.fill(scratch, 0, 32 + 2 * bytes);
			for (let i = first; i < last; i++) take(m, rows + m.loadU32(members + 4 * i) * stride, bytes, centroid, scratch);
			if (last > first) writeMean(m, scratch + 32, bytes, last - first, mean);
			else m.copyWords(mean, centroid, bytes);
			const low = m.loadF64(scratch) + m.loadF64(scratch + 8);
			m.storeF64(spreads + 8 * cell, low + (m.loadF64(scratch + 16) + m.loadF64(scratch + 24)));
		}
	}
}

/** Adds a row to the sums behind the four lanes of the spread, and its squared distance from the centroid to those lanes. */
function take({ f32, f64 }: TwinMemory, row: number, bytes: number, centroid: number, scratch: number): void {
	const lanes = scratch >>> 3;
	const n = bytes >>> 2;
	for (let i = 0; i < n; i++) {
		const x = f32[(row >>> 2) + i] as number;
		const t = x - (f32[(centroid >>> 2) + i] as number);
		(f64[lanes + 4 + i] as number) += x;
		(f64[lanes + (i & 3)] as number) += t * t;
	}
}

function writeMean(m: TwinMemory, sums: number, bytes: number, count: number, mean: number): void {
	for (let i = 0; i < bytes; i += 4) m.storeF32(mean + i, m.loadF64(sums + 2 * i) / count);
}
