import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Collection, type CollectionSpec, isNighError, type WarmReport } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { vectorsFor } from "../memory/disk-generation.test-support.ts";

const N = 1_500;
const DIMENSIONS = 32;
const ROW_BYTES = 4 * DIMENSIONS;

async function filled(t: TestContext, index: CollectionSpec["index"], folder = ":memory:"): Promise<Collection> {
	const database = await openFolder(folder, { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: DIMENSIONS, metric: "l2", index });
	const vectors = vectorsFor(N, DIMENSIONS, 2);
	await notes.upsert(vectors.map((vector, i) => ({ id: `r${i}`, vector })));
	await notes.optimize();
	return notes;
}

const DISK = { kind: "ivf", storage: "disk" } as const;

/** What is told of the progress, and that it comes to its end once. */
async function warmed(notes: Collection): Promise<WarmReport> {
	const told: [done: number, total: number][] = [];
	const report = await notes.warm({ onProgress: (done, total) => told.push([done, total]) });
	const [done, total] = told.at(-1) as [number, number];
	assert.equal(done, total);
	assert.equal(told.filter(([each, all]) => each === all).length, 1);
	for (const [i, [each]] of told.entries()) if (i > 0) assert.ok(each > (told[i - 1]?.[0] as number));
	return report;
}

test("all rows that are on disk are read once, beside the memory", async (t) => {
	const notes = await filled(t, DISK);
	const { bytes, bytesRead } = await warmed(notes);
	assert.equal(bytesRead, N * ROW_BYTES);
	assert.equal(bytes, (await notes.stats()).memory?.total);
	assert.deepEqual((await warmed(notes)).bytesRead, N * ROW_BYTES);
});

test("of vectors in memory nothing is read, and of no vectors nothing at all", async (t) => {
	for (const index of [{ kind: "ivf" }, { kind: "hnsw" }, { kind: "flat" }] as const) {
		const notes = await filled(t, index);
		const report = await warmed(notes);
		assert.equal("bytesRead" in report, false);
		assert.ok(report.bytes >= N * ROW_BYTES);
	}
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const empty = await database.collection("empty", { dimensions: DIMENSIONS, metric: "l2", index: DISK });
	assert.deepEqual({ ...(await empty.warm()), durationMs: 0 }, { bytes: 0, durationMs: 0 });
});

test("wrong options are refused, and it can be given up", async (t) => {
	const notes = await filled(t, DISK);
	await assert.rejects(notes.warm({ onProgres: () => {} } as never), { code: "INVALID_OPTION" });
	await assert.rejects(notes.warm({ signal: AbortSignal.abort() }), { code: "ABORTED" });
	const controller = new AbortController();
	const onProgress = () => controller.abort();
	await assert.rejects(notes.warm({ signal: controller.signal, onProgress }), { code: "ABORTED" });
	assert.equal((await warmed(notes)).bytesRead, N * ROW_BYTES);
});

test("where another index takes over meanwhile it comes to its end", async (t) => {
	const notes = await filled(t, DISK);
	for (let round = 0; round < 6; round++) {
		const renewing = round % 2 === 0 ? notes.rebuild() : notes.optimize();
		const warming: Promise<WarmReport>[] = [];
		let isRenewed = false;
		renewing.then(
			() => {
				isRenewed = true;
			},
			() => {},
		);
		while (!isRenewed) {
			warming.push(notes.warm());
			await warming.at(-1);
		}
		await renewing;
		for (const { bytes } of await Promise.all(warming)) assert.ok(bytes > 0);
	}
});

test("closed, it says so", async (t) => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-warm-"));
	t.after(() => rmSync(folder, { recursive: true }));
	const notes = await filled(t, DISK, folder);
	await notes.close();
	await assert.rejects(notes.warm(), (error) => isNighError(error, "CLOSED"));
});
