import { PRESETS, type PresetName } from "@nigh/index";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { NIGH } from "../report/report.ts";
import { lessIsBetter, recallText } from "../report/rounding.ts";
import { recallOf } from "../run/recall.ts";
import { type BenchSet, loadSet } from "../sets/load.ts";
import { buildIndex } from "./built-index.ts";
import { K, madeSet, QUERIES, type Table, type TableOptions, tableOf } from "./table.ts";
import { eachRow, labelsOf, timeSearches } from "./time-searches.ts";

export interface PresetRow {
	readonly preset: PresetName;
	readonly M: number;
	readonly efConstruction: number;
	readonly buildSeconds: number;
	/** Codes, links and tables. */
	readonly indexBytes: number;
	/** With the exact vectors. */
	readonly totalBytes: number;
	/** At the ef that goes with the preset. */
	readonly own: SearchFigures;
	/** At one ef for all, which compares the graphs. */
	readonly same: SearchFigures;
}

export interface SearchFigures {
	readonly ef: number;
	readonly recall: number;
	readonly p95Us: number;
}

/** The four pairs of check F-4, under the names that they have here. */
export const COMPARED_PRESETS = ["dev", "balanced", "high", "max"] as const satisfies readonly PresetName[];

/** As in the table of ef. */
const SHAPE = { n: 100_000, dimensions: 384, metric: "cosine" } as const;

const SAME_EF = 40;

/** What the four presets cost to build, and what is had for it (check F-4). */
export async function presets(options: TableOptions): Promise<Table<PresetRow>> {
	const { onStep } = options;
	onStep("presets: making the set");
	const set = await loadSet(madeSet("generated", SHAPE, options));
	const rows: PresetRow[] = [];
	for (const preset of COMPARED_PRESETS) {
		rows.push(await measurePreset(preset, set, (text) => onStep(`presets: ${preset}, ${text}`)));
	}
	const right = (title: string) => ({ title, align: "right" as const });
	return tableOf({
		name: "presets",
		rows,
		title: "What the presets cost",
		about: [
			`${grouped(set.n)} generated vectors of ${set.dimensions} dimensions under ${set.metric}, ${grouped(QUERIES)} queries, k ${K}. Each was built once on one thread, with \`optimize\`; times are of the median of five passes. The first pair of recall and time is at the preset's own ef, the second at ef ${SAME_EF}.`,
		],
		cells: {
			columns: [
				{ title: "preset", align: "left" },
				...["M", "efConstruction", "build s", "index MB", "total MB"].map(right),
				...["ef", `recall@${K}`, "p95 us", `recall@${K} at ef ${SAME_EF}`, `p95 us at ef ${SAME_EF}`].map(right),
			],
			rows: rows.map(({ preset, M, efConstruction, buildSeconds, indexBytes, totalBytes, own, same }) => [
				preset,
				String(M),
				String(efConstruction),
				lessIsBetter(NIGH, buildSeconds, 2),
				lessIsBetter(NIGH, indexBytes / 1e6, 1),
				lessIsBetter(NIGH, totalBytes / 1e6, 1),
				String(own.ef),
				recallText(own.recall),
				lessIsBetter(NIGH, own.p95Us, 1),
				recallText(same.recall),
				lessIsBetter(NIGH, same.p95Us, 1),
			]),
		},
		checks: [],
	});
}

async function measurePreset(preset: PresetName, set: BenchSet, onStep: (text: string) => void): Promise<PresetRow> {
	const { index, seconds } = await buildIndex(set, { preset }, (done, total) =>
		onStep(`building, ${done} of ${total}`),
	);
	const memory = index.memory();
	const { M, efConstruction, ef } = PRESETS[preset];
	const efs = [ef, SAME_EF];
	const times = timeSearches({
		settings: efs,
		queries: eachRow(set.queries, set.dimensions),
		search: (query, width) => index.search(query, K, { ef: width }),
		onStep,
	});
	index.dispose();
	const [own, same] = times.map(({ answers, p95Us }, at) => ({
		ef: efs[at] as number,
		recall: recallOf(set, labelsOf(answers, K), K),
		p95Us,
	})) as [SearchFigures, SearchFigures];
	return {
		preset,
		M,
		efConstruction,
		buildSeconds: seconds,
		indexBytes: memory.index,
		totalBytes: memory.total,
		own,
		same,
	};
}
