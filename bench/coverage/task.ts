import { createHash } from "node:crypto";
import type { Collection } from "./collections.ts";
import { type Attempt, attempts } from "./end-to-end.ts";
import { groupsOf } from "./groups.ts";
import { type Measured, matrixPath, readMeasured, writeMeasured } from "./matrix-file.ts";
import { measureMatrices, TARGETS } from "./measure.ts";
import { PLANTED, type PlantedName } from "./planted.ts";
import { type Power, type PowerCase, powerOf } from "./power.ts";
import { certified, peeking } from "./procedures.ts";
import { type Outcome, redraw } from "./redraw.ts";
import { drawRows } from "./rows.ts";
import { openSearcher } from "./searcher.ts";
import { type WatchOutcome, watch } from "./watch.ts";

/** The numbers of a run. */
export interface RunSize {
	readonly pool: number;
	readonly redraws: number;
	/** Queries of a certification sample. */
	readonly queries: number;
	/** Queries of a sample that is peeked at after every one. */
	readonly peeked: number;
	readonly seeds: number;
	readonly silentFor: number;
	readonly powerRuns: number;
}

export const FULL_RUN: RunSize = {
	pool: 20_000,
	redraws: 2_000,
	queries: 5_000,
	peeked: 1_000,
	seeds: 100,
	silentFor: 200_000,
	powerRuns: 4_000,
};

export const DELTA = 0.05;

/** One piece of a run, done by a thread. */
export type Task =
	| { readonly type: "collection"; readonly collection: Collection; readonly data: string; readonly cache: string }
	| { readonly type: "planted"; readonly name: PlantedName; readonly target: number }
	| { readonly type: "power"; readonly power: PowerCase }
	| { readonly type: "end-to-end"; readonly seeds: readonly number[] };

export type TaskResult =
	| ({ readonly type: "collection" } & CollectionResult)
	| ({ readonly type: "planted" } & PlantedResult)
	| { readonly type: "power"; readonly power: Power }
	| { readonly type: "end-to-end"; readonly attempts: readonly Attempt[] };

export interface CollectionResult {
	readonly collection: Collection;
	/** Seconds that building and measuring took, in this run or an earlier one. */
	readonly seconds: number;
	readonly cells: readonly CellResult[];
}

/** One k of a collection. */
export interface CellResult {
	readonly k: number;
	readonly rungs: number;
	readonly dearest: string;
	readonly outcomes: readonly Outcome[];
	readonly watched: readonly WatchOutcome[];
}

export interface PlantedResult {
	readonly name: PlantedName;
	readonly target: number;
	/** At the planted target: of whole samples, and of samples that were peeked at. */
	readonly certified: Outcome;
	readonly peeked: Outcome;
}

export async function runTask(task: Task, size: RunSize, onProgress: (text: string) => void): Promise<TaskResult> {
	if (task.type === "power") {
		const seed = seedOf(JSON.stringify(task.power));
		return { type: "power", power: powerOf(task.power, { runs: size.powerRuns, delta: DELTA, seed }) };
	}
	if (task.type === "end-to-end") {
		const made: Attempt[] = [];
		for (const [done, seed] of task.seeds.entries()) {
			made.push(...(await attempts(seed)));
			if (done % 5 === 4) onProgress(`${done + 1} of ${task.seeds.length} seeds`);
		}
		return { type: "end-to-end", attempts: made };
	}
	return task.type === "planted" ? runPlanted(task, size) : await runCollection(task, size, onProgress);
}

function runPlanted({ name, target }: { name: PlantedName; target: number }, size: RunSize): TaskResult {
	const matrix = PLANTED[name]({ target, pool: 20_000, above: 4, below: 30, seed: seedOf(`${name} ${target}`) });
	const options = { delta: DELTA, redraws: size.redraws, seed: seedOf(`redraw ${name} ${target}`) };
	const others = TARGETS.filter((other) => other !== target);
	const of = (outcomes: readonly Outcome[]) => outcomes.find((outcome) => outcome.target === target) as Outcome;
	return {
		type: "planted",
		name,
		target,
		certified: of(
			redraw(matrix, { ...options, targets: [target, ...others], queries: size.queries, procedure: certified }),
		),
		// The planted target is the one that is added last.
		peeked: of(redraw(matrix, { ...options, targets: [...others, target], queries: size.peeked, procedure: peeking })),
	};
}

async function runCollection(
	{ collection, data, cache }: Extract<Task, { type: "collection" }>,
	size: RunSize,
	onProgress: (text: string) => void,
): Promise<TaskResult> {
	const path = matrixPath(cache, collection, size.pool);
	let measured = readMeasured(path);
	if (measured === undefined) {
		measured = await measure(collection, data, size.pool, onProgress);
		writeMeasured(path, cache, measured);
	}
	const { matrices, groups, seconds } = measured;
	const cells = matrices.map((matrix): CellResult => {
		onProgress(`k ${matrix.k}: redrawing`);
		const seed = seedOf(`${collection.name} ${matrix.k}`);
		const options = { targets: TARGETS, delta: DELTA, queries: size.queries, seed };
		return {
			k: matrix.k,
			rungs: matrix.rungs.length,
			dearest: matrix.rungs[0] as string,
			outcomes: redraw(matrix, { ...options, redraws: size.redraws, procedure: certified }),
			watched: watch(matrix, groups, { ...options, seeds: size.seeds, silentFor: size.silentFor, seed: seed ^ 1 }),
		};
	});
	return { type: "collection", collection, seconds, cells };
}

async function measure(
	collection: Collection,
	data: string,
	pool: number,
	onProgress: (text: string) => void,
): Promise<Measured> {
	const start = performance.now();
	const rows = await drawRows(collection, data, pool);
	onProgress("building");
	const searcher = await openSearcher(collection, rows.base);
	try {
		const matrices = measureMatrices(collection, rows, searcher, (done) => onProgress(`${done} of ${pool} queries`));
		const groups = groupsOf(rows.pool, rows.pilot, collection.dimensions);
		return { matrices, groups, seconds: (performance.now() - start) / 1_000 };
	} finally {
		searcher.close();
	}
}

/** A seed that depends on a name alone, so that a run of some pieces is a part of the run of all. */
function seedOf(name: string): number {
	return createHash("sha256").update(name).digest().readInt32LE();
}
