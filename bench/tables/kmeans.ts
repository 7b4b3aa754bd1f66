import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { Arena, assignPoints, type Parallel, type PointRows, packCentroids, trainKMeans } from "@nigh/index";
import { createPool } from "@nigh/threads";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { ENGINES, missing } from "../engines/registry.ts";
import { temporaryFolder } from "../engines/temporary-folder.ts";
import { median } from "../report/operating-points.ts";
import { NIGH } from "../report/report.ts";
import { cut, lessIsBetter, moreIsBetter } from "../report/rounding.ts";
import { generated } from "../sets/generated.ts";
import { type Check, scaledCount, type Table, type TableOptions, tableOf } from "./table.ts";

export interface KMeansRow {
	readonly engine: string;
	readonly threads: number;
	/** Seconds of an iteration, the assignment and the new means: the median over the iterations after the first. */
	readonly iterationSeconds: number;
	/** Seconds of the assignment alone, the median. */
	readonly assignSeconds: number;
	/** 2 n k d floating-point operations over the seconds of the assignment, 10^9 a second. */
	readonly gigaflops: number;
	/** How many times as fast the assignment is as with one thread of the same engine. */
	readonly timesOne: number;
}

const DIMENSIONS = 128;
const POINTS = 100_000;
const POINTS_PER_CENTROID = 100;
const ITERATIONS = 10;
const MORE_THREADS = 2;

/** Trainings of each number of threads, in turns. */
const TURNS = 3;

interface Crew {
	readonly threads: number;
	readonly parallel?: Parallel;
}

interface Times {
	readonly iterations: number[];
	readonly assignments: number[];
}

/** What an iteration of k-means costs on one thread and on two, beside Faiss where it is installed, and that threads change nothing. */
export async function kmeans(options: TableOptions): Promise<Table<KMeansRow>> {
	const n = scaledCount(POINTS, options.scale);
	const k = Math.max(2, Math.floor(n / POINTS_PER_CENTROID));
	const onStep = (text: string) => options.onStep(`kmeans: ${text}`);
	onStep("making the set");
	const { base } = generated({ n, dimensions: DIMENSIONS, queries: 1, seed: 1 });
	const { rows, inertias } = await measureNigh(base, { n, k }, onStep);
	onStep("Faiss");
	const faiss = measureFaiss(base, { n, k });
	if (typeof faiss !== "string") rows.push(faiss.row);
	return tableOf({
		name: "kmeans",
		title: "k-means",
		about: [
			`${grouped(n)} generated vectors of ${DIMENSIONS} dimensions, ${grouped(k)} centroids, ${ITERATIONS} iterations from a random start, all vectors used. An iteration assigns every vector and moves every centroid; the first is left out. Medians over ${TURNS} trainings of each number of threads in turns, of Faiss over one. GFLOP/s are 2 n k d over the time of the assignment alone: Nigh computes most keys in 7-bit integers only, for bounds, and answers what float32 alone would.`,
			typeof faiss === "string" ? faiss : faiss.about,
			...(availableParallelism() < MORE_THREADS
				? ["This process may use one core only: what two threads bring does not show."]
				: []),
		],
		rows,
		cells: cellsOf(rows),
		checks: checksOf(inertias),
	});
}

async function measureNigh(base: Float32Array, size: { n: number; k: number }, onStep: (text: string) => void) {
	const arena = new Arena({ shared: true });
	const address = arena.alloc(base.byteLength);
	arena.f32(address, base.length).set(base);
	const bytes = 4 * DIMENSIONS;
	const points = { address, stride: bytes, bytes, n: size.n, dimensions: DIMENSIONS };
	const pool = await createPool({ threads: MORE_THREADS });
	try {
		const crews: readonly Crew[] = [{ threads: 1 }, { threads: MORE_THREADS, parallel: pool }];
		const times = crews.map((): Times => ({ iterations: [], assignments: [] }));
		const inertias: (readonly number[])[] = [];
		for (let turn = 1; turn <= TURNS; turn++) {
			for (const [at, crew] of crews.entries()) {
				onStep(`training ${turn} of ${TURNS} with ${crew.threads}`);
				inertias.push(await timeTraining(arena, points, size.k, crew, times[at] as Times));
			}
		}
		return { rows: crews.map(({ threads }, at) => rowOf(NIGH, threads, times, at, size)), inertias };
	} finally {
		await pool.close();
	}
}

/** Adds a training's times to `times`; returns what each iteration found. */
async function timeTraining(arena: Arena, points: PointRows, k: number, { parallel }: Crew, times: Times) {
	const shared = parallel === undefined ? {} : { parallel };
	const ends: number[] = [];
	const { centroids, assign, report } = await trainKMeans(arena, points, {
		...{ k, init: "sample", iterations: ITERATIONS, tolerance: 0, ...shared },
		onProgress: () => ends.push(performance.now()),
	});
	times.iterations.push(...ends.slice(1).map((end, i) => (end - (ends[i] as number)) / 1_000));
	const panels = packCentroids(arena, centroids);
	const start = performance.now();
	const { labels, keys } = await assignPoints(arena, panels, points, shared);
	times.assignments.push((performance.now() - start) / 1_000);
	panels.dispose();
	for (const address of [labels, keys, centroids.address, assign ?? 0]) arena.free(address);
	return [...report.inertias, report.inertia];
}

function rowOf(
	engine: string,
	threads: number,
	times: readonly Times[],
	at: number,
	{ n, k }: { readonly n: number; readonly k: number },
): KMeansRow {
	const { iterations, assignments } = times[at] as Times;
	const assignSeconds = median(assignments);
	return {
		engine,
		threads,
		iterationSeconds: median(iterations),
		assignSeconds,
		gigaflops: (2 * n * k * DIMENSIONS) / assignSeconds / 1e9,
		timesOne: median((times[0] as Times).assignments) / assignSeconds,
	};
}

/** Faiss' figures, or why there are none. */
function measureFaiss(base: Float32Array, size: { n: number; k: number }) {
	const engine = ENGINES.faiss;
	const lacking = engine === undefined ? "no entry" : missing(engine);
	if (lacking !== undefined) return `Faiss is left out: ${lacking}.`;
	const [python, isolated] = engine?.command ?? [];
	const path = join(temporaryFolder(), "points.f32");
	writeFileSync(path, base);
	const script = fileURLToPath(new URL("./faiss-kmeans.py", import.meta.url));
	const words = [size.n, DIMENSIONS, size.k, ITERATIONS].map(String);
	const { status, stdout, stderr } = spawnSync(python as string, [isolated as string, script, path, ...words], {
		encoding: "utf8",
		// Whatever its BLAS is, one thread of it.
		env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" },
	});
	if (status !== 0) return `Faiss is left out, it failed: ${stderr.trim().split("\n").at(-1)}.`;
	const answer = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as {
		readonly version: string;
		readonly iterationSeconds: number[];
		readonly assignSeconds: number[];
	};
	const times = [{ iterations: answer.iterationSeconds, assignments: answer.assignSeconds }];
	const about = `Faiss ${answer.version} is Debian's python3-faiss, a generic build without AVX2 or AVX-512, its products by the BLAS that is installed, on one thread; its times are its own statistics.`;
	return { row: rowOf("faiss", 1, times, 0, size), about };
}

export function checksOf(inertias: readonly (readonly number[])[]): Check[] {
	return [
		{
			promise: "every iteration finds the same, to the last bit, whatever the number of threads",
			holds: inertias.length > 1 && inertias.every((each) => isDeepStrictEqual(each, inertias[0])),
		},
	];
}

function cellsOf(rows: readonly KMeansRow[]) {
	const right = (title: string) => ({ title, align: "right" as const });
	return {
		columns: [
			{ title: "engine", align: "left" as const },
			...["threads", "s an iteration", "s an assignment", "GFLOP/s", ": one"].map(right),
		],
		rows: rows.map(({ engine, threads, iterationSeconds, assignSeconds, gigaflops, timesOne }) => [
			engine,
			String(threads),
			lessIsBetter(engine, iterationSeconds, 3),
			lessIsBetter(engine, assignSeconds, 3),
			moreIsBetter(engine, gigaflops),
			cut(timesOne, 2).toFixed(2),
		]),
	};
}
