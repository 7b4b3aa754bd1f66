// What is converted or rebuilt stays so.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openFolder } from "@nigh/embedded";

test("a converted collection is what it was converted to when it is opened again, with the spec of its creation", async () => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-convert-"));
	const spec = { dimensions: 4, index: { kind: "hnsw" } } as const;
	const open = async () => {
		const database = await openFolder(folder, { threads: 1 });
		return { database, notes: await database.collection("notes", spec) };
	};
	try {
		let { database, notes } = await open();
		await notes.upsert(
			Array.from({ length: 400 }, (_, i) => ({ id: `r${i}`, vector: [Math.cos(i), Math.sin(i), i % 7, 1] })),
		);
		await notes.optimize();
		assert.equal((await notes.stats()).effective.index.kind, "hnsw");
		await notes.convert({ kind: "flat" });
		await database.close();

		({ database, notes } = await open());
		assert.equal((await notes.stats()).effective.index.kind, "flat");
		assert.equal((await notes.search({ vector: [1, 0, 0, 1] })).recall.state, "exact");
		await notes.rebuild({ M: 8 });
		await database.close();

		({ database, notes } = await open());
		const { effective } = await notes.stats();
		assert.equal(effective.index.kind, "hnsw");
		assert.equal(effective.index.parameters.M, 8);
		await database.close();
	} finally {
		rmSync(folder, { recursive: true });
	}
});
