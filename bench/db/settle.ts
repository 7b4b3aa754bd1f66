import { setTimeout as pause } from "node:timers/promises";
import type { Collection } from "@nigh/contract";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";

/** Between two looks: asking is work for the thread that builds the index. */
const LOOK_MS = 100;

/** Waits until all `records` are in the graph. */
export async function settled(collection: Collection, records: number, onStep?: (text: string) => void): Promise<void> {
	for (;;) {
		const { kind, main, tail } = (await collection.stats()).index;
		if (kind === "hnsw" && tail === 0 && main === records) return;
		const [reason] = (await collection.health()).reasons;
		if (reason?.code.endsWith("-failed")) throw new Error(`the index is not being built: ${reason.message}`);
		// The first number that is formatted takes 40 ms: not where nobody reads it.
		onStep?.(`${grouped(kind === "hnsw" ? main : 0)} of ${grouped(records)} in the main index`);
		await pause(LOOK_MS);
	}
}
