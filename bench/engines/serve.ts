import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type BuildAnswer, type Job, parseJob, type SearchAnswer } from "./protocol.ts";
import { parseSetting, type Setting } from "./setting.ts";

/** An engine in JavaScript, as the process that {@link serve} makes of it. */
export interface Engine {
	/** Builds over the base and says how large the index is; only its own work is timed. */
	build(base: Float32Array): Promise<Omit<BuildAnswer, "seconds"> & { readonly seconds?: number }>;
	/** Sets the knobs where that takes more than arguments of `search`. Called before each pass, untimed. */
	prepare?(setting: Setting): void | Promise<void>;
	/** The labels of the nearest k, nearest first. `setting` is one of the engine's entry. */
	search(query: Float32Array, setting: Setting): ArrayLike<number> | Promise<ArrayLike<number>>;
	/** Lets go of what would keep the process from ending. */
	close?(): void | Promise<void>;
}

/**
 * Runs an engine by the protocol of ./protocol.ts until its input ends. `args`: those of the protocol; an adapter of several kinds has
 * its own before them.
 */
export async function serve(
	create: (job: Job) => Engine | Promise<Engine>,
	args: readonly string[] = process.argv.slice(2),
): Promise<void> {
	try {
		const job = parseJob(args);
		const engine = await create(job);
		const flat = readFloats(job.queriesPath);
		const queries = Array.from({ length: job.queryCount }, (_, at) =>
			flat.slice(at * job.dimensions, (at + 1) * job.dimensions),
		);
		try {
			for await (const line of createInterface({ input: process.stdin })) {
				const [verb, ...words] = line.trim().split(" ");
				if (verb === "build") print(await build(engine, job));
				else if (verb === "search") print(await search(engine, job, queries, words as [string, string, string]));
				else throw new Error(`no such line: ${line}`);
			}
		} finally {
			await engine.close?.();
		}
	} catch (error) {
		print({ error: error instanceof Error ? error.message : String(error) });
		process.exitCode = 1;
	}
}

async function build(engine: Engine, job: Job): Promise<BuildAnswer> {
	const base = readFloats(job.basePath);
	const start = performance.now();
	const report = await engine.build(base);
	return { seconds: (performance.now() - start) / 1_000, ...report };
}

/** Untimed queries of an engine that had to prepare for a setting. */
const WARM_UP = 500;

let asked = false;

async function search(
	engine: Engine,
	{ k }: Job,
	queries: readonly Float32Array[],
	[word, count, out]: [string, string, string],
): Promise<SearchAnswer> {
	const n = Number(count);
	const setting = parseSetting(word);
	const ids = new Int32Array(n * k).fill(-1);
	const times = new Float32Array(n);
	await engine.prepare?.(setting);
	// What was read in anew is in no cache yet; the first queries of all are to be cold.
	if (engine.prepare !== undefined && asked)
		for (const query of queries.slice(0, WARM_UP)) await engine.search(query, setting);
	asked = true;
	const start = performance.now();
	let before = start;
	for (let at = 0; at < n; at++) {
		const found = engine.search(queries[at] as Float32Array, setting);
		// Waiting costs a turn of the event loop: only engines that answer later pay it, as their users do.
		const labels = found instanceof Promise ? await found : found;
		const after = performance.now();
		times[at] = (after - before) * 1_000;
		before = after;
		for (let rank = 0; rank < Math.min(k, labels.length); rank++) ids[at * k + rank] = labels[rank] as number;
	}
	const seconds = (before - start) / 1_000;
	writeFileSync(out, Buffer.concat([Buffer.from(ids.buffer), Buffer.from(times.buffer)]));
	return { seconds };
}

function readFloats(path: string): Float32Array {
	const bytes = readFileSync(path);
	return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function print(answer: object): void {
	process.stdout.write(`${JSON.stringify(answer)}\n`);
}
