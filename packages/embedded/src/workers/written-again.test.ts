import assert from "node:assert/strict";
import { test } from "node:test";
import { examined, HNSW } from "../examiner/examined.test-support.ts";
import { vectorsFor } from "../memory/disk-generation.test-support.ts";
import { smallGeneration } from "../memory/generations.test-support.ts";
import { RowMaker } from "../memory/rows.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import type { Owned } from "./next-generation.ts";
import { withoutWrittenAgain } from "./written-again.ts";

for (const wanted of [HNSW, { kind: "ivfpq", storage: "disk" }, { kind: "ivf", storage: "memory" }] as const) {
	const name = wanted.kind === "hnsw" ? wanted.kind : `${wanted.kind} (${wanted.storage})`;
	test(`${name}: a record that was written again as it was does not ask, one with another vector does`, async (t) => {
		const { owned, vectors, format } = await examined(t, { wanted, dimensions: 32, n: 1_100 });
		const { generation } = owned;
		const slots = new SlotWriter(generation);
		const rows = new RowMaker(format);
		const write = (id: string, vector: Float32Array) => {
			const expires = Number.POSITIVE_INFINITY;
			return slots.append({ label: generation.slotEnd, id, born: 2, expires, row: rows.row(vector) });
		};
		const [other, fresh] = vectorsFor(2, 32, 9) as [Float32Array, Float32Array];
		const asking: number[] = [];
		const again: number[] = [];
		for (const slot of [900, 7, 33, 502]) {
			generation.kill(slot, 2);
			const same = vectors[slot] as Float32Array;
			if (slot === 33) asking.push(write(`r${slot}`, other));
			else again.push(write(`r${slot}`, same));
		}
		asking.push(write("new", fresh));
		// The same vector under another name is another record, and may ask.
		asking.push(write("twin", vectors[1] as Float32Array));
		generation.publish(2);
		const all = Uint32Array.from([...again, ...asking].reverse());
		assert.deepEqual(
			[...(await withoutWrittenAgain(owned, all, async () => {}))].sort((a, b) => a - b),
			asking,
		);
		const none = await withoutWrittenAgain(owned, Uint32Array.from(asking), async () => {});
		assert.deepEqual(none, Uint32Array.from(asking));
	});
}

test("other work has its turn while a large index is looked through, and ends it where it throws", async () => {
	const { generation, add } = smallGeneration({ capacity: 50_001 });
	for (let i = 0; i < 50_000; i++) add(Float32Array.of(1, 2, 3, i), { id: `r${i}` });
	generation.mainEnd = 50_000;
	const slot = add(Float32Array.of(1, 2, 3, 4));
	const owned = { generation } as Owned;
	let turns = 0;
	const between = async () => {
		if (++turns > 3) throw new Error("given up");
	};
	assert.deepEqual(await withoutWrittenAgain(owned, Uint32Array.of(slot), between), Uint32Array.of(slot));
	assert.equal(turns, 3);
	await assert.rejects(withoutWrittenAgain(owned, Uint32Array.of(slot), between), /given up/);
});
