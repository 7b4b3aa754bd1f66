// Opens a database, searches it and prints what that took: FOLDER QUERIES_FILE WARM.
import { readFileSync } from "node:fs";
import { openFolder } from "@nigh/embedded";
import { COLLECTION } from "./collection.ts";
import { DIMENSIONS, K } from "./measurement.ts";
import { rowOf } from "./records.ts";
import { processorTime, quantile, timed } from "./times.ts";

/** Milliseconds. */
export interface Opened {
	readonly openMs: number;
	/** Of the processor, all threads, for that. */
	readonly openProcessorMs: number;
	/** `null` where warm() was not asked for. */
	readonly warmMs: number | null;
	readonly firstMs: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
}

async function openOnce(folder: string, queries: Float32Array, warm: boolean): Promise<Opened> {
	const before = processorTime().all;
	const start = performance.now();
	const database = await openFolder(folder, { create: false });
	const collection = await database.collection(COLLECTION);
	const openMs = performance.now() - start;
	const openProcessorMs = processorTime().all - before;
	const warmMs = warm ? (await timed(() => collection.warm())).ms : null;
	const times: number[] = [];
	for (let i = 0; i < queries.length / DIMENSIONS; i++) {
		const vector = rowOf(queries, i);
		times.push((await timed(() => collection.search({ vector, k: K }))).ms);
	}
	await database.close();
	const [firstMs = Number.NaN, ...others] = times;
	return { openMs, openProcessorMs, warmMs, firstMs, p50Ms: quantile(others, 0.5), p99Ms: quantile(others, 0.99) };
}

if (import.meta.main) {
	const [folder = "", queriesPath = "", warm] = process.argv.slice(2);
	const bytes = readFileSync(queriesPath);
	const queries = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
	console.log(JSON.stringify(await openOnce(folder, queries, warm === "true")));
}
