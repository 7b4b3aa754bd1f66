import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena } from "@nigh/kernels";
import { createIvf } from "./ivf.ts";
import { D, ROWS } from "./train.test-support.ts";

for (const shape of [{ kind: "ivfpq", M: D }, { kind: "ivfrabitq" }] as const) {
	test(`${shape.kind}: compacting takes no second set of codes`, async () => {
		const arena = new Arena();
		const index = createIvf({ arena, ...shape, dimensions: D, metric: "l2", storage: "disk", nlist: 10, seed: 1 });
		await index.train(ROWS);
		const n = ROWS.length / D;
		const rounds = 120;
		index.reserve(rounds * n);
		for (let round = 0; round < rounds; round++) {
			await index.insertMany(ROWS, { labels: Uint32Array.from({ length: n }, (_, i) => round * n + i) });
		}
		index.remove(Uint32Array.from({ length: n }, (_, i) => i * (rounds - 1)));
		const { codes } = index.memory();
		const before = arena.memory.buffer.byteLength;
		const used = arena.usedBytes;
		assert.ok(codes > 12 * 65_536, `${codes} bytes of codes`);
		assert.equal(index.compact({ keepRoom: true }).removedNodes, n);
		assert.equal(arena.usedBytes, used);
		const grown = arena.memory.buffer.byteLength - before;
		// Numbers of places, while rows change them.
		assert.ok(grown <= 5 * rounds * n + 65_536 && grown < codes / 2, `${grown} bytes, with ${codes} of codes`);
	});
}
