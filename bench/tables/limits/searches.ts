import { IvfIndex, LabelSet, type SearchOptions, type VectorIndex } from "@nigh/index";
import { grouped } from "../../../packages/nigh/src/terminal/table.ts";
import { cut } from "../../report/rounding.ts";
import { generated, uniform } from "../../sets/generated.ts";
import { seeded } from "../../sets/random.ts";
import type { BuiltKind, Rows } from "../built-kind.ts";
import type { TableOptions, TablePart } from "../table.ts";
import { eachRow } from "../time-searches.ts";
import { buildCompared, commonSet, DIMENSIONS } from "./common-set.ts";
import {
	ASKED,
	byFirstNumber,
	disposeAll,
	type Figures,
	figureCells,
	figuresOf,
	left,
	right,
	type Searched,
	searchersOf,
	shuffled,
	type Weakness,
	type WeaknessRow,
} from "./weakness.ts";

/** Searches that cells are not made for, all over one build of every kind. */
export async function searches(options: TableOptions): Promise<Weakness[]> {
	const { rows, queries } = commonSet(options);
	const built = await buildCompared(rows);
	try {
		return [
			farQueries(built, queries, rows),
			filters(built, queries, rows),
			manyNeighbors(built, queries),
			codesAlone(built, queries),
		];
	} finally {
		disposeAll(built);
	}
}

interface Case {
	readonly title: string;
	readonly figures: readonly Figures[];
}

/** A table of kinds by cases, two figures each. */
function byCases(
	weakness: string,
	built: readonly BuiltKind[],
	cases: readonly Case[],
	text: Omit<TablePart, "cells">,
): Weakness {
	return {
		part: {
			...text,
			cells: {
				columns: [left("index"), ...cases.flatMap(({ title }) => [right(`recall, ${title}`), right("us")])],
				rows: built.map(({ name }, at) => [
					name,
					...cases.flatMap(({ figures }) => figureCells(figures[at] as Figures)),
				]),
			},
		},
		rows: cases.flatMap(({ title, figures }) =>
			figures.map((found, at): WeaknessRow => ({ weakness, index: built[at]?.name ?? "", case: title, ...found })),
		),
	};
}

/** Queries from elsewhere: their neighbours lie in many cells. */
function farQueries(built: readonly BuiltKind[], near: readonly Float32Array[], { n, dimensions }: Rows): Weakness {
	const shape = { n: 4, dimensions, queries: ASKED };
	const other = eachRow(generated({ ...shape, n, seed: 99 }).queries, dimensions);
	const noise = eachRow(uniform({ ...shape, seed: 7 }).queries, dimensions).map((row) => row.map((x) => 4 * (x - 0.5)));
	const cases = [
		{ title: "of the base", queries: near },
		{ title: "of another mixture", queries: other },
		{ title: "noise", queries: noise },
	].map(({ title, queries }) => ({ title, figures: figuresOf(searchersOf(built, 10), queries) }));
	return byCases("far queries", built, cases, {
		title: "Queries that are unlike the base",
		about: [
			`The same ${grouped(n)} vectors and settings, asked with queries of the mixture that the base is of, of another mixture (other clusters, mapped otherwise), and with noise. The neighbours of a query that lies between all cells are spread over many of them, so nprobe has to rise; a graph suffers less. Tune with queries as they will be asked, not with vectors of the base.`,
		],
	});
}

/** Few that may be answered: probed cells are scanned in vain. */
function filters(
	built: readonly BuiltKind[],
	queries: readonly Float32Array[],
	{ base, n, dimensions }: Rows,
): Weakness {
	const order = shuffled(n, seeded(5));
	const apart = byFirstNumber(base, dimensions);
	const sides = queries.filter(
		(query) => (query[0] as number) < (base[(apart[n >> 1] as number) * dimensions] as number),
	);
	const cases = [
		{ title: "half", labels: order.subarray(0, n >> 1), queries },
		{ title: "a tenth", labels: order.subarray(0, Math.ceil(n / 10)), queries },
		{ title: "a fortieth", labels: order.subarray(0, Math.ceil(n / 40)), queries },
		{ title: "a tenth, elsewhere", labels: apart.subarray(n - Math.ceil(n / 10)), queries: sides },
	].map(({ title, labels, queries: asked }) => ({ title, figures: allowed(built, labels, asked) }));
	return byCases("filters", built, cases, {
		title: "Filters",
		about: [
			"Only some vectors may be answered: half, a tenth and a fortieth of them at random, and the tenth whose first number is the largest, asked with queries whose first number is small, so that no probed cell holds any. Cells are scanned whole whether their vectors may be answered or not, and nprobe is widened by the share that may; where cells run out of answers, others are looked into. Up to 1,000 labels are compared one by one, which is exact.",
		],
	});
}

function allowed(built: readonly BuiltKind[], labels: Uint32Array, queries: readonly Float32Array[]): Figures[] {
	const sets = built.map(({ index }) => new LabelSet(index.arena, labels));
	const all = built.map(({ index }, at): Searched => {
		const allow = sets[at] as LabelSet;
		return { search: (query) => index.search(query, 10, { allow }) };
	});
	const figures = figuresOf(all, queries);
	for (const set of sets) set.dispose();
	return figures;
}

/** Many neighbours reach beyond the cells that a few need. */
function manyNeighbors(built: readonly BuiltKind[], queries: readonly Float32Array[]): Weakness {
	const cases = [10, 100, 1_000].map((k) => ({ title: `k ${k}`, figures: figuresOf(searchersOf(built, k), queries) }));
	return byCases("large k", built, cases, {
		title: "Many neighbours",
		about: [
			"The same searches for 10, 100 and 1,000 neighbours. nprobe does not grow with k by itself (only where the probed cells hold fewer than k), and codes have to rank many times as many candidates again. A graph widens its beam with k.",
		],
	});
}

/** What codes are worth by themselves. */
function codesAlone(built: readonly BuiltKind[], queries: readonly Float32Array[]): Weakness {
	const coded = built.filter(({ index }) => index.kind !== "hnsw" && index.kind !== "ivf");
	const asked = (rerank: number) =>
		figuresOf(
			coded.map(({ index }) => ({ search: (query) => index.search(query, 10, rerankOf(index, rerank)) })),
			queries,
		);
	const cases = [
		{ title: "codes alone", figures: asked(0) },
		{ title: "20 again", figures: asked(20) },
		{ title: "200 again", figures: asked(200) },
	];
	const errors = coded.map(({ index }) => distanceError(index, queries));
	const table = byCases("codes alone", coded, cases, {
		title: "Codes without re-ranking",
		about: [
			'With `rerank: 0` the order is that of codes, and distances are estimates: "off by" is the mean difference from the true distance of what was answered. The vectors stay in memory for re-ranking; what codes save is time, not their bytes.',
		],
	});
	const { columns, rows } = table.part.cells;
	return {
		rows: table.rows.map((row, at) => ({ ...row, distanceError: errors[at % coded.length] as number })),
		part: {
			...table.part,
			cells: {
				columns: [...columns, right("off by")],
				rows: rows.map((row, at) => [...row, `${cut((errors[at] as number) * 100, 1).toFixed(1)} %`]),
			},
		},
	};
}

function rerankOf(index: VectorIndex, rerank: number): SearchOptions {
	return index instanceof IvfIndex ? ({ rerank } as SearchOptions) : {};
}

/** The mean difference between estimated and true distances, as a share of the true ones. */
function distanceError(index: VectorIndex, queries: readonly Float32Array[]): number {
	let [sum, count] = [0, 0];
	for (const query of queries) {
		for (const { label, distance } of index.search(query, 10, rerankOf(index, 0))) {
			const vector = index.vector(label) as Float32Array;
			let squares = 0;
			for (let j = 0; j < DIMENSIONS; j++) squares += ((vector[j] as number) - (query[j] as number)) ** 2;
			const exact = Math.sqrt(squares);
			if (exact === 0) continue;
			sum += Math.abs(distance - exact) / exact;
			count++;
		}
	}
	return count === 0 ? 0 : sum / count;
}
