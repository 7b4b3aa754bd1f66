// The exact distances: float rows, and bit rows under hamming.
import { METRIC_CODES } from "@nigh/kernels";
import { type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import { MOST_IDS, RowOrder } from "./row-order.ts";
import { rowShape, type Workbench } from "./workbench.ts";

/** Rows of a call of a block kernel, as the flat index calls them: the keys stay in the cache. */
export const CHUNK_ROWS = 512;

/** Queries of a tile, as many as make the reading of rows cheap beside the arithmetic. */
export const TILE_QUERIES = 8;

const METRICS = ["l2", "ip", "l1", "hamming"] as const;

type Metric = (typeof METRICS)[number];

/** The rows of the region, a query, and the read loop over them. */
function rowsOf(bench: Workbench, metric: Metric, dimensions: number, place: Place) {
	const { bytes, stride } = rowShape(metric === "hamming" ? "bits" : "floats", dimensions);
	const base = bench.region;
	const query = bench.alloc(bytes);
	bench.arena.u8(query, bytes).set(bench.arena.u8(base, bytes));
	const read = (from: number, count: number) => {
		bench.readLoop.readRange(base + from * stride, count * stride);
	};
	return { bytes, stride, base, query, items: Math.floor(workingSet(bench, place) / stride), read };
}

function single(bench: Workbench, metric: Metric, dimensions: number, place: Place): OpenCase {
	const { bytes, stride, base, query, items, read } = rowsOf(bench, metric, dimensions, place);
	const { kernels } = bench;
	const code = METRIC_CODES[metric];
	return {
		items,
		bytesPerItem: bytes,
		run(from, count) {
			const end = base + (from + count) * stride;
			for (let row = base + from * stride; row < end; row += stride) kernels.distance(code, query, row, bytes);
		},
		read,
	};
}

function many(bench: Workbench, metric: Metric, dimensions: number, place: Place): OpenCase {
	const { bytes, stride, base, query, items } = rowsOf(bench, metric, dimensions, place);
	const { kernels, readLoop } = bench;
	const code = METRIC_CODES[metric];
	const order = new RowOrder(bench, place, items);
	const out = bench.alloc(4 * CHUNK_ROWS);
	return {
		items,
		mostItems: MOST_IDS,
		bytesPerItem: bytes + 4,
		before: (from, count) => order.write(from, count),
		run(_, count) {
			for (let i = 0; i < count; i += CHUNK_ROWS) {
				const n = Math.min(CHUNK_ROWS, count - i);
				kernels.distanceMany(code, query, base, stride, bytes, order.ids + 4 * i, n, out);
			}
		},
		read(_, count) {
			readLoop.readRows(base, stride, bytes, order.ids, count);
		},
	};
}

function block(bench: Workbench, metric: Metric, dimensions: number, place: Place): OpenCase {
	const { bytes, stride, base, query, items, read } = rowsOf(bench, metric, dimensions, place);
	const { kernels } = bench;
	const code = METRIC_CODES[metric];
	const out = bench.alloc(4 * CHUNK_ROWS);
	return {
		items,
		bytesPerItem: bytes,
		run(from, count) {
			for (let i = 0; i < count; i += CHUNK_ROWS) {
				const n = Math.min(CHUNK_ROWS, count - i);
				kernels.distanceBlock(code, query, base + (from + i) * stride, stride, bytes, n, out);
			}
		},
		read,
	};
}

function tiles(bench: Workbench, metric: Metric, dimensions: number, place: Place): OpenCase {
	const { bytes, stride, base, items, read } = rowsOf(bench, metric, dimensions, place);
	const { kernels } = bench;
	const code = METRIC_CODES[metric];
	const m = TILE_QUERIES;
	const queries = bench.alloc(m * stride);
	bench.arena.u8(queries, m * stride).set(bench.arena.u8(base, m * stride));
	const outStride = 4 * CHUNK_ROWS;
	const out = bench.alloc(m * outStride);
	return {
		items,
		bytesPerItem: bytes,
		unitsPerItem: m,
		run(from, count) {
			for (let i = 0; i < count; i += CHUNK_ROWS) {
				const n = Math.min(CHUNK_ROWS, count - i);
				const first = base + (from + i) * stride;
				kernels.distanceTiles(code, queries, stride, m, first, stride, bytes, n, out, outStride);
			}
		},
		read,
	};
}

const FORMS = [
	{ kernel: "distance", open: single, unit: "row", places: ["cache", "memory"] },
	{ kernel: "distanceMany", open: many, unit: "row", places: ["cache", "memory", "random"] },
	{ kernel: "distanceBlock", open: block, unit: "row", places: ["cache", "memory"] },
	{ kernel: "distanceTiles", open: tiles, unit: "key", places: ["cache", "memory"] },
] as const;

export const FLOAT_CASES: readonly KernelCase[] = FORMS.flatMap(({ kernel, open, unit, places }) =>
	METRICS.map((metric) => ({
		kernel,
		variant: metric,
		unit,
		content: metric === "hamming" ? ("bits" as const) : ("floats" as const),
		places,
		open: (bench, dimensions, place) => open(bench, metric, dimensions, place),
	})),
);
