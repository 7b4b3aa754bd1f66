// What is done to one float row at a time: preparing and encoding. What is written goes to the row itself, or to one place that stays
// in the cache.
import { rowBytes } from "@nigh/kernels";
import { type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import { CODE_ORIGIN, CODE_TAIL, CODE_UNIT, rotatedDimensions, rowShape, type Workbench } from "./workbench.ts";

type RowKernel =
	| "sumOfSquares"
	| "scaleRow"
	| "normalizeRow"
	| "encodeRow"
	| "encodeSigned"
	| "encodePlanes"
	| "residual"
	| "rotateRow";

/** What packages/index/src/rabitq/rotation.ts takes. */
const ROTATION_PASSES = 4;

type Loop = (start: number, end: number) => void;

/**
 * A loop of its own for every kernel: one loop for all would call through a variable, and what that costs is as much as a short row.
 */
function loopOf(kernel: RowKernel, bench: Workbench, dimensions: number): Loop {
	const { kernels } = bench;
	const { bytes } = rowShape("floats", dimensions);
	const codeBytes = rowBytes(dimensions);
	const ones = bench.putConstant(dimensions, 1);
	const origin = bench.putConstant(dimensions, CODE_ORIGIN);
	const code = bench.alloc(codeBytes + CODE_TAIL);
	const low = bench.alloc(codeBytes);
	const left = bench.alloc(16);
	const inverse = Math.fround(1 / CODE_UNIT);
	const D = rotatedDimensions(dimensions);
	const rotated = bench.alloc(4 * D);
	const factors = bench.putConstant(ROTATION_PASSES * D, 1 / Math.sqrt(D));
	switch (kernel) {
		case "sumOfSquares":
			return (start, end) => {
				for (let row = start; row < end; row += bytes) kernels.sumOfSquares(row, bytes);
			};
		case "scaleRow":
			return (start, end) => {
				for (let row = start; row < end; row += bytes) kernels.scaleRow(row, ones, bytes);
			};
		case "normalizeRow":
			return (start, end) => {
				for (let row = start; row < end; row += bytes) kernels.normalizeRow(row, bytes);
			};
		case "encodeRow":
			return (start, end) => {
				for (let row = start; row < end; row += bytes) kernels.encodeRow(row, origin, inverse, bytes, code, codeBytes);
			};
		case "encodeSigned":
			return (start, end) => {
				for (let row = start; row < end; row += bytes) kernels.encodeSigned(row, bytes, code, codeBytes);
			};
		case "encodePlanes":
			return (start, end) => {
				for (let row = start; row < end; row += bytes) {
					kernels.encodePlanes(row, origin, CODE_UNIT, bytes, code, low, codeBytes, left);
				}
			};
		case "rotateRow":
			return (start, end) => {
				for (let row = start; row < end; row += bytes) {
					kernels.rotateRow(row, origin, bytes, factors, ROTATION_PASSES, D, rotated);
				}
			};
		case "residual":
			return (start, end) => {
				for (let row = start; row < end; row += bytes) kernels.residual(row, origin, CODE_UNIT, bytes, code);
			};
	}
}

function open(kernel: RowKernel, bench: Workbench, dimensions: number, place: Place): OpenCase {
	const { bytes } = rowShape("floats", dimensions);
	const { region: base, readLoop } = bench;
	const loop = loopOf(kernel, bench, dimensions);
	return {
		items: Math.floor(workingSet(bench, place) / bytes),
		bytesPerItem: bytes,
		run(from, count) {
			loop(base + from * bytes, base + (from + count) * bytes);
		},
		read(from, count) {
			readLoop.readRange(base + from * bytes, count * bytes);
		},
	};
}

// normalizeRow last: it leaves rows of length 1 where the others had any.
const KERNELS: readonly RowKernel[] = [
	"encodeRow",
	"encodeSigned",
	"encodePlanes",
	"residual",
	"rotateRow",
	"sumOfSquares",
	"scaleRow",
	"normalizeRow",
];

export const ROW_CASES: readonly KernelCase[] = KERNELS.map((kernel) => ({
	kernel,
	variant: "",
	unit: "row",
	content: "floats",
	places: ["cache", "memory"],
	open: (bench, dimensions, place) => open(kernel, bench, dimensions, place),
}));
