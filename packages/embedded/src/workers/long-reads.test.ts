import assert from "node:assert/strict";
import { test } from "node:test";
import { smallGeneration } from "../memory/generations.test-support.ts";
import type { RecordReader } from "../records/reader.ts";
import type { HeldState } from "./held-state.ts";
import { longReads } from "./long-reads.ts";

const DIMENSIONS = 4;
const RECORDS = 6_000;

/** Main index and tail; the nearer to the origin, the smaller the slot. */
async function reading() {
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: RECORDS + 20, graph: true });
	const rows = new Float32Array(RECORDS * DIMENSIONS);
	for (let i = 0; i < RECORDS; i++) {
		const vector = new Float32Array(DIMENSIONS).fill(i + 1);
		rows.set(vector, i * DIMENSIONS);
		small.add(vector);
	}
	await small.main?.insertMany(rows, { labels: Uint32Array.from({ length: RECORDS }, (_, i) => i), stored: true });
	small.generation.mainEnd = RECORDS;
	small.generation.publish(1);
	const reads = longReads({} as RecordReader, {} as HeldState, "worker");
	const { handle, area } = small;
	reads.attach({ key: 1, generation: handle, areas: { caller: area, worker: area } });
	const scan = (more: { deadline?: number; abort?: Int32Array; generation?: number } = {}) =>
		reads.scan({
			key: 1,
			generation: 1,
			query: { vector: new Float32Array(DIMENSIONS), k: 3, change: 1, exact: true },
			deadline: undefined,
			abort: undefined,
			...more,
		}) as Promise<{ slots: number[]; distances: number[]; cutShort: boolean } | undefined>;
	return { small, scan };
}

test("a scan whose time is up answers the best of what was compared, also of the main index", async () => {
	const { small, scan } = await reading();
	const late = performance.timeOrigin + performance.now() - 1;
	const cut = await scan({ deadline: late });
	assert.deepEqual([cut?.slots, cut?.distances, cut?.cutShort], [[0, 1, 2], [2, 4, 6], true]);
	// What lies behind the first step is not in it.
	for (let slot = 0; slot < 10; slot++) small.generation.kill(slot, 1);
	small.add(new Float32Array(DIMENSIONS));
	assert.deepEqual((await scan({ deadline: late }))?.slots, [10, 11, 12]);
	assert.deepEqual((await scan())?.slots, [RECORDS, 10, 11]);
});

test("an abort ends a scan, and another generation has none", async () => {
	const { scan } = await reading();
	await assert.rejects(scan({ abort: Int32Array.of(1) }), { code: "ABORTED" });
	assert.equal(await scan({ generation: 2 }), undefined);
	assert.equal((await scan())?.cutShort, false);
});
