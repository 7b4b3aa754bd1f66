import type { HnswIndex } from "@nigh/index";
import { percentile } from "../../packages/nigh/src/eval/measure.ts";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { NIGH } from "../report/report.ts";
import { lessIsBetter, recallText } from "../report/rounding.ts";
import { recallOf } from "../run/recall.ts";
import { loadSet } from "../sets/load.ts";
import { buildIndex } from "./built-index.ts";
import { type Check, K, madeSet, QUERIES, type Table, type TableOptions, tableOf } from "./table.ts";
import { eachRow, labelsOf, timeSearches } from "./time-searches.ts";

export interface SizeRow {
	/** Vectors measured, and what they would be at full scale. */
	readonly n: number;
	readonly fullN: number;
	readonly dimensions: number;
	/** Median of single inserts into the filled index. */
	readonly insertUs: number;
	readonly p50Us: number;
	readonly p95Us: number;
	/** Codes, links and tables. */
	readonly indexBytesPerVector: number;
	/** With the exact vectors. */
	readonly totalBytesPerVector: number;
	readonly recall: number;
}

/** The rows of check H-8. */
export const SIZES: readonly { readonly n: number; readonly dimensions: number }[] = [
	{ n: 1_000, dimensions: 50 },
	{ n: 10_000, dimensions: 128 },
	{ n: 100_000, dimensions: 128 },
	{ n: 1_000_000, dimensions: 128 },
	{ n: 10_000, dimensions: 768 },
];

/** The settings and the metric that the source of check H-8 starts with. */
const PARAMETERS = { M: 16, efConstruction: 200, ef: 100 } as const;
const METRIC = "cosine";

const REQUIRED = { n: 100_000, dimensions: 128, recall: 0.95 } as const;

/** Single inserts that are timed: no more than a tenth of the index, so that it is still the size it is listed as. */
const INSERTS = 100;

/** What a vector costs to insert, to find and to hold, by number and dimensions (check H-8). */
export async function sizes(options: TableOptions): Promise<Table<SizeRow>> {
	const rows: SizeRow[] = [];
	for (const size of SIZES) rows.push(await measureSize(size, options));
	const checks = checksOf(rows);
	const { M, efConstruction, ef } = PARAMETERS;
	return tableOf({
		name: "sizes",
		rows,
		title: "What a vector costs",
		about: [
			`Generated vectors under ${METRIC}, ${grouped(QUERIES)} queries, k ${K}; M ${M}, efConstruction ${efConstruction}, ef ${ef}. One thread. Insert is the median of single inserts into the filled index; searches are timed before them, by the median of five passes. Bytes are allocated bytes after \`optimize\`.`,
		],
		cells: {
			columns: [
				...["vectors", "dimensions", "insert us", "search p50 us", "search p95 us"],
				...["index bytes/vector", "total bytes/vector", `recall@${K}`],
			].map((title) => ({ title, align: "right" as const })),
			rows: rows.map((row) => [
				grouped(row.n),
				String(row.dimensions),
				lessIsBetter(NIGH, row.insertUs, 1),
				lessIsBetter(NIGH, row.p50Us, 1),
				lessIsBetter(NIGH, row.p95Us, 1),
				lessIsBetter(NIGH, row.indexBytesPerVector, 0),
				lessIsBetter(NIGH, row.totalBytesPerVector, 0),
				recallText(row.recall),
			]),
		},
		checks,
	});
}

/** What check H-8 asks of the row of 100,000 x 128, however many vectors the scale has left of it. */
export function checksOf(rows: readonly Pick<SizeRow, "n" | "fullN" | "dimensions" | "recall">[]): Check[] {
	const row = rows.find(({ fullN, dimensions }) => fullN === REQUIRED.n && dimensions === REQUIRED.dimensions);
	return [
		{
			promise: `recall@${K} is at least ${REQUIRED.recall} at ${grouped(row?.n ?? REQUIRED.n)} x ${REQUIRED.dimensions}`,
			holds: row !== undefined && row.recall >= REQUIRED.recall,
		},
	];
}

async function measureSize(size: (typeof SIZES)[number], options: TableOptions): Promise<SizeRow> {
	const name = `${grouped(size.n)} x ${size.dimensions}`;
	const onStep = (text: string) => options.onStep(`sizes: ${name}, ${text}`);
	onStep("making the set");
	const set = await loadSet(madeSet("generated", { ...size, metric: METRIC }, options));
	const { index } = await buildIndex(set, PARAMETERS, (done, total) => onStep(`building, ${done} of ${total}`));
	const memory = index.memory();
	const queries = eachRow(set.queries, set.dimensions);
	const [times] = timeSearches({
		settings: [PARAMETERS.ef],
		queries,
		search: (query, ef) => index.search(query, K, { ef }),
		onStep,
	});
	if (times === undefined) throw new Error("there were no passes");
	onStep("inserting");
	// The queries are of the base's distribution and not in it; nothing is searched any more.
	const insertUs = medianInsert(index, queries.slice(0, Math.min(INSERTS, set.n / 10)));
	index.dispose();
	return {
		n: set.n,
		fullN: size.n,
		dimensions: size.dimensions,
		insertUs,
		p50Us: times.p50Us,
		p95Us: times.p95Us,
		indexBytesPerVector: memory.index / set.n,
		totalBytesPerVector: memory.total / set.n,
		recall: recallOf(set, labelsOf(times.answers, K), K),
	};
}

/** Microseconds. The first insert makes room for many and takes longer: the median passes over it. */
function medianInsert(index: HnswIndex, vectors: readonly Float32Array[]): number {
	const first = index.size;
	const times = Float64Array.from(vectors, (vector, at) => {
		const start = performance.now();
		index.insert(first + at, vector);
		return (performance.now() - start) * 1_000;
	});
	return percentile(times.sort(), 0.5);
}
