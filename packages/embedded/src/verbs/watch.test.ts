import assert from "node:assert/strict";
import { test } from "node:test";
import type { CollectionCore } from "../core.ts";
import { specOf } from "../spec.ts";
import type { IndexState } from "../workers/messages.ts";
import { databaseHealth, health, worst } from "./watch.ts";

const SOUND: Partial<IndexState> = { kind: "hnsw", problems: [], building: null, tail: 7 };

async function coreWith(state: Partial<IndexState>, { records = 0, isWaiting = false } = {}): Promise<CollectionCore> {
	const spec = await specOf({ dimensions: 2, maxRecords: 10 }, undefined);
	const threads = { indexer: { call: async () => ({ ...SOUND, ...state }) }, reader: { call: async () => records } };
	return { key: 1, spec, searcher: {}, now: 0, isWaiting, checkOpen() {}, database: { threads } } as never;
}

async function codesOf(...given: Parameters<typeof coreWith>): Promise<string[]> {
	const { status, reasons } = await health(await coreWith(...given));
	assert.equal(status, reasons.length === 0 ? "ok" : "degraded");
	for (const { message, recommendation } of reasons) assert.ok(message !== "" && recommendation !== "");
	return reasons.map(({ code }) => code);
}

test("where nothing is wrong, there is no reason", async () => {
	assert.deepEqual(await codesOf({}), []);
});

test("an index that could not be built is told of, with what was missing", async () => {
	const problems = [{ code: "build-failed", message: "the index could not be built: no memory" }];
	assert.deepEqual(await codesOf({ problems }), ["build-failed"]);
	const { reasons } = await health(await coreWith({ problems }));
	assert.match(reasons[0]?.message ?? "", /no memory/);
});

test("writers that wait, a limit that is near, and an index that is on its way are told of", async () => {
	assert.deepEqual(await codesOf({}, { isWaiting: true }), ["tail-full"]);
	assert.deepEqual(await codesOf({}, { records: 7 }), []);
	assert.deepEqual(await codesOf({}, { records: 8 }), ["near-limit"]);
	assert.deepEqual(await codesOf({ kind: "flat", building: 0.25 }), ["index-building"]);
	assert.deepEqual(await codesOf({ kind: "hnsw", building: 0.25 }), [], "there is one already");
});

test("the worst collection tells how the database is", () => {
	const reports = { a: { status: "ok", reasons: [] }, b: { status: "degraded", reasons: [] } } as const;
	assert.equal(databaseHealth(reports).status, "degraded");
	assert.equal(databaseHealth({}).status, "ok");
	assert.equal(worst([{ status: "degraded" }, { status: "failing" }, { status: "ok" }]), "failing");
});
