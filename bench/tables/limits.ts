import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { COUNT } from "./limits/common-set.ts";
import { lengths, metrics, noStructure } from "./limits/data.ts";
import { searches } from "./limits/searches.ts";
import { smallSets } from "./limits/small-sets.ts";
import { ASKED, PASSES, type Weakness, type WeaknessRow } from "./limits/weakness.ts";
import { alike, writes } from "./limits/writes.ts";
import { scaledCount, type Table, type TableOptions, tableOf } from "./table.ts";

/** In the order of the document. */
const WEAKNESSES: readonly (readonly [
	name: string,
	measure: (options: TableOptions) => Promise<Weakness | readonly Weakness[]>,
])[] = [
	["small sets", smallSets],
	["searches", searches],
	["lengths", lengths],
	["no structure", noStructure],
	["metrics", metrics],
	["writes", writes],
	["alike", alike],
];

/** Where each kind of index hurts, measured. */
export async function limits(options: TableOptions): Promise<Table<WeaknessRow>> {
	const found: Weakness[] = [];
	for (const [name, measure] of WEAKNESSES) {
		options.onStep(`limits: ${name}`);
		found.push(...[await measure(options)].flat());
	}
	const exact = found.flatMap(({ rows }) => rows).filter(({ index }) => index === "flat");
	return tableOf({
		name: "limits",
		title: "Where each kind hurts, measured",
		about: [
			`Generated data, ${grouped(scaledCount(COUNT, options.scale))} vectors where nothing else is said, one thread, ${ASKED} queries, k 10, every index at its defaults (no nprobe, ef or rerank given). Recall is against the exact scan; us are of the median query of the median of ${PASSES} passes, all indexes in turns.`,
		],
		rows: found.flatMap(({ rows }) => rows),
		parts: found.map(({ part }) => part),
		checks: [
			{
				promise: "flat, which everything is judged by, has recall 1 throughout",
				holds: exact.every(({ recall }) => recall === 1),
			},
		],
	});
}
