import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Neighbor } from "@nigh/index";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { NIGH } from "../report/report.ts";
import { lessIsBetter, moreIsBetter, recallText } from "../report/rounding.ts";
import { recallOf } from "../run/recall.ts";
import { KNOWN_SETS } from "../sets/known.ts";
import { type BenchSet, loadSet, type SetOptions } from "../sets/load.ts";
import { MADE_SETS } from "../sets/made.ts";
import { type BuiltKind, buildKind, CONTENDERS, profileM } from "./built-kind.ts";
import { type Asked, askedText, OperatingPoints, usualText } from "./operating-points.ts";
import { measureProfiles, type ProfileRow, profilePart } from "./profiles.ts";
import { type Check, K, scaledCount, type Table, type TableOptions, type TablePart, tableOf } from "./table.ts";
import { eachRow, labelsOf, timeSearches } from "./time-searches.ts";

export interface KindRow {
	readonly set: string;
	readonly name: string;
	readonly trainSeconds: number;
	readonly buildSeconds: number;
	/** Bytes for each vector: of code alone, of all that is there for searching, and with the vectors. */
	readonly codeBytes: number;
	readonly indexBytes: number;
	readonly totalBytes: number;
	/** What was estimated of the last. */
	readonly estimatedBytes: number;
	/** As it is when nothing is said. */
	readonly usual: PointFigures;
	/** The quickest setting that has the recall; `undefined` where none has. */
	readonly at95: PointFigures | undefined;
	readonly at99: PointFigures | undefined;
}

export interface PointFigures {
	readonly setting: string;
	readonly recall: number;
	readonly qps: number;
}

const RECALLS = { at95: 0.95, at99: 0.99 } as const;
/** Half of what other tables ask: every one is asked under dozens of settings. */
const ASKED = 500;
const PASSES = 3;

export interface KindsSet {
	readonly set: string;
	/** Vectors before scaling. */
	readonly n: number;
	readonly dimensions: number;
	/** The named settings are compared as check C-7 wants it. */
	readonly profiles?: true;
}

const SETS: readonly KindsSet[] = [
	{ set: "fashion-mnist-784", n: 60_000, dimensions: 784 },
	{ set: "squad-sif-300d", n: 20_963, dimensions: 300 },
	{ set: "generated", n: 100_000, dimensions: 128 },
	{ set: "palettes", n: 20_000, dimensions: 1_152, profiles: true },
];

/** Every kind over the same sets: what it takes to have it, what it keeps in memory, how quick it is at which recall. */
export async function kinds(options: TableOptions, sets = SETS): Promise<Table<KindRow | ProfileRow>> {
	const rows: KindRow[] = [];
	const parts: TablePart[] = [];
	const checks: Check[] = [];
	const profiles: ProfileRow[] = [];
	const left: string[] = [];
	for (const shape of sets) {
		const onStep = (text: string) => options.onStep(`kinds: ${shape.set}, ${text}`);
		const asked = setOptions(shape, options);
		if (asked === undefined) {
			left.push(`${shape.set} is left out: the data folder does not have it.`);
			continue;
		}
		onStep("making the set");
		const set = await loadSet(asked);
		const built = await buildAll(set, onStep);
		const ofSet = measureSet(set, built, onStep);
		rows.push(...ofSet);
		parts.push(partOf(set, ofSet));
		checks.push({
			promise: `${set.name}: the estimate of memory, told how many axes training keeps, is within 5 % of what is measured`,
			holds: built.every(({ estimatedAfter, memory }) => Math.abs(estimatedAfter / memory.total - 1) <= 0.05),
		});
		if (shape.profiles === true) {
			onStep("profiles");
			const measured = measureProfiles(set, built);
			profiles.push(...measured.rows);
			checks.push(...measured.checks);
			parts.push(profilePart(set, measured.rows));
		}
		for (const { index } of built) index.dispose();
	}
	return tableOf({
		name: "kinds",
		title: "Kinds of index, measured",
		about: [
			`Every kind over the same sets, built and searched on one thread, k ${K}, ${ASKED} queries, queries/s of the median of ${PASSES} passes with all kinds in turns. Bytes are those for each vector: of code alone, of everything that is there for searching, and with the vectors; "estimated" is what \`estimateMemory\` told of the last before, which has to guess how many axes training will keep. The settings at a recall are the quickest of those tried: ef from 10 to 5,120 and nprobe from 1 to all cells in steps of 1.3 to 2, and of codes the index's own depth of re-ranking and 50 to 3,200.`,
			...left,
			"What came out first, by set:",
		],
		rows: [...rows, ...profiles],
		cells: summaryCells(rows),
		parts,
		checks,
	});
}

function setOptions({ set, n, dimensions }: KindsSet, { scale, data }: TableOptions): SetOptions | undefined {
	const isMade = Object.hasOwn(MADE_SETS, set);
	const known = KNOWN_SETS[set];
	if (!isMade && (known === undefined || !existsSync(join(data, set, known.base)))) return undefined;
	const count = isMade || scale < 1 ? scaledCount(n, scale) : undefined;
	return { set, data, n: count, dimensions, queries: ASKED, metric: known?.metric ?? "l2", seed: 1, k: K };
}

async function buildAll(set: BenchSet, onStep: (text: string) => void): Promise<BuiltKind[]> {
	const built: BuiltKind[] = [];
	for (const contender of Object.values(CONTENDERS)) {
		onStep(`building ${contender.name}`);
		built.push(await buildKind(contender, set));
	}
	return built;
}

function measureSet(set: BenchSet, built: readonly BuiltKind[], onStep: (text: string) => void): KindRow[] {
	const queries = eachRow(set.queries, set.dimensions);
	const recall = (answers: readonly (readonly Neighbor[])[]) => recallOf(set, labelsOf(answers, K), K);
	const settings = built.flatMap((kind) => {
		onStep(`looking for the settings of ${kind.name}`);
		const points = new OperatingPoints(kind.index, queries, K, recall);
		return [{}, ...Object.values(RECALLS).map((target) => points.quickestAt(target)?.asked)].map((asked) => ({
			kind,
			asked,
		}));
	});
	const found = settings.filter((setting): setting is { kind: BuiltKind; asked: Asked } => setting.asked !== undefined);
	const times = timeSearches({
		settings: found,
		queries,
		search: (query, { kind, asked }) => kind.index.search(query, K, asked),
		passes: PASSES,
		onStep,
	});
	const figuresOf = (setting: (typeof settings)[number] | undefined, text?: string): PointFigures | undefined => {
		const at = found.indexOf(setting as (typeof found)[number]);
		if (at < 0) return undefined;
		const { answers, seconds } = times[at] as (typeof times)[number];
		const { asked } = found[at] as (typeof found)[number];
		return { setting: text ?? askedText(asked), recall: recall(answers), qps: queries.length / seconds };
	};
	return built.map((kind, at): KindRow => {
		const { memory, name, index } = kind;
		const [usual, at95, at99] = settings.slice(3 * at, 3 * at + 3);
		return {
			set: set.name,
			name: nameOf(name, set.dimensions),
			trainSeconds: kind.trainSeconds,
			buildSeconds: kind.buildSeconds,
			codeBytes: kind.codeBytes,
			indexBytes: memory.index / set.n,
			totalBytes: memory.total / set.n,
			estimatedBytes: kind.estimated / set.n,
			usual: figuresOf(usual, usualText(index)) as PointFigures,
			at95: figuresOf(at95),
			at99: figuresOf(at99),
		};
	});
}

/** A profile's M has to divide the dimensions: where it does not, the row says which one it got. */
function nameOf(name: string, dimensions: number): string {
	const [, profile] = /^ivfpq, (memory|accuracy|speed)$/.exec(name) ?? [];
	if (profile === undefined) return name;
	return `${name} (M ${profileM(profile as "memory", dimensions)})`;
}

const left = (title: string) => ({ title, align: "left" as const });
const right = (title: string) => ({ title, align: "right" as const });

function partOf(set: BenchSet, rows: readonly KindRow[]): TablePart {
	const { about, n, dimensions, metric, queryCount } = set;
	return {
		title: set.name,
		about: [
			`${about.charAt(0).toUpperCase()}${about.slice(1)}. ${grouped(n)} vectors of ${dimensions} dimensions under ${metric}, ${grouped(queryCount)} queries.`,
		],
		cells: {
			columns: [
				left("index"),
				...["train s", "build s", "code bytes", "index bytes", "bytes", "estimated"].map(right),
				...[left("as it is"), right(`recall@${K}`), right("queries/s")],
				...["0.95", "0.99"].flatMap((recall) => [left(`for ${recall}`), right(`queries/s at ${recall}`)]),
			],
			rows: rows.map((row) => [
				row.name,
				row.trainSeconds === 0 ? "" : lessIsBetter(NIGH, row.trainSeconds, 2),
				lessIsBetter(NIGH, row.buildSeconds, 2),
				...[row.codeBytes, row.indexBytes, row.totalBytes].map((bytes) => lessIsBetter(NIGH, bytes, 1)),
				row.estimatedBytes.toFixed(1),
				row.usual.setting,
				recallText(row.usual.recall),
				moreIsBetter(NIGH, row.usual.qps),
				...[row.at95, row.at99].flatMap((point) =>
					point === undefined ? ["not reached", ""] : [point.setting, moreIsBetter(NIGH, point.qps)],
				),
			]),
		},
	};
}

/** Who came first in what, of those with a recall of 0.95 or 0.99. */
function summaryCells(rows: readonly KindRow[]) {
	const sets = [...new Set(rows.map(({ set }) => set))];
	const least = (of: readonly KindRow[], by: (row: KindRow) => number) =>
		of.toSorted((a, b) => by(a) - by(b))[0] as KindRow | undefined;
	return {
		columns: ["set", "quickest at 0.95", "quickest at 0.99", "least index memory at 0.95", "soonest built at 0.95"].map(
			left,
		),
		rows: sets.map((set) => {
			const ofSet = rows.filter((row) => row.set === set && row.at95 !== undefined);
			const approximate = ofSet.filter(({ name }) => name !== "flat");
			const [quick, sure] = [
				least(ofSet, ({ at95 }) => -(at95?.qps ?? 0)),
				least(ofSet, ({ at99 }) => -(at99?.qps ?? 0)),
			];
			const [small, soon] = [
				least(ofSet, ({ indexBytes }) => indexBytes),
				least(approximate, ({ buildSeconds }) => buildSeconds),
			];
			return [
				set,
				quick?.at95 === undefined ? "-" : `${quick.name}: ${moreIsBetter(NIGH, quick.at95.qps)}/s`,
				sure?.at99 === undefined ? "-" : `${sure.name}: ${moreIsBetter(NIGH, sure.at99.qps)}/s`,
				small === undefined ? "-" : `${small.name}: ${lessIsBetter(NIGH, small.indexBytes, 1)} bytes`,
				soon === undefined
					? "-"
					: `${soon.name}: ${lessIsBetter(NIGH, soon.buildSeconds, 2)} s (flat has nothing to build)`,
			];
		}),
	};
}
