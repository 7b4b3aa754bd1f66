// The keys of 7-bit code rows.
import { CODE_FORMS } from "@nigh/kernels";
import { CHUNK_ROWS, TILE_QUERIES } from "./float-cases.ts";
import { type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import { MOST_IDS, RowOrder } from "./row-order.ts";
import { CODE_TAIL, rowShape, type Workbench } from "./workbench.ts";

type Form = keyof typeof CODE_FORMS;

const FORMS: readonly Form[] = ["l2", "dot"];

/** The code rows of the region. The l2 form reads the norm behind the codes, the dot form does not. */
function rowsOf(bench: Workbench, form: Form, dimensions: number, place: Place) {
	const { bytes, stride } = rowShape("codes", dimensions);
	const base = bench.region;
	const query = bench.alloc(stride);
	bench.arena.u8(query, stride).set(bench.arena.u8(base, stride));
	const queryNorm = bench.arena.i32(query + bytes, 1)[0] as number;
	return {
		bytes,
		stride,
		base,
		query,
		queryNorm,
		items: Math.floor(workingSet(bench, place) / stride),
		bytesPerItem: form === "l2" ? bytes + 4 : bytes,
		readBytesPerItem: stride,
		read(from: number, count: number) {
			bench.readLoop.readRange(base + from * stride, count * stride);
		},
	};
}

function dot(bench: Workbench, dimensions: number, place: Place): OpenCase {
	const { bytes, stride, base, query, items, bytesPerItem, readBytesPerItem, read } = rowsOf(
		bench,
		"dot",
		dimensions,
		place,
	);
	const { kernels } = bench;
	return {
		items,
		bytesPerItem,
		readBytesPerItem,
		run(from, count) {
			const end = base + (from + count) * stride;
			for (let row = base + from * stride; row < end; row += stride) kernels.codeDot(query, row, bytes);
		},
		read,
	};
}

function l2(bench: Workbench, dimensions: number, place: Place): OpenCase {
	const { bytes, stride, base, query, items, bytesPerItem, readBytesPerItem, read } = rowsOf(
		bench,
		"l2",
		dimensions,
		place,
	);
	const { kernels } = bench;
	return {
		items,
		bytesPerItem,
		readBytesPerItem,
		run(from, count) {
			const end = base + (from + count) * stride;
			for (let row = base + from * stride; row < end; row += stride) kernels.codeL2(query, row, bytes);
		},
		read,
	};
}

function many(bench: Workbench, form: Form, dimensions: number, place: Place): OpenCase {
	const rows = rowsOf(bench, form, dimensions, place);
	const { bytes, stride, base, query, queryNorm, items } = rows;
	const { kernels, readLoop } = bench;
	const code = CODE_FORMS[form];
	const order = new RowOrder(bench, place, items);
	const out = bench.alloc(4 * CHUNK_ROWS);
	return {
		items,
		mostItems: MOST_IDS,
		bytesPerItem: rows.bytesPerItem + 4,
		before: (from, count) => order.write(from, count),
		run(_, count) {
			for (let i = 0; i < count; i += CHUNK_ROWS) {
				const n = Math.min(CHUNK_ROWS, count - i);
				kernels.codeKeysMany(code, query, queryNorm, base, stride, bytes, order.ids + 4 * i, n, out);
			}
		},
		read(_, count) {
			readLoop.readRows(base, stride, form === "l2" ? bytes + CODE_TAIL : bytes, order.ids, count);
		},
	};
}

function block(bench: Workbench, form: Form, dimensions: number, place: Place): OpenCase {
	const { bytes, stride, base, query, queryNorm, items, bytesPerItem, readBytesPerItem, read } = rowsOf(
		bench,
		form,
		dimensions,
		place,
	);
	const { kernels } = bench;
	const code = CODE_FORMS[form];
	const out = bench.alloc(4 * CHUNK_ROWS);
	return {
		items,
		bytesPerItem,
		readBytesPerItem,
		run(from, count) {
			for (let i = 0; i < count; i += CHUNK_ROWS) {
				const n = Math.min(CHUNK_ROWS, count - i);
				kernels.codeKeysBlock(code, query, queryNorm, base + (from + i) * stride, stride, bytes, n, out);
			}
		},
		read,
	};
}

function tiles(bench: Workbench, form: Form, dimensions: number, place: Place): OpenCase {
	const { bytes, stride, base, items, bytesPerItem, readBytesPerItem, read } = rowsOf(bench, form, dimensions, place);
	const { kernels } = bench;
	const code = CODE_FORMS[form];
	const m = TILE_QUERIES;
	const queries = bench.alloc(m * stride);
	bench.arena.u8(queries, m * stride).set(bench.arena.u8(base, m * stride));
	const outStride = 4 * CHUNK_ROWS;
	const out = bench.alloc(m * outStride);
	return {
		items,
		bytesPerItem,
		readBytesPerItem,
		unitsPerItem: m,
		run(from, count) {
			for (let i = 0; i < count; i += CHUNK_ROWS) {
				const n = Math.min(CHUNK_ROWS, count - i);
				const first = base + (from + i) * stride;
				kernels.codeKeysTiles(code, queries, stride, m, first, stride, bytes, n, out, outStride);
			}
		},
		read,
	};
}

const BLOCKS = [
	{ kernel: "codeKeysMany", open: many, unit: "row", places: ["cache", "memory", "random"] },
	{ kernel: "codeKeysBlock", open: block, unit: "row", places: ["cache", "memory"] },
	{ kernel: "codeKeysTiles", open: tiles, unit: "key", places: ["cache", "memory"] },
] as const;

export const CODE_CASES: readonly KernelCase[] = [
	{ kernel: "codeDot", variant: "", unit: "row", content: "codes", places: ["cache", "memory"], open: dot },
	{ kernel: "codeL2", variant: "", unit: "row", content: "codes", places: ["cache", "memory"], open: l2 },
	...BLOCKS.flatMap(({ kernel, open, unit, places }) =>
		FORMS.map(
			(form): KernelCase => ({
				kernel,
				variant: form,
				unit,
				content: "codes",
				places,
				open: (bench, dimensions, place) => open(bench, form, dimensions, place),
			}),
		),
	),
];
