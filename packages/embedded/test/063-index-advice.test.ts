// When health advises to build an index anew, from the numbers that it had when it was built, and that the advice helps.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Collection, CollectionSpec } from "@nigh/contract";
import { DIMENSIONS, points, testPlace, until } from "./points.test-support.ts";

const SPEC: CollectionSpec = {
	dimensions: DIMENSIONS,
	metric: "l2",
	index: { kind: "hnsw", M: 8, efConstruction: 40 },
};
const RECORDS = 1_500;

async function codes(collection: Collection): Promise<string[]> {
	return (await collection.health()).reasons.map(({ code }) => code);
}

const isFolded = async (collection: Collection) => (await collection.stats()).index.tail === 0;

test("churn is told of from more than a fifth on, also after reopening, and is over after optimize", async (t) => {
	const { open } = testPlace(t);
	let database = await open("data");
	let notes = await database.collection("notes", SPEC);
	await notes.upsert(points(0, RECORDS));
	await notes.optimize();
	assert.deepEqual(await codes(notes), []);
	await notes.upsert(points(0, 200, 1));
	await notes.delete(points(200, 300).map(({ id }) => id));
	assert.deepEqual(await codes(notes), [], "exactly a fifth");
	await database.close();
	database = await open("data");
	notes = await database.collection("notes");
	assert.deepEqual(await codes(notes), []);
	await notes.delete(["p300"]);
	assert.deepEqual(await codes(notes), ["index-churned"]);
	assert.equal((await database.health()).status, "degraded");
	await notes.optimize();
	assert.deepEqual(await codes(notes), []);
});

test("twice the records are told of, and the records that a burst adds while it is built belong to the build", async (t) => {
	const { open } = testPlace(t);
	const notes = await (await open("data")).collection("notes", SPEC);
	await notes.upsert(points(0, RECORDS));
	await notes.optimize();
	await notes.upsert(points(RECORDS, 2 * RECORDS - 1));
	await until(() => isFolded(notes), "everything in the index");
	assert.deepEqual(await codes(notes), []);
	await notes.upsert(points(2 * RECORDS - 1, 2 * RECORDS));
	assert.deepEqual(await codes(notes), ["index-outgrown"]);
	const [reason] = (await notes.health()).reasons;
	assert.match(reason?.message ?? "", /for 1500 records and has 3000/);
	await notes.rebuild();
	assert.deepEqual(await codes(notes), []);
});

test("a collection that is compared as a whole needs no such advice", async (t) => {
	const { open } = testPlace(t);
	const notes = await (await open("data")).collection("notes", { ...SPEC, index: { kind: "flat" } });
	await notes.upsert(points(0, 10));
	await notes.optimize();
	await notes.upsert(points(0, 100, 1));
	assert.deepEqual(await codes(notes), []);
});
