// The exact-by-bounds scan, with the pool of k = 10 started afresh for every pass over the working set.
import { BOUND_QUERY, CODE_FORMS, rowBytes } from "@nigh/kernels";
import { CHUNK_ROWS } from "./float-cases.ts";
import { type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import { CODE_ORIGIN, CODE_UNIT, rowShape, type Workbench } from "./workbench.ts";

type Form = keyof typeof CODE_FORMS;

const K = 10;

/**
 * The query struct as packages/index/src/flat/bounds.ts fills it, but for the allowances for rounding, which are far below the
 * residuals and change no timing.
 */
function putQuery(bench: Workbench, form: Form, dimensions: number): number {
	const { arena, kernels } = bench;
	const { bytes } = rowShape("codes", dimensions);
	const floatBytes = rowBytes(4 * dimensions);
	const query = bench.putQuery(dimensions, 11);
	const high = bench.alloc(bytes);
	const low = bench.alloc(bytes);
	const struct = bench.alloc(BOUND_QUERY.bytes);
	const words = arena.u32(struct, BOUND_QUERY.bytes / 4);
	words[BOUND_QUERY.high / 4] = high;
	words[BOUND_QUERY.low / 4] = low;
	words[BOUND_QUERY.form / 4] = CODE_FORMS[form];
	words[BOUND_QUERY.k / 4] = K;
	words[BOUND_QUERY.pool / 4] = bench.alloc(8 * K);
	words[BOUND_QUERY.keptRows / 4] = bench.alloc(4 * CHUNK_ROWS);
	words[BOUND_QUERY.keptBounds / 4] = bench.alloc(4 * CHUNK_ROWS);
	const floats = arena.f32(query, dimensions);
	const unit = form === "l2" ? CODE_UNIT : floats.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 127;
	const origin = bench.putConstant(dimensions, form === "l2" ? CODE_ORIGIN : 0);
	const left = bench.alloc(16);
	kernels.encodePlanes(query, origin, unit, floatBytes, high, low, bytes, left);
	const [error, norm] = arena.f64(left, 2) as unknown as [number, number];
	const doubles = arena.f64(struct, BOUND_QUERY.bytes / 8);
	if (form === "l2") {
		doubles[BOUND_QUERY.constant / 8] = norm;
		doubles[BOUND_QUERY.factor / 8] = CODE_UNIT ** 2;
		doubles[BOUND_QUERY.slack / 8] = error;
		doubles[BOUND_QUERY.perResidual / 8] = 1;
	} else {
		doubles[BOUND_QUERY.constant / 8] = -floats.reduce((sum, x) => sum + x * CODE_ORIGIN, 0);
		doubles[BOUND_QUERY.factor / 8] = (-CODE_UNIT * unit) / 128;
		doubles[BOUND_QUERY.slack / 8] = error * CODE_UNIT * 127 * Math.sqrt(dimensions);
		doubles[BOUND_QUERY.perResidual / 8] = Math.sqrt(kernels.sumOfSquares(query, floatBytes));
	}
	return struct;
}

function open(bench: Workbench, form: Form, dimensions: number, place: Place): OpenCase {
	const { bytes, stride } = rowShape("codes", dimensions);
	const { arena, kernels, readLoop, region: base } = bench;
	const struct = putQuery(bench, form, dimensions);
	const labels = bench.alloc(4 * CHUNK_ROWS);
	arena.u32(labels, CHUNK_ROWS).forEach((_, i, all) => {
		all[i] = i;
	});
	const words = arena.i32(struct, BOUND_QUERY.bytes / 4);
	return {
		items: Math.floor(workingSet(bench, place) / stride),
		// The residual is what both forms read behind the codes, the norm only the l2 form.
		bytesPerItem: bytes + (form === "l2" ? 8 : 4),
		readBytesPerItem: stride,
		run(from, count) {
			words[BOUND_QUERY.poolSize / 4] = 0;
			for (let i = 0; i < count; i += CHUNK_ROWS) {
				words[BOUND_QUERY.kept / 4] = 0;
				const n = Math.min(CHUNK_ROWS, count - i);
				kernels.boundScan(struct, base + (from + i) * stride, stride, bytes, from + i, n, labels, 0);
			}
		},
		read(from, count) {
			readLoop.readRange(base + from * stride, count * stride);
		},
	};
}

export const BOUND_CASES: readonly KernelCase[] = (["l2", "dot"] as const).map((form) => ({
	kernel: "boundScan",
	variant: form,
	unit: "row",
	content: "codes",
	places: ["cache", "memory"],
	open: (bench, dimensions, place) => open(bench, form, dimensions, place),
}));
