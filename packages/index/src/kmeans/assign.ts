import { checkOptions, NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import { type Parallel, serial } from "../parallel.ts";
import { Borrowed } from "./borrowed.ts";
import type { CentroidPanels } from "./panels.ts";
import { checkPoints, type PointRows } from "./points.ts";

/** Where answers go: a label (u32) and a key (f32) a point. */
export interface Assigned {
	/** The number of the nearest centroid; of equally near ones the lowest. */
	readonly labels: number;
	/** The squared distance to it less that of the point to the centroids' mean, up to float32 rounding; see {@link CentroidPanels}. */
	readonly keys: number;
}

/** What lanes need to assign points. */
export interface AssignLanes {
	readonly parallel: Parallel;
	/** As many bytes for each lane as the panels say. */
	readonly scratch: number;
	readonly cursor: number;
}

/** Rows to assign: `ids` is the address of `n` row numbers (u32), or 0 for the first `n` rows. */
export interface RowChoice {
	readonly address: number;
	readonly stride: number;
	readonly ids: number;
	readonly n: number;
}

export interface AssignOptions {
	/** Threads; the arena must be shared where there are several. */
	readonly parallel?: Parallel;
	/** Address of the numbers (u32) of the rows to assign. Default: all rows, in order. */
	readonly ids?: number;
	/** How many numbers `ids` has. */
	readonly count?: number;
}

/** Runs the assignment; all memory is the caller's. */
export async function runAssign(
	arena: Arena,
	panels: CentroidPanels,
	{ address, stride, ids, n }: RowChoice,
	{ labels, keys }: Assigned,
	{ parallel, scratch, cursor }: AssignLanes,
): Promise<void> {
	arena.u32(cursor, 1)[0] = 0;
	const args = Array.from({ length: parallel.lanes }, (_, lane) => [
		...[address, stride, panels.bytes, ids, panels.address, panels.codes, panels.k],
		...[scratch + lane * panels.scratchBytes, labels, keys, n, cursor],
	]);
	await parallel.run(arena, "assignRange", args);
}

/**
 * Finds the nearest centroid of every point. Labels and keys lie in the order of the points (or of `ids`) and are the caller's to free.
 * The result does not depend on the number of threads.
 *
 * @throws NighError `INVALID_OPTION`, `DIMENSION_MISMATCH`, `MEMORY_LIMIT`
 */
export async function assignPoints(
	arena: Arena,
	panels: CentroidPanels,
	points: PointRows,
	options: AssignOptions = {},
): Promise<Assigned> {
	checkOptions(options, ["parallel", "ids", "count"], "assignPoints");
	checkPoints(points);
	checkDimensions(panels, points);
	const { parallel = serial, ids = 0 } = options;
	const n = countOf(points, options);
	const borrowed = new Borrowed(arena, `the cells of ${n} points`);
	try {
		const labels = borrowed.take(4 * n);
		const keys = borrowed.take(4 * n);
		const scratch = borrowed.take(parallel.lanes * panels.scratchBytes);
		const cursor = borrowed.take(4);
		const { address, stride } = points;
		await runAssign(
			arena,
			panels,
			{ address, stride, ids, n },
			{ labels, keys },
			{
				parallel,
				scratch,
				cursor,
			},
		);
		return { labels: borrowed.keep(labels), keys: borrowed.keep(keys) };
	} finally {
		borrowed.release();
	}
}

function checkDimensions(panels: CentroidPanels, points: PointRows): void {
	if (panels.dimensions === points.dimensions) return;
	throw new NighError(
		"DIMENSION_MISMATCH",
		`the points have ${points.dimensions} dimensions, the centroids ${panels.dimensions}`,
		{ expected: panels.dimensions, actual: points.dimensions },
	);
}

function countOf(points: PointRows, { ids, count }: AssignOptions): number {
	if ((ids === undefined) !== (count === undefined)) {
		const field = ids === undefined ? "ids" : "count";
		throw new NighError("INVALID_OPTION", `ids and count belong together: ${field} is missing`, { field });
	}
	if (count === undefined) return points.n;
	if (Number.isInteger(count) && count >= 1 && count <= 0x7fffffff) return count;
	throw new NighError("INVALID_OPTION", `count is ${count}; it must be a whole number of at least 1`, {
		field: "count",
		value: count,
	});
}
