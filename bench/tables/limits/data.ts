import { isNighError, METRICS, type Metric } from "@nigh/contract";
import { createIvf, IVF_KINDS, IvfIndex } from "@nigh/index";
import { grouped } from "../../../packages/nigh/src/terminal/table.ts";
import { uniform } from "../../sets/generated.ts";
import { seeded } from "../../sets/random.ts";
import { type BuiltKind, buildKind, CONTENDERS, type Contender, type Rows } from "../built-kind.ts";
import { scaledCount, type TableOptions } from "../table.ts";
import { eachRow } from "../time-searches.ts";
import { COMPARED, commonSet, DIMENSIONS } from "./common-set.ts";
import {
	ASKED,
	disposeAll,
	type Figures,
	figureCells,
	figuresOf,
	left,
	right,
	searchersOf,
	type Weakness,
	type WeaknessRow,
} from "./weakness.ts";

const FEWER = 20_000;

interface Measured {
	/** In the order of what was built. */
	readonly figures: readonly Figures[];
	/** How much fuller the fullest cell is than the mean one; not a number where there are no cells. */
	readonly imbalance: readonly number[];
}

/** Builds kinds over rows and asks them; everything at its defaults. */
async function measured(
	contenders: readonly Contender[],
	rows: Rows,
	queries: readonly Float32Array[],
): Promise<Measured> {
	const built: BuiltKind[] = [];
	for (const contender of contenders) built.push(await buildKind(contender, rows));
	const figures = figuresOf(searchersOf(built, 10), queries);
	const imbalance = built.map(({ index }) => (index instanceof IvfIndex ? index.analyze().imbalance : Number.NaN));
	disposeAll(built);
	return { figures, imbalance };
}

/** Dot products of vectors of very different lengths: the longest are near to everything, and lie in cells that are far. */
export async function lengths(options: TableOptions): Promise<Weakness> {
	const { rows, queries } = commonSet(options, FEWER);
	const spreads = [0, 0.5, 1];
	const cases: Measured[] = [];
	for (const spread of spreads) {
		const random = seeded(11);
		const base = rows.base.slice();
		for (let row = 0; row < rows.n; row++) {
			const scale = Math.exp(spread * random.gaussian());
			for (let j = 0; j < DIMENSIONS; j++) base[row * DIMENSIONS + j] = (base[row * DIMENSIONS + j] as number) * scale;
		}
		cases.push(await measured(COMPARED, { ...rows, base, metric: "ip" }, queries));
	}
	return {
		part: {
			title: "Inner product with very different lengths",
			about: [
				`${grouped(rows.n)} generated vectors under ip, each multiplied by exp(s x) for a normal x: at s 1 one in forty is seven times as long as the median or more. Cells are made by Euclidean distance, so long vectors are strewn over thin cells of their own; "max : mean" tells how much fuller the fullest cell is than the mean one.`,
			],
			cells: {
				columns: [
					left("index"),
					...spreads.flatMap((spread) => [right(`recall@10, s ${spread}`), right("us"), right("max : mean")]),
				],
				rows: COMPARED.map(({ name }, at) => [
					name,
					...cases.flatMap(({ figures, imbalance }) => [
						...figureCells(figures[at] as Figures),
						Number.isNaN(imbalance[at]) ? "" : (imbalance[at] as number).toFixed(1),
					]),
				]),
			},
		},
		rows: cases.flatMap(({ figures }, i) =>
			figures.map(
				(found, at): WeaknessRow => ({
					weakness: "lengths",
					index: COMPARED[at]?.name ?? "",
					spread: spreads[i] as number,
					...found,
				}),
			),
		),
	};
}

/** Data without any structure: every vector is about as far as any other. */
export async function noStructure(options: TableOptions): Promise<Weakness> {
	const n = scaledCount(FEWER, options.scale);
	const shapes = [16, 64, 256];
	const cases: Measured[] = [];
	for (const dimensions of shapes) {
		const { base, queries } = uniform({ n, dimensions, queries: ASKED, seed: 1 });
		cases.push(await measured(COMPARED, { base, n, dimensions, metric: "l2" }, eachRow(queries, dimensions)));
	}
	return {
		part: {
			title: "Data without structure",
			about: [
				`${grouped(n)} vectors of independent uniform numbers. The more dimensions there really are, the less cells (or links) tell who is near: at the defaults recall falls, and what it takes to raise it again comes near to a scan. Embeddings have a few tens of dimensions, however many numbers they are written in.`,
			],
			cells: {
				columns: [
					left("index"),
					...shapes.flatMap((dimensions) => [right(`recall@10, ${dimensions} dimensions`), right("us")]),
				],
				rows: COMPARED.map(({ name }, at) => [
					name,
					...cases.flatMap(({ figures }) => figureCells(figures[at] as Figures)),
				]),
			},
		},
		rows: cases.flatMap(({ figures }, i) =>
			figures.map(
				(found, at): WeaknessRow => ({
					weakness: "no structure",
					index: COMPARED[at]?.name ?? "",
					dimensions: shapes[i] as number,
					...found,
				}),
			),
		),
	};
}

/** Metrics that cells or codes do not go with. */
export async function metrics(options: TableOptions): Promise<Weakness> {
	const { rows, queries } = commonSet(options, FEWER);
	const possible = [CONTENDERS.flat, CONTENDERS.hnsw, CONTENDERS.ivf];
	const [l2, l1] = [
		await measured(possible, rows, queries),
		await measured(possible, { ...rows, metric: "l1" }, queries),
	];
	return {
		part: {
			title: "Metrics",
			about: [
				`${METRICS.map((metric) => `${metric}: ${kindsOf(metric)}`).join("; ")}. Under l1 there are no codes, neither of vectors nor of centroids, and cells are still means, which l2 is made for. ${grouped(rows.n)} generated vectors under l2 and l1:`,
			],
			cells: {
				columns: [left("index"), right("recall@10, l2"), right("us"), right("recall@10, l1"), right("us")],
				rows: possible.map(({ name }, at) => [
					name,
					...[l2, l1].flatMap(({ figures }) => figureCells(figures[at] as Figures)),
				]),
			},
		},
		rows: [l2, l1].flatMap(({ figures }, i) =>
			figures.map(
				(found, at): WeaknessRow => ({
					weakness: "metrics",
					index: possible[at]?.name ?? "",
					metric: i === 0 ? "l2" : "l1",
					...found,
				}),
			),
		),
	};
}

/** The kinds of inverted file that take a metric, as they say themselves. */
function kindsOf(metric: Metric): string {
	const taken = IVF_KINDS.filter((kind) => {
		try {
			createIvf({ kind, metric, dimensions: 64 }).dispose();
			return true;
		} catch (error) {
			if (isNighError(error, "UNSUPPORTED")) return false;
			throw error;
		}
	});
	return ["flat", "hnsw", ...taken].join(", ");
}
