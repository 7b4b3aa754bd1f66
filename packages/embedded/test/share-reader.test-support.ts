// A worker thread that reads a database which the thread that started it has open.
import { parentPort, workerData } from "node:worker_threads";
import type { ShareHandle } from "@nigh/contract";
import { openShared } from "@nigh/embedded";

/** Asked: a query. Answered: the ids, the versions in the metadata, and the state they belong to. */
const database = await openShared((workerData as { handle: ShareHandle }).handle);
const collection = await database.collection("notes");

parentPort?.on(
	"message",
	async (message: { vector: number[]; k: number; filter?: Record<string, number> } | "close") => {
		if (message === "close") {
			await database.close();
			parentPort?.close();
			return;
		}
		try {
			const { hits, changeNumber } = await collection.search({ ...message, include: { metadata: true, vector: true } });
			parentPort?.postMessage({ hits, changeNumber, count: await collection.count() });
		} catch (error) {
			parentPort?.postMessage({ failure: String(error) });
		}
	},
);
parentPort?.postMessage("ready");
