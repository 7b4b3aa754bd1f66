import { grouped } from "../../../packages/nigh/src/terminal/table.ts";
import { scaledCount, type TableOptions } from "../table.ts";
import { buildCompared, commonSet, DIMENSIONS } from "./common-set.ts";
import {
	bytes,
	disposeAll,
	figureCells,
	figuresOf,
	left,
	right,
	searchersOf,
	seconds,
	type Weakness,
	type WeaknessRow,
} from "./weakness.ts";

const SIZES = [500, 2_000, 10_000, 50_000];

/** Below some size a scan is as quick, and centroids, codebooks and half-empty blocks take more than codes save. */
export async function smallSets(options: TableOptions): Promise<Weakness> {
	const rows: WeaknessRow[] = [];
	const cells: string[][] = [];
	for (const n of new Set(SIZES.map((size) => scaledCount(size, options.scale)))) {
		const { rows: set, queries } = commonSet({ scale: 1 }, n);
		const built = await buildCompared(set);
		const figures = figuresOf(searchersOf(built, 10), queries);
		const flat = figures[0]?.p50Us ?? 0;
		built.forEach(({ name, trainSeconds, buildSeconds, memory }, at) => {
			const found = figures[at] as (typeof figures)[number];
			const indexBytes = memory.index / n;
			rows.push({ weakness: "small sets", index: name, n, ...found, trainSeconds, buildSeconds, indexBytes });
			cells.push([
				grouped(n),
				name,
				trainSeconds === 0 ? "" : seconds(trainSeconds),
				seconds(buildSeconds),
				bytes(indexBytes),
				...figureCells(found),
				(flat / found.p50Us).toFixed(1),
			]);
		});
		disposeAll(built);
	}
	return {
		rows,
		part: {
			title: "Small sets, training time, and the floor of memory",
			about: [
				`Generated vectors of ${DIMENSIONS} dimensions, everything at its defaults. "Times flat" is how many times as quick as the exact scan a search is. Centroids, codebooks, the axes of a turn and blocks that are not full have to be paid for before the first vector is: look at the index bytes for each vector where there are few. Training comes before the first insert; a database compares everything until then.`,
			],
			cells: {
				columns: [
					right("vectors"),
					left("index"),
					...["train s", "build s", "index bytes/vector", "recall@10", "p50 us", "times flat"].map(right),
				],
				rows: cells,
			},
		},
	};
}
