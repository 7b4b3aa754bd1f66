import { existsSync } from "node:fs";
import { join } from "node:path";
// The cells of an index are reached behind its back: every way has to look into the very same ones.
import { createFile } from "../../packages/index/src/ivf/create-file.ts";
import { IvfIndex } from "../../packages/index/src/ivf/ivf.ts";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { compileVerticalKernels, startVerticalKernels } from "../pdx/kernels.ts";
import { byVariance, randomRotation } from "../pdx/transforms.ts";
import { layOutCells } from "../pdx/vertical-cells.ts";
import { Bench, type Way } from "../pdx/ways.ts";
import { recallOf } from "../run/recall.ts";
import { KNOWN_SETS } from "../sets/known.ts";
import { type BenchSet, loadSet, type SetOptions } from "../sets/load.ts";
import { type Check, K, madeSet, QUERIES, scaledCount, type Table, type TableOptions, tableOf } from "./table.ts";
import { eachRow } from "./time-searches.ts";

export interface PdxRow {
	readonly set: string;
	readonly nprobe: number;
	readonly way: string;
	readonly recall: number;
	/** Microseconds of a query: the mean over queries of the least of all passes. */
	readonly us: number;
	/** How many times as fast as by 7-bit codes. */
	readonly timesCodes: number;
	/** Share of the float elements of the probed rows that were looked at; by codes, beside these. */
	readonly elements: number;
}

const TARGETS = [0.9, 0.95, 0.99];
const PASSES = 7;
const SEED = 5;
const ROWS = "rows";
const CODES = "sq7";
const SAMPLING = "ADSampling";

/** Vectors of the known sets, for scaling. */
const KNOWN = { "fashion-mnist-784": 60_000, "squad-sif-300d": 20_963 } as const;

/** Cells scanned by rows, by 7-bit codes, and dimension-major with early abandoning: the same cells, the same probes. */
export async function pdx(options: TableOptions): Promise<Table<PdxRow>> {
	const rows: PdxRow[] = [];
	const checks: Check[] = [];
	const kernels = await compileVerticalKernels();
	const { sets, missing } = setsOf(options);
	for (const set of sets) {
		const onStep = (text: string) => options.onStep(`pdx: ${set.set}, ${text}`);
		onStep("making the set");
		const measured = await measureSet(onUnitSphere(await loadSet(set)), kernels, onStep);
		rows.push(...measured.rows);
		checks.push(...measured.checks);
	}
	return tableOf({
		name: "pdx",
		title: "Cells stored dimension-major",
		about: [
			`Kind ivf, l2 (cosine sets at length 1), cells by the rule adaptive, k ${K}, ${grouped(QUERIES)} queries one at a time, one thread. Every way looks into the same cells, as many as codes need for a recall of ${TARGETS.join(", ")}. "${ROWS}": all rows by their vectors; "${CODES}": by 7-bit codes and bounds first, with the same answers. The others keep cells dimension-major in blocks of 64 rows and give a row up by a part of its distance: ADSampling after a random rotation, with its epsilon; "plain" only where the part alone is too much, dimensions in the order of falling variance. ": sq7" is how many times as fast as by codes; recall is that of all ways but ADSampling, which has its own. Microseconds are means of the least of ${PASSES} passes in turns, a query at a time.`,
			...missing.map((name) => `${name} is left out: the data folder does not have it.`),
		],
		rows,
		cells: cellsOf(rows),
		checks,
	});
}

function setsOf(options: TableOptions): { readonly sets: SetOptions[]; readonly missing: string[] } {
	const { scale, data } = options;
	const sets: SetOptions[] = [];
	const missing: string[] = [];
	for (const [set, all] of Object.entries(KNOWN)) {
		const n = scale === 1 ? undefined : scaledCount(all, scale);
		const shape = { n, dimensions: 0, metric: undefined, queries: QUERIES, seed: 1, k: K };
		if (existsSync(join(data, set, KNOWN_SETS[set]?.base ?? ""))) sets.push({ set, data, ...shape });
		else missing.push(set);
	}
	for (const [n, dimensions] of [
		[100_000, 128],
		[50_000, 768],
	] as const) {
		sets.push(madeSet("generated", { n, dimensions, metric: "l2" }, options));
	}
	return { sets, missing };
}

/** Rows of a cosine set at length 1, where l2 has the same neighbours. */
function onUnitSphere(set: BenchSet): BenchSet {
	if (set.metric !== "cosine") return set;
	for (const rows of [set.base, set.queries]) {
		for (const row of eachRow(rows, set.dimensions)) {
			const length = Math.hypot(...row) || 1;
			for (let d = 0; d < row.length; d++) row[d] = (row[d] as number) / length;
		}
	}
	return set;
}

async function measureSet(set: BenchSet, module: WebAssembly.Module, onStep: (text: string) => void) {
	const { dimensions, base } = set;
	const file = createFile({ kind: "ivf", metric: "l2", dimensions, codes: "sq7", seed: SEED });
	const index = new IvfIndex(file);
	const { arena } = file;
	onStep("training");
	await index.train(base);
	await index.insertMany(base);
	index.compact();
	const bench = new Bench(file, startVerticalKernels(module, arena), K);
	onStep("laying out cells");
	const rotated = layOutCells(file, randomRotation(arena, dimensions, file.rows.bytes, SEED));
	const sorted = layOutCells(file, byVariance(file));
	// The two that share their cells stand apart, so that neither finds them in the caches.
	const ways = [
		bench.rowMajor(ROWS, "none"),
		bench.vertical(`${SAMPLING} 1.5`, rotated, 1.5),
		bench.rowMajor(CODES, "sq7"),
		bench.vertical("plain", sorted, undefined),
		bench.vertical(`${SAMPLING} 2.1`, rotated, 2.1),
	];
	const asked = eachRow(set.queries, dimensions);
	const answersOf = (way: Way, nprobe: number) => {
		const labels = new Int32Array(asked.length * K).fill(-1);
		asked.forEach((query, at) => {
			const found = way.search(query, nprobe);
			const pairs = arena.u32(bench.answer, 2 * found);
			for (let i = 0; i < found; i++) labels[at * K + i] = pairs[2 * i + 1] as number;
		});
		return labels;
	};
	const codes = ways.find(({ name }) => name === CODES) as Way;
	const recallAt = (nprobe: number) => recallOf(set, answersOf(codes, nprobe), K);
	const rows: PdxRow[] = [];
	let [asRows, asMany] = [true, true];
	// Two targets may need the same number of cells.
	for (const nprobe of new Set(TARGETS.map((target) => leastReaching(bench.nlist, (n) => recallAt(n) >= target)))) {
		onStep(`nprobe ${nprobe}`);
		const answers = ways.map((way) => answersOf(way, nprobe));
		const us = timeWays(ways, asked, nprobe);
		const ofCodes = us[ways.indexOf(codes)] as number;
		const measured = ways.map(
			(way, at): PdxRow => ({
				set: set.name,
				nprobe,
				way: way.name,
				recall: recallOf(set, answers[at] as Int32Array, K),
				us: us[at] as number,
				timesCodes: ofCodes / (us[at] as number),
				elements: meanElements(way, asked, nprobe),
			}),
		);
		rows.push(...measured);
		asRows &&= (answers[ways.indexOf(codes)] as Int32Array).every((label, i) => label === answers[0]?.[i]);
		const least = recallAt(nprobe) - ROUNDING;
		asMany &&= measured.every((row) => loses(row) || row.recall >= least);
	}
	const checks: Check[] = [
		{ promise: `${set.name}: codes answer what rows answer`, holds: asRows },
		{ promise: `${set.name}: plain abandoning finds what rows find, up to rounding`, holds: asMany },
	];
	for (const cells of [rotated, sorted]) {
		cells.transform.dispose();
		cells.dispose();
	}
	bench.dispose();
	index.dispose();
	return { rows, checks };
}

/** Rows at nearly the same distance may change places where sums are rounded otherwise. */
const ROUNDING = 0.001;

/** The least number from 1 to `most` that reaches what all larger ones reach. */
export function leastReaching(most: number, reaches: (n: number) => boolean): number {
	let [low, high] = [1, most];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (reaches(middle)) high = middle;
		else low = middle + 1;
	}
	return low;
}

/** Microseconds of a query by each way: all queries by one way, then by the next, so that each finds the caches as its own work leaves them. */
function timeWays(ways: readonly Way[], queries: readonly Float32Array[], nprobe: number): number[] {
	const least = ways.map(() => new Float64Array(queries.length).fill(Number.POSITIVE_INFINITY));
	for (let pass = 0; pass < PASSES; pass++) {
		for (let turn = 0; turn < ways.length; turn++) {
			const at = (turn + pass) % ways.length;
			const way = ways[at] as Way;
			const times = least[at] as Float64Array;
			queries.forEach((query, i) => {
				const start = performance.now();
				way.search(query, nprobe);
				times[i] = Math.min(times[i] as number, performance.now() - start);
			});
		}
	}
	return least.map((times) => (1_000 * times.reduce((sum, time) => sum + time, 0)) / queries.length);
}

function meanElements(way: Way, queries: readonly Float32Array[], nprobe: number): number {
	let sum = 0;
	for (const query of queries) {
		way.search(query, nprobe);
		sum += way.elements();
	}
	return sum / queries.length;
}

/** A line for each number of probed cells: times by codes in microseconds, the others beside them. */
function cellsOf(rows: readonly PdxRow[]) {
	const right = (title: string) => ({ title, align: "right" as const });
	const others = rows.filter(({ set, nprobe, way }) => way !== CODES && isSame(rows[0], { set, nprobe }));
	const lines = rows.filter(({ way }) => way === CODES);
	const figures = (row: PdxRow) => [row.timesCodes.toFixed(2), ...(loses(row) ? [row.recall.toFixed(4)] : [])];
	return {
		columns: [
			{ title: "set", align: "left" as const },
			...["nprobe", "recall", "sq7 us"].map(right),
			...others.flatMap((row) => [right(`${row.way} : sq7`), ...(loses(row) ? [right("recall")] : [])]),
		],
		rows: lines.map((line) => [
			line.set,
			String(line.nprobe),
			line.recall.toFixed(4),
			line.us.toFixed(0),
			...rows.filter((row) => row.way !== CODES && isSame(line, row)).flatMap(figures),
		]),
	};
}

/** Whether a way may find less than is in the cells. */
function loses({ way }: PdxRow): boolean {
	return way.startsWith(SAMPLING);
}

function isSame(a: Pick<PdxRow, "set" | "nprobe"> | undefined, b: Pick<PdxRow, "set" | "nprobe">): boolean {
	return a?.set === b.set && a.nprobe === b.nprobe;
}
