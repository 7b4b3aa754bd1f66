// A thread that searches what another thread of the process writes, and checks every answer.
import { parentPort, workerData } from "node:worker_threads";
import { createRandom } from "@nigh/contract/suite";
import { openShared } from "@nigh/embedded";
import type { ThreadData, ThreadResult } from "./beside.ts";
import { BesideSearcher, type Versioned } from "./search-beside.ts";
import { WriteLog } from "./write-log.ts";

async function searchUntilOver({ handle, log, seed, isOver }: ThreadData): Promise<ThreadResult> {
	const database = await openShared(handle);
	const collection = await database.collection<Versioned>("replaced");
	const searcher = new BesideSearcher(collection, new WriteLog(log), createRandom(seed));
	let searches = 0;
	let failure: string | undefined;
	while (Atomics.load(isOver, 0) === 0 && failure === undefined) {
		failure = await searcher.search();
		searches++;
	}
	await database.close();
	return { searches, failure };
}

const result = await searchUntilOver(workerData as ThreadData).catch(
	(error): ThreadResult => ({ searches: 0, failure: String(error?.stack ?? error) }),
);
parentPort?.postMessage(result);
