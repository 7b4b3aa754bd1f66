import { isNighError } from "@nigh/contract";
import { createIvf, type IvfIndex } from "@nigh/index";
import { grouped } from "../../../packages/nigh/src/terminal/table.ts";
import { seeded } from "../../sets/random.ts";
import type { TableOptions } from "../table.ts";
import { commonSet, DIMENSIONS } from "./common-set.ts";
import {
	byFirstNumber,
	type Figures,
	figureCells,
	figuresOf,
	left,
	reordered,
	right,
	shuffled,
	type Weakness,
	type WeaknessRow,
} from "./weakness.ts";

const KINDS = ["ivf", "ivfpq", "ivfrabitq"] as const;
const STEP = 500;

type Kind = (typeof KINDS)[number];
type Step = readonly [title: string, figures: Figures, imbalance: number];

/** What writing does to cells: the order in which vectors come, deletions, and data that moves away from what was trained on. */
export async function writes(options: TableOptions): Promise<Weakness> {
	const { rows, queries } = commonSet(options);
	const { base, n } = rows;
	const random = seeded(3);
	const orders = {
		shuffled: reordered(base, DIMENSIONS, shuffled(n, random)),
		sorted: reordered(base, DIMENSIONS, byFirstNumber(base, DIMENSIONS)),
	};
	const measured: { kind: Kind; steps: Step[] }[] = [];
	for (const kind of KINDS) measured.push({ kind, steps: await stepsOf(kind, orders, queries) });
	const titles = measured[0]?.steps.map(([title]) => title) ?? [];
	return {
		part: {
			title: "Order of insertion, deletions and drift",
			about: [
				`${grouped(n)} generated vectors, inserted ${STEP} at a time, as a service would. The rows of a cell lie where they came in until \`compact\` puts them together. "Trained on a tenth" has seen only the tenth whose first number is the smallest, and then got all the rest: its cells are many where the data no longer is, and the fullest ("max : mean") take what the others do not; product codes besides see only the axes along which the tenth was spread. \`hasDrifted\` looks at numbers, not at where vectors lie: \`analyze\` shows the imbalance. Training again puts it right.`,
			],
			cells: {
				columns: [
					left("state"),
					...KINDS.flatMap((kind) => [right(`recall@10, ${kind}`), right("us"), right("max : mean")]),
				],
				rows: titles.map((title, at) => [
					title,
					...measured.flatMap(({ steps }) => {
						const [, figures, imbalance] = steps[at] as Step;
						return [...figureCells(figures), imbalance.toFixed(1)];
					}),
				]),
			},
		},
		rows: measured.flatMap(({ kind, steps }) =>
			steps.map(
				([state, figures, imbalance]): WeaknessRow => ({
					weakness: "writes",
					index: kind,
					state,
					...figures,
					imbalance,
				}),
			),
		),
	};
}

async function stepsOf(
	kind: Kind,
	orders: { readonly shuffled: Float32Array; readonly sorted: Float32Array },
	queries: readonly Float32Array[],
): Promise<Step[]> {
	const steps: Step[] = [];
	const shape = { kind, dimensions: DIMENSIONS, metric: "l2" } as const;
	for (const [title, rows] of [
		["in any order", orders.shuffled],
		["sorted", orders.sorted],
	] as const) {
		const index = createIvf(shape);
		await index.train(rows);
		await insertInSteps(index, rows);
		steps.push(await stepOf(`${title}, not compacted`, index, queries));
		index.compact();
		steps.push(await stepOf(`${title}, compacted`, index, queries));
		if (title === "in any order") {
			index.remove(index.labels().filter((label) => label % 2 === 0));
			steps.push(await stepOf("half of them deleted, not compacted", index, queries));
			index.compact();
			steps.push(await stepOf("half of them deleted, compacted", index, queries));
		}
		index.dispose();
	}
	const { sorted } = orders;
	const index = createIvf(shape);
	const total = sorted.length / DIMENSIONS;
	await index.train(sorted.subarray(0, Math.ceil(total / 10) * DIMENSIONS), { vectors: total });
	await insertInSteps(index, sorted);
	index.compact();
	steps.push(await stepOf("trained on a tenth", index, queries));
	await index.train();
	index.compact();
	steps.push(await stepOf("trained again on all", index, queries));
	index.dispose();
	return steps;
}

async function insertInSteps(index: IvfIndex, rows: Float32Array): Promise<void> {
	for (let from = 0; from < rows.length; from += STEP * DIMENSIONS) {
		await index.insertMany(rows.subarray(from, Math.min(rows.length, from + STEP * DIMENSIONS)));
	}
}

/** At the index's own settings, against an exact scan of what it holds. */
async function stepOf(title: string, index: IvfIndex, queries: readonly Float32Array[]): Promise<Step> {
	const exact = queries.map((query) => index.search(query, 10, { exact: true }));
	const at = new Map(queries.map((query, i) => [query, exact[i] ?? []]));
	const all = [
		{ search: (query: Float32Array) => at.get(query) ?? [] },
		{ search: (query: Float32Array) => index.search(query, 10) },
	];
	const [, figures] = figuresOf(all, queries);
	return [title, figures as Figures, index.analyze().imbalance];
}

/** Vectors that are too much alike teach nothing; the training says so instead of pretending. */
export async function alike(): Promise<Weakness> {
	const n = 1_000;
	const random = seeded(9);
	const rows: WeaknessRow[] = [];
	const cells: string[][] = [];
	for (const distinct of [1, 2, 10, 100, n]) {
		const base = new Float32Array(n * DIMENSIONS);
		const kept = Float32Array.from({ length: distinct * DIMENSIONS }, () => random.gaussian());
		for (let i = 0; i < n; i++) {
			const from = (i % distinct) * DIMENSIONS;
			base.set(kept.subarray(from, from + DIMENSIONS), i * DIMENSIONS);
		}
		for (const kind of KINDS) {
			const outcome = await trained(kind, base);
			rows.push({ weakness: "alike", index: kind, distinct, outcome });
			if (kind === "ivf") cells.push([grouped(distinct), outcome]);
			else (cells.at(-1) as string[]).push(outcome);
		}
	}
	return {
		part: {
			title: "Vectors that are alike",
			about: [
				`${grouped(n)} vectors of which only some differ. A training that cannot tell cells apart fails with \`NOT_TRAINED\` (what served before goes on serving); a flat index or a graph takes them all.`,
			],
			cells: { columns: [right("different ones"), ...KINDS.map(left)], rows: cells },
		},
		rows,
	};
}

async function trained(kind: Kind, base: Float32Array): Promise<string> {
	const index = createIvf({ kind, dimensions: DIMENSIONS, metric: "l2" });
	try {
		const { cells, warnings } = await index.train(base);
		const warned = warnings.length === 0 ? "" : ` (${warnings.map(({ code }) => code).join(", ")})`;
		return `${cells.distinctCentroids} of ${cells.k} cells differ${warned}`;
	} catch (error) {
		if (!isNighError(error, "NOT_TRAINED")) throw error;
		return "NOT_TRAINED";
	} finally {
		index.dispose();
	}
}
