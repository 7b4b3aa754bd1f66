// A folder that the first version wrote. It is kept as it was, and every later version has to open it: from its snapshot, to the same records
// and the same answers.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Collection, Database } from "@nigh/contract";
import { checkApproximateAnswer, checkExactAnswer, collect, type Model, plain, rank } from "@nigh/contract/suite";
import { type OpenOptions, openFolder } from "@nigh/embedded";
import { CLOCK, CONTENTS, type Content, modelsOf, queryOf } from "./golden/contents.ts";
import { checksumsIn, checksumsOf, unpackFolder, V1 } from "./golden/folder.ts";
import { until } from "./points.test-support.ts";

const QUERIES = 25;
const EVERYTHING = { vector: true, metadata: true, text: true } as const;

function unpack(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "nigh-golden-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	unpackFolder(V1, join(folder, "data"));
	return join(folder, "data");
}

function open(folder: string, options: OpenOptions = {}): Promise<Database> {
	return openFolder(folder, { threads: 1, pruneEveryMs: 0, now: () => CLOCK.now, ...options });
}

async function checkCollection(collection: Collection, { space, spec }: Content, model: Model): Promise<void> {
	const { name } = collection;
	const expected = model.list();
	assert.deepEqual((await collect(collection.scan({ include: EVERYTHING }))).map(plain), expected.map(plain), name);
	if (expected.length === 0) return;
	for (let i = 0; i < QUERIES; i++) {
		const vector = queryOf(space, i);
		const filter = spec.filterable === undefined || i % 2 === 0 ? {} : { group: i % 5 };
		const ranked = rank(model.list(filter), vector, space);
		const wanted = { ranked, k: 10, space, note: `${name}, query ${i}` };
		checkExactAnswer({ assert }, await collection.search({ vector, filter, exact: true }), wanted);
		const found = checkApproximateAnswer({ assert }, await collection.search({ vector, filter, recall: 0.99 }), wanted);
		assert.ok(found >= 9, `${name}, query ${i}: ${found} of the 10 nearest`);
	}
}

/** Finds each by its own words. */
async function checkWords(collection: Collection, model: Model): Promise<void> {
	const vector = queryOf({ metric: "l2", dimensions: 8 }, 0);
	const search = async (text: string) =>
		(await collection.search({ vector, text, k: 1_000, fusion: { weights: { vector: 0 } } })).hits;
	const withText = (part: string) => model.list().filter(({ text }) => text?.split(" ").includes(part) === true);
	for (const word of ["group3", "523", "changed"]) {
		const hits = (await search(word)).filter(({ fusedScore = 0 }) => fusedScore > 0);
		assert.deepEqual(
			hits.map(({ id }) => id).sort(),
			withText(word)
				.map(({ id }) => id)
				.sort(),
			word,
		);
	}
}

async function checkAll(database: Database, models: ReadonlyMap<string, Model>): Promise<void> {
	assert.deepEqual((await database.collections()).toSorted(), [...models.keys()].sort());
	for (const [name, model] of models) {
		await checkCollection(await database.collection(name), CONTENTS[name] as Content, model);
	}
	await checkWords(await database.collection("graph"), models.get("graph") as Model);
	const { ok, problems } = await database.verify();
	assert.ok(ok, problems.map(({ message }) => message).join("; "));
}

test("the golden files are those that were written when their version was settled", (t) => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-golden-"));
	t.after(() => rmSync(folder, { recursive: true }));
	assert.deepEqual(unpackFolder(V1, folder), checksumsOf(V1));
});

test("a folder of version 1 opens from its snapshots, and has the records and the answers that it had", async (t) => {
	const recovered = new Map<string, unknown>();
	const listen = (message: unknown) => {
		const { collection, from, damaged } = message as { collection: string; from: string; damaged: number };
		recovered.set(collection, [from, damaged]);
	};
	subscribe("nigh:recover", listen);
	t.after(() => unsubscribe("nigh:recover", listen));
	const models = await modelsOf();
	const database = await open(unpack(t));
	t.after(() => database.close());
	for (const [name, { spec }] of Object.entries(CONTENTS)) await database.collection(name, spec);
	await until(async () => recovered.has("graph"), "a message about the recovery");
	assert.deepEqual(recovered.get("graph"), ["snapshot", 0]);
	const { index } = await (await database.collection("graph")).stats();
	assert.deepEqual([index.kind, index.main > 400], ["hnsw", true], "the graph is that of the snapshot");
	await checkAll(database, models);
	assert.deepEqual((await database.health()).status, "ok");
});

test("it can be written to, optimized, backed up and opened again", async (t) => {
	const models = await modelsOf();
	const folder = unpack(t);
	const database = await open(folder);
	t.after(() => database.close());
	for (const [name, model] of models) {
		const collection = await database.collection(name);
		const { space } = CONTENTS[name] as Content;
		if (name === "empty") continue;
		const batch = Array.from({ length: 30 }, (_, i) => ({ id: `new-${i}`, vector: queryOf(space, 100 + i) }));
		await collection.upsert(batch);
		model.upsert(batch);
		await collection.optimize();
	}
	await checkAll(database, models);
	const { path } = await database.backup(join(folder, "backup"));
	await database.close();
	const again = await open(folder);
	t.after(() => again.close());
	await checkAll(again, models);
	const restored = await open(join(folder, "restored"));
	t.after(() => restored.close());
	await restored.restore(path);
	await checkAll(restored, models);
});

test("it can be read by a process that may not write, and stays as it is", async (t) => {
	const models = await modelsOf();
	const folder = unpack(t);
	const checksums = checksumsOf(V1);
	const database = await open(folder, { readOnly: true });
	t.after(() => database.close());
	for (const [name, model] of models) {
		await checkCollection(await database.collection(name), CONTENTS[name] as Content, model);
	}
	await database.close();
	assert.deepEqual(checksumsIn(folder, Object.keys(checksums)), checksums);
});
