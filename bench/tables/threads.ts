import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { createHnsw, type HnswIndex, type Neighbor, type Parallel } from "@nigh/index";
import { createPool } from "@nigh/threads";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { median } from "../report/operating-points.ts";
import { NIGH } from "../report/report.ts";
import { cut, lessIsBetter, recallText } from "../report/rounding.ts";
import { recallOf } from "../run/recall.ts";
import { generated, type Rows } from "../sets/generated.ts";
import { exactNeighbors } from "../sets/truth.ts";
import { type Check, K, scaledCount, type Table, type TableOptions, tableOf } from "./table.ts";
import { labelsOf } from "./time-searches.ts";
import { timesInTurns } from "./times-in-turns.ts";

export interface ThreadsRow {
	readonly work: "build" | "search";
	readonly threads: number;
	/** Seconds of each run, in their order: of `insertMany`, or of all queries in one call. */
	readonly seconds: readonly number[];
	readonly medianSeconds: number;
	/** How many times as fast as one thread, by the medians. */
	readonly timesOne: number;
	/** Of the serialised index of each build. */
	readonly sha256?: readonly string[];
}

const DIMENSIONS = 128;
const VECTORS = 100_000;
/** Enough that handing them out is a small part of the work. */
const BATCH = 10_000;
const PARAMETERS = { M: 16, efConstruction: 200 } as const;
const EF = 40;
/** Queries whose answers are held against the exact ones. */
const JUDGED = 1_000;
const MORE_THREADS = 2;

/** Runs of each number of threads, in turns. Odd, so that the median is one of them. */
const BUILDS = 3;
const SEARCHES = 5;

/** Who works; without `parallel` it is the calling thread, over a memory that is not shared, as where nobody asks for threads. */
interface Crew {
	readonly threads: number;
	readonly parallel?: Parallel;
}

interface Run {
	readonly threads: number;
	readonly seconds: number;
}

interface Build extends Run {
	readonly sha256: string;
}

/** What a second thread brings to a build and to a batch of searches, and that it changes nothing of the results. */
export async function threads(options: TableOptions): Promise<Table<ThreadsRow>> {
	const onStep = (text: string) => options.onStep(`threads: ${text}`);
	onStep("making the set");
	const n = scaledCount(VECTORS, options.scale);
	const vectors = generated({ n, dimensions: DIMENSIONS, queries: BATCH, seed: 1 });
	const pool = await createPool({ threads: MORE_THREADS });
	try {
		const crews: readonly Crew[] = [{ threads: 1 }, { threads: MORE_THREADS, parallel: pool }];
		const { builds, indexes } = await buildInTurns(crews, vectors, onStep);
		onStep("searching");
		const { searches, answers } = await searchInTurns(crews, indexes, vectors);
		for (const index of indexes) index.dispose();
		const recall = await recallOfFirst(vectors, n, answers[0] ?? []);
		const rows = [...buildRows(builds), ...searchRows(searches)];
		return tableOf({
			name: "threads",
			title: "Two threads",
			about: aboutOf(n, recall),
			rows,
			cells: cellsOf(rows),
			checks: checksOf(builds, answers),
		});
	} finally {
		await pool.close();
	}
}

/** The builds, and of each crew the last index, in breadth-first order. */
async function buildInTurns(crews: readonly Crew[], { base }: Rows, onStep: (text: string) => void) {
	const builds: Build[] = [];
	const indexes: HnswIndex[] = [];
	for (let turn = 1; turn <= BUILDS; turn++) {
		for (const [at, { threads: count, parallel }] of crews.entries()) {
			indexes[at]?.dispose();
			const index = createHnsw({ dimensions: DIMENSIONS, metric: "l2", ...PARAMETERS, shared: parallel !== undefined });
			indexes[at] = index;
			const onProgress = (done: number, total: number) =>
				onStep(`build ${turn} of ${BUILDS} with ${count}, ${done} of ${total}`);
			const start = performance.now();
			await index.insertMany(base, { onProgress, ...(parallel !== undefined && { parallel }) });
			const seconds = (performance.now() - start) / 1_000;
			builds.push({ threads: count, seconds, sha256: sha256Of(index) });
		}
	}
	for (const index of indexes) index.optimize();
	return { builds, indexes };
}

function sha256Of(index: HnswIndex): string {
	const hash = createHash("sha256");
	for (const chunk of index.serialize()) hash.update(chunk);
	return hash.digest("hex");
}

async function searchInTurns(crews: readonly Crew[], indexes: readonly HnswIndex[], { queries }: Rows) {
	const results = await timesInTurns<Neighbor[][]>(
		crews.map(({ parallel }, at) => {
			const index = indexes[at] as HnswIndex;
			if (parallel === undefined) return () => index.searchMany(queries, K, { ef: EF });
			return () => index.searchParallel(queries, K, { ef: EF, parallel });
		}),
		{ rounds: SEARCHES, warmUps: 2 },
	);
	const searches = crews.flatMap(({ threads: count }, at): Run[] =>
		(results[at]?.times ?? []).map((milliseconds) => ({ threads: count, seconds: milliseconds / 1_000 })),
	);
	return { searches, answers: results.map(({ last }) => last) };
}

export function buildRows(builds: readonly Build[]): ThreadsRow[] {
	return byThreads(builds).map((runs) => ({
		...speedOf("build", runs, builds),
		sha256: runs.map(({ sha256 }) => sha256),
	}));
}

export function searchRows(searches: readonly Run[]): ThreadsRow[] {
	return byThreads(searches).map((runs) => speedOf("search", runs, searches));
}

/** The first number of threads among all runs is what the others are held against. */
function speedOf(work: ThreadsRow["work"], runs: readonly Run[], all: readonly Run[]): ThreadsRow {
	const medianOf = (of: readonly Run[]) => median(of.map(({ seconds }) => seconds));
	const [first] = byThreads(all);
	return {
		work,
		threads: runs[0]?.threads as number,
		seconds: runs.map(({ seconds }) => seconds),
		medianSeconds: medianOf(runs),
		timesOne: medianOf(first ?? runs) / medianOf(runs),
	};
}

function byThreads<R extends Run>(runs: readonly R[]): R[][] {
	return [...Map.groupBy(runs, (run) => run.threads).values()];
}

/** `answers` are those of each crew to the same queries. */
export function checksOf(builds: readonly Pick<Build, "sha256">[], answers: readonly unknown[]): Check[] {
	return [
		{
			promise: "every build gives the same bytes, whatever the number of threads",
			holds: new Set(builds.map(({ sha256 }) => sha256)).size === 1,
		},
		{
			promise: "every search gives the same answers, whatever the number of threads",
			holds: answers.length > 1 && answers.every((each) => isDeepStrictEqual(each, answers[0])),
		},
	];
}

/** Recall of the first answers: what the speed of the searches has to be read with. */
async function recallOfFirst({ base, queries }: Rows, n: number, answers: readonly Neighbor[][]): Promise<number> {
	const set = {
		base,
		queries: queries.subarray(0, JUDGED * DIMENSIONS),
		dimensions: DIMENSIONS,
		metric: "l2",
		n,
	} as const;
	const truth = await exactNeighbors(set, K);
	return recallOf({ ...set, truth }, labelsOf(answers.slice(0, JUDGED), K), K);
}

function aboutOf(n: number, recall: number): string[] {
	const { M, efConstruction } = PARAMETERS;
	return [
		`${grouped(n)} generated vectors of ${DIMENSIONS} dimensions under l2, M ${M}, efConstruction ${efConstruction}: ${BUILDS} builds of each in turns, and ${SEARCHES} times ${grouped(BATCH)} queries in one call, k ${K}, ef ${EF}, recall@${K} ${recallText(recall)} over the first ${grouped(JUDGED)}. The median and the extremes. One thread is the caller's, without a pool and without shared memory; the start of the pool is not timed.`,
		...(availableParallelism() < MORE_THREADS
			? ["This process may use one core only: what two threads bring does not show."]
			: []),
	];
}

function cellsOf(rows: readonly ThreadsRow[]) {
	const right = (title: string) => ({ title, align: "right" as const });
	const left = (title: string) => ({ title, align: "left" as const });
	return {
		columns: [left("work"), ...["threads", "s", "min..max", ": one"].map(right), left("SHA-256 of the index")],
		rows: rows.map(({ work, threads: count, seconds, medianSeconds, timesOne, sha256 = [] }) => [
			work,
			String(count),
			lessIsBetter(NIGH, medianSeconds, 3),
			`${lessIsBetter(NIGH, Math.min(...seconds), 3)}..${lessIsBetter(NIGH, Math.max(...seconds), 3)}`,
			cut(timesOne, 2).toFixed(2),
			[...new Set(sha256)].join(", "),
		]),
	};
}
