import { readFileSync } from "node:fs";
import type { Collection, SearchPlan, SearchRequest } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { quantile, timed } from "../../db/times.ts";
import { K } from "../table.ts";
import { eachRow } from "../time-searches.ts";
import { dropCache } from "./drop-cache.ts";
import { bytesFromDisk, peakResident } from "./peak-resident.ts";
import { COLLECTION, type OnStep, pathsOf, type Truths, WARM_PASSES } from "./run.ts";
import { settingsAround } from "./settings.ts";

/** What a search is told beside its vector; nothing: the collection's own settings. */
export type Asked = Pick<SearchRequest, "nprobe" | "rerank">;

export interface ServeJob {
	/** Where the set lies. */
	readonly folder: string;
	/** The database's. */
	readonly database: string;
	readonly dimensions: number;
	readonly truth: keyof Truths;
	/** Whether files are also read that the system has not cached. */
	readonly isCold: boolean;
	/** Whether other settings than the collection's own are asked for, too. */
	readonly isSwept: boolean;
}

/** Milliseconds and bytes. */
export interface Served {
	readonly openMs: number;
	readonly firstMs: number;
	/** Whether the files were forgotten by the system before they were opened. */
	readonly isOpenedCold: boolean;
	readonly memory: number;
	readonly peakResident: number;
	readonly answers: readonly Answered[];
}

/** How all queries were answered, one after the other. */
export interface Answered {
	readonly cache: "cold" | "warm";
	readonly asked: Asked;
	/** What the index made of it. */
	readonly plan: Pick<SearchPlan, "index" | "nprobe" | "rerank">;
	readonly recall: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly qps: number;
	/** The process's, up to then. */
	readonly peakResident: number;
	/** Bytes for each query; `undefined` where the system does not tell. */
	readonly diskBytes: number | undefined;
}

/** Opens a database and answers the queries: first with files that are only on the disk, then with what the system keeps of them. */
export async function serveDatabase(job: ServeJob, onStep: OnStep): Promise<Served> {
	const { vectors, truth } = readQueries(job);
	const isOpenedCold = job.isCold && dropCache(job.database);
	const start = performance.now();
	const database = await openFolder(job.database, { create: false });
	const collection = await database.collection(COLLECTION);
	const openMs = performance.now() - start;
	const [vector] = vectors as [Float32Array];
	const { ms: firstMs, result: first } = await timed(() => collection.search({ vector, k: K }));
	const settings: Asked[] = [
		{},
		...(job.isSwept && first.plan.nprobe !== undefined ? settingsAround(first.plan, await cellsOf(collection)) : []),
	];
	const ask = (cache: Answered["cache"], asked: Asked) => askAll(collection, { vectors, truth, cache, asked });
	// Code that runs for the first time is slower, and says nothing of files.
	await ask("warm", {});
	const answers: Answered[] = [];
	for (const [at, asked] of isOpenedCold ? settings.entries() : []) {
		onStep(`cold, setting ${at + 1} of ${settings.length}`);
		dropCache(job.database);
		answers.push(await ask("cold", asked));
	}
	await collection.warm();
	const passes: Answered[][] = settings.map(() => []);
	for (let pass = 1; pass <= WARM_PASSES; pass++) {
		onStep(`warm, pass ${pass} of ${WARM_PASSES}`);
		for (const [at, asked] of settings.entries()) passes[at]?.push(await ask("warm", asked));
	}
	answers.push(...passes.map(medianOf));
	const { memory } = await collection.stats();
	if (memory === null) throw new Error("the collection does not tell what memory it takes");
	await database.close();
	return { openMs, firstMs, isOpenedCold, memory: memory.total, peakResident: peakResident(), answers };
}

/** The median pass, with the most memory that there was up to the last. */
function medianOf(passes: readonly Answered[]): Answered {
	const median = passes.toSorted((a, b) => a.qps - b.qps)[passes.length >> 1] as Answered;
	return { ...median, peakResident: Math.max(...passes.map((pass) => pass.peakResident)) };
}

function readQueries({ folder, dimensions, truth }: ServeJob) {
	const paths = pathsOf(folder);
	const bytes = readFileSync(paths.queries);
	const queries = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
	const truths = JSON.parse(readFileSync(paths.truths, "utf8")) as Truths;
	return {
		vectors: eachRow(queries, dimensions),
		truth: truths[truth].map((places) => new Set(places.map(String))),
	};
}

async function cellsOf(collection: Collection): Promise<number> {
	return (await collection.analyze()).cells?.count ?? 0;
}

interface Pass {
	readonly vectors: readonly Float32Array[];
	readonly truth: readonly ReadonlySet<string>[];
	readonly cache: Answered["cache"];
	readonly asked: Asked;
}

async function askAll(collection: Collection, { vectors, truth, cache, asked }: Pass): Promise<Answered> {
	const times: number[] = [];
	const readBefore = bytesFromDisk();
	let found = 0;
	let plan: SearchPlan | undefined;
	for (const [at, vector] of vectors.entries()) {
		const { ms, result } = await timed(() => collection.search({ vector, k: K, ...asked }));
		times.push(ms);
		found += result.hits.filter(({ id }) => truth[at]?.has(id)).length;
		plan ??= result.plan;
	}
	const { index, nprobe, rerank } = plan as SearchPlan;
	const read = bytesFromDisk();
	return {
		cache,
		asked,
		plan: { index, ...(nprobe !== undefined && { nprobe }), ...(rerank !== undefined && { rerank }) },
		recall: found / (K * vectors.length),
		p50Ms: quantile(times, 0.5),
		p99Ms: quantile(times, 0.99),
		qps: vectors.length / (times.reduce((sum, ms) => sum + ms, 0) / 1_000),
		peakResident: peakResident(),
		diskBytes: read === undefined || readBefore === undefined ? undefined : (read - readBefore) / vectors.length,
	};
}
