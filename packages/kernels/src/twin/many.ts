/**
 * The k nearest of many queries among rows that follow each other; panels, bounds and the struct are drawn in assembly/many.ts.
 */
import { MANY, METRIC_CODES, manyCodesBytes } from "../layout.ts";
import { distance } from "./distance.ts";
import type { TwinMemory } from "./memory.ts";
import { place } from "./topk.ts";

const { fround } = Math;

const PANEL = 8;
const CODES = 96;
const WHOLE = 12_582_912;
const UP = fround(1.001);
const PER_ROOT = fround(0.0001);
const WIDER = 1 / 262_144;

/** Sums in four lanes. Storing into a Float32Array rounds, so that `+=` is one float32 addition. */
const left = new Float32Array(4);
const lengths = new Float32Array(4);

function sumF32(lanes: Float32Array): number {
	const [a, b, c, d] = lanes as unknown as [number, number, number, number];
	return fround(fround(a + b) + fround(c + d));
}

/** Codes `n` rows into panels; behind the last row it is done again until a panel is full. */
export function encodeMany(
	m: TwinMemory,
	rows: number,
	stride: number,
	n: number,
	bytes: number,
	origin: number,
	inverse: number,
	squares: number,
	panels: number,
): void {
	const factor = fround(inverse);
	const ofLength = fround(squares);
	const step = manyCodesBytes(bytes, 1);
	for (let i = 0; i < Math.ceil(n / PANEL) * PANEL; i++) {
		const row = rows + Math.min(i, n - 1) * stride;
		const panel = panels + Math.floor(i / PANEL) * step + 4 * (i % PANEL);
		left.fill(0);
		lengths.fill(0);
		let norm = 0;
		for (let j = 0; j < bytes >>> 2; j++) {
			const lane = j & 3;
			const x = m.loadF32(row + 4 * j);
			(lengths[lane] as number) += fround(x * x);
			const steps = fround(fround(x - m.loadF32(origin + 4 * j)) * factor);
			const code = fround(fround(Math.min(127, Math.max(0, steps)) + WHOLE) - WHOLE);
			const rest = fround(steps - code);
			(left[lane] as number) += fround(rest * rest);
			norm += code * code;
			m.u8[(panel + CODES + 32 * (j >>> 2) + lane) >>> 0] = code;
		}
		m.storeI32(panel, norm);
		const perRoot = fround(PER_ROOT * fround(Math.sqrt(bytes >>> 2)));
		m.storeF32(panel + 32, fround(fround(fround(Math.sqrt(sumF32(left))) * UP) + perRoot));
		m.storeF32(panel + 64, fround(sumF32(lengths) * ofLength));
	}
}

/** What a call reads of the struct. */
interface Many {
	readonly m: TwinMemory;
	readonly queries: number;
	readonly queryStride: number;
	readonly queryCodes: number;
	readonly count: number;
	readonly k: number;
	readonly pools: number;
	readonly sizes: number;
	readonly limits: number;
	readonly metric: number;
	readonly rowBytes: number;
	readonly scale: number;
	readonly offset: number;
	readonly most: number;
}

/** Where a row's or query's part of a panel begins. */
function laneAt(codes: number, i: number, bytes: number): number {
	return codes + Math.floor(i / PANEL) * manyCodesBytes(bytes, 1) + 4 * (i % PANEL);
}

/** Writes the limit of a query anew. */
function limit(many: Many, query: number): void {
	const { m, k, metric, scale, offset } = many;
	let value = Number.POSITIVE_INFINITY;
	if (m.loadI32(many.sizes + 4 * query) === k) {
		const bound = m.loadF32(many.pools + 8 * (query * k + k - 1));
		if (bound < many.most) {
			if (metric === METRIC_CODES.l2) {
				const reach = (Math.sqrt(bound) + offset) * scale;
				value = reach * reach;
			} else {
				value = (2 * bound + offset) * scale + m.loadF32(laneAt(many.queryCodes, query, many.rowBytes) + 64);
			}
			value += Math.abs(value) * WIDER;
		}
	}
	m.storeF32(many.limits + 4 * query, value);
}

/** Whether the codes of a query and a row, at their lanes of their panels, exclude the pair. */
function excludes({ m, limits, rowBytes }: Many, query: number, own: number, at: number): boolean {
	let product = 0;
	for (let o = 0; o < rowBytes >>> 2; o++) {
		const code = CODES + 32 * (o >>> 2) + (o & 3);
		product += m.loadU8(own + code) * m.loadU8(at + code);
	}
	const apart = fround(m.loadI32(at) + m.loadI32(own) - 2 * product);
	const sum = fround(m.loadF32(at + 64) + m.loadF32(limits + 4 * query));
	const outside = fround(m.loadF32(at + 32) + m.loadF32(own + 32));
	const reach = fround(fround(Math.sqrt(sum < 0 ? 0 : sum)) + outside);
	return apart > fround(reach * reach);
}

/**
 * Adds to the pools what `n` rows, whose codes the struct names, have nearer; row i has the label `labels[i]`. Returns how many pairs
 * had to be compared.
 */
export function nearestMany(
	m: TwinMemory,
	struct: number,
	base: number,
	stride: number,
	n: number,
	labels: number,
): number {
	const rowCodes = m.loadU32(struct + MANY.rowCodes);
	const many: Many = {
		m,
		queries: m.loadU32(struct + MANY.queries),
		queryStride: m.loadU32(struct + MANY.queryStride),
		queryCodes: m.loadU32(struct + MANY.queryCodes),
		count: m.loadI32(struct + MANY.count),
		k: m.loadI32(struct + MANY.k),
		pools: m.loadU32(struct + MANY.pools),
		sizes: m.loadU32(struct + MANY.sizes),
		limits: m.loadU32(struct + MANY.limits),
		metric: m.loadI32(struct + MANY.metric),
		rowBytes: m.loadU32(struct + MANY.rowBytes),
		scale: m.loadF64(struct + MANY.scale),
		offset: m.loadF64(struct + MANY.offset),
		most: m.loadF64(struct + MANY.most),
	};
	const { count, k, metric, rowBytes } = many;
	for (let query = 0; query < count; query++) limit(many, query);
	let compared = 0;
	for (let first = 0; first < n; first += PANEL) {
		for (let query = 0; query < count; query++) {
			const own = laneAt(many.queryCodes, query, rowBytes);
			const left: number[] = [];
			for (let i = first; i < Math.min(n, first + PANEL); i++) {
				if (!excludes(many, query, own, laneAt(rowCodes, i, rowBytes))) left.push(i);
			}
			if (left.length === 0) continue;
			const sizeAt = many.sizes + 4 * query;
			const pool = many.pools + 8 * query * k;
			const row = many.queries + query * many.queryStride;
			let size = m.loadI32(sizeAt);
			let changed = false;
			for (const i of left) {
				compared++;
				const key = distance(m, metric, base + i * stride, row, rowBytes);
				if (size === k && key > m.loadF32(pool + 8 * (k - 1))) continue;
				size = place(m, pool, size, k, key, m.loadU32(labels + 4 * i));
				changed = true;
			}
			if (!changed) continue;
			m.storeI32(sizeAt, size);
			limit(many, query);
		}
	}
	return compared;
}
