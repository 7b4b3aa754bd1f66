import { areCollapsed } from "../kmeans/report.ts";
import type { Neighbor } from "../vector-index.ts";
import { distinctCentroids } from "./analyze.ts";
import type { InvertedFile } from "./inverted-file.ts";

/** What {@link IvfIndex.validate} has found. */
export interface Validation {
	/** Vectors that were looked up, and how many of them came first at a distance of (nearly) 0. */
	readonly probes: number;
	readonly found: number;
	/** found / probes; 1 where there was nothing to look up. */
	readonly accuracy: number;
	/** Cells with different centroids, cells that hold vectors, and all. */
	readonly distinctCentroids: number;
	readonly nonEmptyCells: number;
	readonly nlist: number;
	/** Whether so few cells are left that they tell nothing apart: looking vectors up does not show that, it is only slow. */
	readonly collapsed: boolean;
	/** accuracy of at least 0.9 and not collapsed. */
	readonly passed: boolean;
}

/** Vectors as they are stored, n x dimensions floats, and the label of each. */
export interface StoredRows {
	readonly labels: Uint32Array;
	readonly rows: Float32Array;
}

/** As far from itself as a vector may be found, as a share of its length (and so much where it is shorter than 1). */
const NEAR = 1e-6;
const LEAST_ACCURACY = 0.9;

export function validateIvf(
	file: InvertedFile,
	probes: number,
	search: (vector: Float32Array) => readonly Neighbor[],
): Validation {
	const { rows } = file;
	const labels = file.table.labels().sort();
	const count = Math.min(probes, labels.length);
	let found = 0;
	for (let i = 0; i < count; i++) {
		const label = labels[Math.floor((i * labels.length) / count)] as number;
		const vector = rows.read(file.vectorOf(file.table.get(label) as number)) as Float32Array;
		if (isFound(file, label, search(unweighted(file, vector)))) found++;
	}
	return validationOf(file, count, found);
}

/** Of so many vectors that were looked up and found, and of cells as they are. */
export function validationOf(file: InvertedFile, probes: number, found: number): Validation {
	const { nlist } = file;
	let nonEmptyCells = 0;
	for (let cell = 0; cell < nlist; cell++) {
		if (file.cells.liveIn(cell) > 0) nonEmptyCells++;
	}
	const distinct = distinctCentroids(file);
	const collapsed = areCollapsed(nlist, file.size, distinct, nonEmptyCells);
	const accuracy = probes === 0 ? 1 : found / probes;
	return {
		probes,
		found,
		accuracy,
		distinctCentroids: distinct,
		nonEmptyCells,
		nlist,
		collapsed,
		passed: accuracy >= LEAST_ACCURACY && !collapsed,
	};
}

/** Rows are stored scaled; a query is scaled again. */
export function unweighted({ rows, arena }: InvertedFile, vector: Float32Array): Float32Array {
	if (rows.factors === 0) return vector;
	const factors = arena.f32(rows.factors, vector.length);
	return vector.map((x, i) => ((factors[i] as number) === 0 ? 0 : x / (factors[i] as number)));
}

/** First, or no nearer than the first: another vector may be the same. */
function isFound(file: InvertedFile, label: number, hits: readonly Neighbor[]): boolean {
	const [first] = hits;
	if (first === undefined) return false;
	if (first.label === label) return true;
	const { rows, arena } = file;
	const own = file.vectorOf(file.table.get(label) as number);
	const other = file.vectorOf(file.table.get(first.label) as number);
	const distance = (row: number) => rows.distanceOf(arena.kernels.distance(rows.metricCode, own, row, rows.bytes));
	// A dot product with a longer vector may be larger, and all are equally far from the zero vector by their angle.
	return distance(other) <= distance(own) + nearness(file, own);
}

/** As much farther from the row at an address than itself as what is found may be. */
export function nearness({ rows, arena }: InvertedFile, row: number): number {
	const length = Math.sqrt(arena.kernels.sumOfSquares(row, rows.bytes));
	return NEAR * Math.max(1, rows.metric === "ip" ? length * length : length);
}
