// Two trees side by side in one process: builds with both, then asks both in turn, a block of queries at a time. Prints JSON.
//
//   node compare.ts TREE_A TREE_B '{"set": ..., options of loadSet}'
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Index from "@nigh/index";
import { median } from "../report/operating-points.ts";
import { recallOf } from "../run/recall.ts";
import { type BenchSet, loadSet, type SetOptions } from "../sets/load.ts";
import { labelsOf } from "../tables/time-searches.ts";

/** What a trial gave on one set: of the tree as it was, and of the tree with the change. */
export interface Comparison {
	readonly set: string;
	readonly before: Side;
	readonly after: Side;
	/** How many times as fast the change is at an ef: the median over blocks, each asked of both in turn. */
	readonly speed: readonly number[];
}

export interface Side {
	readonly buildSeconds: number;
	readonly bytes: number;
	readonly points: readonly { readonly ef: number; readonly recall: number; readonly us: number }[];
}

const EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160];
const BLOCK = 250;
const ROUNDS = 4;
const K = 10;

const [treeA, treeB, options] = process.argv.slice(2) as [string, string, string];
const set = await loadSet(JSON.parse(options) as SetOptions);
const sides = [await build(treeA, set), await build(treeB, set)] as const;
const efs: number[] = [];
const speed: number[] = [];
for (const ef of EFS) {
	const recalls = sides.map(({ index }) => recall(index, set, ef));
	const times = alternate(ef);
	efs.push(ef);
	speed.push(median(times.map(([a, b]) => a / b)));
	const before = median(times.map(([a]) => a)) / BLOCK;
	sides[0].points.push({ ef, recall: recalls[0] as number, us: before * 1_000 });
	sides[1].points.push({ ef, recall: recalls[1] as number, us: (before / (speed.at(-1) as number)) * 1_000 });
	if (Math.min(...recalls) > 0.997) break;
}
const [before, after] = sides.map(({ buildSeconds, bytes, points }) => ({ buildSeconds, bytes, points }));
process.stdout.write(`${JSON.stringify({ set: set.name, before, after, speed })}\n`);

async function build(tree: string, { dimensions, metric, base }: BenchSet) {
	const { createHnsw }: typeof Index = await import(pathToFileURL(join(tree, "packages/index/src/index.ts")).href);
	const index = createHnsw({ dimensions, metric, M: 16, efConstruction: 200 });
	const start = cpuMilliseconds();
	await index.insertMany(base);
	index.optimize();
	const points: { ef: number; recall: number; us: number }[] = [];
	return { index, buildSeconds: (cpuMilliseconds() - start) / 1_000, bytes: index.memory().total, points };
}

function queryAt({ queries, dimensions }: BenchSet, at: number): Float32Array {
	return queries.subarray(at * dimensions, (at + 1) * dimensions);
}

function recall(index: Index.HnswIndex, of: BenchSet, ef: number): number {
	const answers = Array.from({ length: of.queryCount }, (_, at) => index.search(queryAt(of, at), K, { ef }));
	return recallOf(of, labelsOf(answers, K), K);
}

/** Time that this process has had: what others do on the core is not in it, so that a trial can run on a machine that is not idle. */
function cpuMilliseconds(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1_000;
}

/** Milliseconds of each block of queries: of the first side, and of the second. */
function alternate(ef: number): [number, number][] {
	const times: [number, number][] = [];
	for (let round = 0; round < ROUNDS; round++) {
		for (let from = 0; from + BLOCK <= set.queryCount; from += BLOCK) {
			const pair: [number, number] = [0, 0];
			for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
				const { index } = sides[which];
				const start = cpuMilliseconds();
				for (let at = from; at < from + BLOCK; at++) index.search(queryAt(set, at), K, { ef });
				pair[which] = cpuMilliseconds() - start;
			}
			times.push(pair);
		}
	}
	return times;
}
