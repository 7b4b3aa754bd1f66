import { PRESETS } from "@nigh/index";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { NIGH } from "../report/report.ts";
import { lessIsBetter, recallText } from "../report/rounding.ts";
import { recallOf } from "../run/recall.ts";
import { loadSet } from "../sets/load.ts";
import { buildIndex } from "./built-index.ts";
import { type Check, K, madeSet, QUERIES, type Table, type TableOptions, tableOf } from "./table.ts";
import { eachRow, labelsOf, timeSearches } from "./time-searches.ts";

export interface EfRow {
	readonly ef: number;
	readonly p50Us: number;
	readonly p95Us: number;
	readonly recall: number;
	/** The recall that check F-3 asks for at this ef. */
	readonly required: number;
	readonly meets: boolean;
}

/** The beam widths of check F-3, and the recall@10 that it asks for at each. */
export const REQUIRED_RECALL: readonly { readonly ef: number; readonly required: number }[] = [
	{ ef: 20, required: 0.85 },
	{ ef: 40, required: 0.92 },
	{ ef: 80, required: 0.97 },
	{ ef: 100, required: 0.98 },
	{ ef: 200, required: 0.99 },
];

/** Text embeddings of 384 dimensions, which is what the check is about, are compared by cosine. */
const SHAPE = { n: 100_000, dimensions: 384, metric: "cosine" } as const;

/** The middle of the four presets: what the check's source starts with, and its graph is the default of pgvector, 16 and 64. */
const PRESET = "balanced";

/** Recall and time against the beam width of a search (check F-3). */
export async function efSweep(options: TableOptions): Promise<Table<EfRow>> {
	const { onStep } = options;
	onStep("ef-sweep: making the set");
	const set = await loadSet(madeSet("generated", SHAPE, options));
	const { index } = await buildIndex(set, { preset: PRESET }, (done, total) =>
		onStep(`ef-sweep: building, ${done} of ${total}`),
	);
	const times = timeSearches({
		settings: REQUIRED_RECALL,
		queries: eachRow(set.queries, set.dimensions),
		search: (query, { ef }) => index.search(query, K, { ef }),
		onStep: (text) => onStep(`ef-sweep: ${text}`),
	});
	index.dispose();
	const rows = times.map(({ answers, p50Us, p95Us }, at): EfRow => {
		const { ef, required } = REQUIRED_RECALL[at] as (typeof REQUIRED_RECALL)[number];
		const recall = recallOf(set, labelsOf(answers, K), K);
		return { ef, p50Us, p95Us, recall, required, meets: recall >= required };
	});
	const checks = checksOf(rows);
	const { M, efConstruction } = PRESETS[PRESET];
	return tableOf({
		name: "ef-sweep",
		rows,
		title: "Recall and time against ef",
		about: [
			`${grouped(set.n)} generated vectors of ${set.dimensions} dimensions under ${set.metric}, ${grouped(QUERIES)} queries, k ${K}; preset ${PRESET} (M ${M}, efConstruction ${efConstruction}). One thread; times are of the median of five passes, one ef after the other.`,
		],
		cells: {
			columns: ["ef", "p50 us", "p95 us", `recall@${K}`, "asked for", "met"].map((title) => ({
				title,
				align: "right" as const,
			})),
			rows: rows.map(({ ef, p50Us, p95Us, recall, required, meets }) => [
				String(ef),
				lessIsBetter(NIGH, p50Us, 1),
				lessIsBetter(NIGH, p95Us, 1),
				recallText(recall),
				required.toFixed(2),
				meets ? "yes" : "**NO**",
			]),
		},
		checks,
	});
}

/** What check F-3 asks of rows by rising ef. */
export function checksOf(rows: readonly Pick<EfRow, "recall" | "meets">[]): Check[] {
	return [
		{ promise: "recall does not fall from one ef to the next", holds: isMonotone(rows.map(({ recall }) => recall)) },
		{ promise: "recall is what is asked for at every ef", holds: rows.every(({ meets }) => meets) },
	];
}

/** Whether no value is below the one before it. */
export function isMonotone(values: readonly number[]): boolean {
	return values.every((value, at) => at === 0 || value >= (values[at - 1] as number));
}
