// What verify, repair and health tell of collections that nobody has open.
import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { CollectionSpec, Database } from "@nigh/contract";
import { checkAnswers, checkRecords, DIMENSIONS, type Model, points, put, testPlace } from "./points.test-support.ts";

const KINDS: Readonly<Record<string, CollectionSpec>> = {
	flat: { dimensions: DIMENSIONS, metric: "l2", index: { kind: "flat" } },
	hnsw: { dimensions: DIMENSIONS, metric: "l2", index: { kind: "hnsw", M: 8, efConstruction: 40 } },
};
const RECORDS = 1_200;

/** A closed database of two collections, `flat` and `hnsw`, with the keys 1 and 2; the second has a snapshot. */
async function closed(t: TestContext) {
	const place = testPlace(t);
	const database = await place.open("data");
	const model: Model = new Map();
	put(model, points(0, RECORDS));
	for (const [name, spec] of Object.entries(KINDS)) {
		const collection = await database.collection(name, spec);
		await collection.upsert(points(0, RECORDS));
		await collection.optimize();
	}
	await database.close();
	return { model, place, records: join(place.folder, "data", "records.sqlite") };
}

/** Takes a record away behind the database's back, so that the records alone look as they should. */
function takeAway(path: string, key: number, label: number): void {
	const db = new DatabaseSync(path, { defensive: false });
	for (const table of ["records", "vectors"]) db.exec(`DELETE FROM ${table}_${key} WHERE label = ${label}`);
	db.exec(`DELETE FROM words_${key} WHERE rowid = ${label}`);
	db.exec(`UPDATE collections SET records = records - 1 WHERE key = ${key}`);
	db.close();
}

async function found(database: Database) {
	const { ok, problems } = await database.verify();
	assert.equal(ok, problems.length === 0);
	return problems.map(({ collection, code }) => [collection, code]);
}

/** Which collections are opened while `work` runs. */
async function openedDuring(work: () => Promise<unknown>): Promise<string[]> {
	const opened: string[] = [];
	const listen = (message: unknown) => void opened.push((message as { collection: string }).collection);
	channel("nigh:recover").subscribe(listen);
	try {
		await work();
	} finally {
		channel("nigh:recover").unsubscribe(listen);
	}
	return opened;
}

for (const readOnly of [false, true]) {
	test(`verify opens what nobody has open, readOnly ${readOnly}, and finds an index that has what the records have not`, async (t) => {
		const { place, records, model } = await closed(t);
		const sound = await place.open("data", { readOnly });
		assert.deepEqual(await found(sound), []);
		await sound.close();
		takeAway(records, 2, 7);
		model.delete("p7");
		const database = await place.open("data", { readOnly });
		assert.deepEqual(await openedDuring(() => database.verify()), ["flat", "hnsw"]);
		assert.deepEqual(await found(database), [["hnsw", "CORRUPT_SNAPSHOT"]]);
		if (readOnly) return;
		const { repaired, remaining } = await database.repair();
		assert.deepEqual([repaired.map(({ collection }) => collection), remaining], [["hnsw"], []]);
		assert.deepEqual(await found(database), []);
		const collection = await database.collection("hnsw");
		await checkRecords(collection, model);
		await checkAnswers(collection, model, { exact: true });
	});
}

test("verify closes again what it has opened, but not what somebody asks for meanwhile", async (t) => {
	const { place } = await closed(t);
	const database = await place.open("data");
	await database.verify();
	assert.deepEqual(await openedDuring(() => database.collection("flat")), ["flat"], "it was closed");
	let asked: ReturnType<Database["collection"]> | undefined;
	await database.verify({
		onProgress: () => {
			asked ??= database.collection("hnsw");
		},
	});
	const collection = await (asked as NonNullable<typeof asked>);
	assert.equal(await collection.count(), RECORDS);
	assert.deepEqual(await openedDuring(() => database.verify()), [], "both are open");
	const both = await Promise.all([database.verify(), database.verify()]);
	assert.deepEqual(
		both.map(({ ok }) => ok),
		[true, true],
	);
});

test("two who verify what nobody has open both read it to the end", async (t) => {
	const { place, records } = await closed(t);
	takeAway(records, 1, 7);
	takeAway(records, 2, 7);
	// A flat index is made of the records as they are: there is nothing to contradict them.
	const database = await place.open("data", { readOnly: true });
	const both = await Promise.all([found(database), found(database)]);
	assert.deepEqual(both, [[["hnsw", "CORRUPT_SNAPSHOT"]], [["hnsw", "CORRUPT_SNAPSHOT"]]]);
});

test("health tells of every collection right after opening, without opening any", async (t) => {
	const { place } = await closed(t);
	const full = await place.open("data");
	await full.collection("flat", { maxRecords: RECORDS });
	await full.close();
	for (const readOnly of [false, true]) {
		const database = await place.open("data", { readOnly });
		const opened = await openedDuring(async () => {
			const { status, reasons, collections } = await database.health();
			assert.deepEqual([status, reasons, Object.keys(collections)], ["degraded", [], ["flat", "hnsw"]]);
			assert.deepEqual(
				collections.flat?.reasons.map(({ code }) => code),
				["near-limit"],
			);
			assert.deepEqual(collections.hnsw, { status: "ok", reasons: [] });
		});
		assert.deepEqual(opened, []);
		await database.collection("hnsw");
		assert.equal((await database.health()).collections.hnsw?.status, "ok");
		await database.close();
	}
});
