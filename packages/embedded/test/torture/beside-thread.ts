// A thread that searches what another thread of the process writes, and checks every answer.
import { parentPort, workerData } from "node:worker_threads";
import { createRandom } from "@nigh/contract/suite";
import { openShared } from "@nigh/embedded";
import { searchOnce, type ThreadData, type ThreadResult, type Versioned } from "./beside.ts";

async function searchUntilOver({ handle, versions, seed, isOver }: ThreadData): Promise<ThreadResult> {
	const database = await openShared(handle);
	const collection = await database.collection<Versioned>("replaced");
	const random = createRandom(seed);
	let searches = 0;
	let failure: string | undefined;
	while (Atomics.load(isOver, 0) === 0 && failure === undefined) {
		failure = await searchOnce(collection, versions, random);
		searches++;
	}
	await database.close();
	return { searches, failure };
}

const result = await searchUntilOver(workerData as ThreadData).catch(
	(error): ThreadResult => ({ searches: 0, failure: String(error?.stack ?? error) }),
);
parentPort?.postMessage(result);
