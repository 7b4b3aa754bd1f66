// The RaBitQ scan of a cell: the first bits alone (no row passes the threshold), and with the other bits of every row; what preparing a
// query costs, and going on to one more cell.
import { METRIC_CODES, RABITQ_BLOCK, RABITQ_CANDIDATE, RABITQ_QUERY, rowBytes } from "@nigh/kernels";
import { type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import { RABITQ_BITS, rotatedDimensions, rowShape, type Workbench } from "./workbench.ts";

/** Rows of a cell: as many as one call scans. A multiple of those of a block. */
const CELL_ROWS = 512;

const EPSILON = 1.9;

/** The query struct as packages/index/src/rabitq/query.ts fills it. */
function putQuery(bench: Workbench, dimensions: number, bits: number): number {
	const { arena, kernels } = bench;
	const D = rotatedDimensions(dimensions);
	const struct = bench.alloc(RABITQ_QUERY.bytes);
	// The rotated query stands for the row as well: only its length matters.
	const row = bench.putQuery(D, 13);
	const head = [D, bits, METRIC_CODES.l2, row, rowBytes(4 * dimensions), row, bench.alloc(4 * D), bench.alloc(2 * D)];
	arena.u32(struct, head.length).set(head);
	arena.f32(struct + RABITQ_QUERY.epsilon, 1)[0] = EPSILON;
	kernels.rabitqPrepare(struct);
	kernels.rabitqProbe(struct, bench.putConstant(D, 0));
	return struct;
}

function scan(bench: Workbench, content: keyof typeof RABITQ_BITS, dimensions: number, place: Place): OpenCase {
	const bits = RABITQ_BITS[content];
	const { bytes } = rowShape(content, dimensions);
	const { arena, kernels, readLoop, region: base } = bench;
	const struct = putQuery(bench, dimensions, bits);
	const places = bench.alloc(4 * CELL_ROWS);
	arena.u32(places, CELL_ROWS).forEach((_, i, all) => {
		all[i] = i;
	});
	const out = bench.alloc(RABITQ_CANDIDATE.bytes * CELL_ROWS);
	const threshold = bits === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
	const stride = RABITQ_BLOCK.rows * bytes;
	return {
		items: Math.floor(workingSet(bench, place) / stride) * RABITQ_BLOCK.rows,
		bytesPerItem: bytes,
		run(from, count) {
			const first = base + Math.floor(from / RABITQ_BLOCK.rows) * stride;
			for (let i = 0; i < count; i += CELL_ROWS) {
				const n = Math.min(CELL_ROWS, count - i);
				kernels.rabitqScan(struct, first + i * bytes, stride, places, n, threshold, out);
			}
		},
		read(from, count) {
			readLoop.readRange(base + from * bytes, count * bytes);
		},
	};
}

function prepare(bench: Workbench, dimensions: number, place: Place): OpenCase {
	const struct = putQuery(bench, dimensions, RABITQ_BITS.rabitq4);
	const words = bench.arena.u32(struct, RABITQ_QUERY.bytes / 4);
	// Rows stand for rotated queries, which are longer: the last ones would reach beyond the region.
	return overRows(bench, dimensions, place, 4 * rotatedDimensions(dimensions), (row) => {
		words[RABITQ_QUERY.rotated / 4] = row;
		bench.kernels.rabitqPrepare(struct);
	});
}

function probe(bench: Workbench, dimensions: number, place: Place): OpenCase {
	const struct = putQuery(bench, dimensions, RABITQ_BITS.rabitq1);
	return overRows(bench, dimensions, place, 0, (row) => bench.kernels.rabitqProbe(struct, row));
}

function encode(bench: Workbench, dimensions: number, place: Place): OpenCase {
	const D = rotatedDimensions(dimensions);
	const block = bench.alloc(RABITQ_BLOCK.rows * rowShape("rabitq4", dimensions).stride);
	const centroid = bench.putQuery(D, 14);
	return overRows(bench, dimensions, place, 4 * D, (row) =>
		bench.kernels.rabitqEncode(METRIC_CODES.l2, row, centroid, D, RABITQ_BITS.rabitq4, block, 0),
	);
}

/** Something that is done to float rows, `beyond` bytes of which may lie behind the last. */
function overRows(
	bench: Workbench,
	dimensions: number,
	place: Place,
	beyond: number,
	step: (row: number) => void,
): OpenCase {
	const { bytes } = rowShape("floats", dimensions);
	const { readLoop, region: base } = bench;
	return {
		items: Math.floor((workingSet(bench, place) - beyond) / bytes),
		bytesPerItem: bytes,
		run(from, count) {
			for (let row = base + from * bytes, end = row + count * bytes; row < end; row += bytes) step(row);
		},
		read(from, count) {
			readLoop.readRange(base + from * bytes, count * bytes);
		},
	};
}

const PLACES = ["cache", "memory"] as const;

const SCANS = [
	{ content: "rabitq1", variant: "1 bit" },
	{ content: "rabitq4", variant: "4 bits of every row" },
] as const;

export const RABITQ_CASES: readonly KernelCase[] = [
	{ kernel: "rabitqEncode", variant: "4 bits", unit: "row", content: "floats", places: PLACES, open: encode },
	{ kernel: "rabitqPrepare", variant: "", unit: "row", content: "floats", places: PLACES, open: prepare },
	{ kernel: "rabitqProbe", variant: "", unit: "row", content: "floats", places: PLACES, open: probe },
	...SCANS.map(
		({ content, variant }): KernelCase => ({
			kernel: "rabitqScan",
			variant,
			unit: "row",
			content,
			places: PLACES,
			open: (bench, dimensions, place) => scan(bench, content, dimensions, place),
		}),
	),
];
