import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { isNighError } from "@nigh/contract";
import { UNFILTERED } from "@nigh/recall";
import { Task } from "../workers/task.ts";
import {
	drawn,
	type Examined,
	examined,
	examinersSearcher,
	filterOf,
	NO_LIMITS,
	work,
} from "./examined.test-support.ts";
import type { CertifyRequest } from "./messages.ts";
import { certifyOnDemand } from "./on-demand.ts";

function requestFor(given: Partial<CertifyRequest> = {}): CertifyRequest {
	return {
		key: 7,
		target: undefined,
		k: undefined,
		confidence: 0.95,
		familyWise: false,
		queries: [],
		node: undefined,
		maxQueries: 5_000,
		maxMs: Number.POSITIVE_INFINITY,
		now: 1_000,
		task: new Task().words,
		...given,
	};
}

const certify = ({ collection }: Examined, given: Partial<CertifyRequest>) =>
	certifyOnDemand(collection, requestFor(given), async () => {});

test("given queries certify the cells that they belong to, at the confidence that is asked for", async (t) => {
	const all = await examined(t, { n: 1_200 });
	const { cells, isComplete } = await certify(all, {
		queries: all.queries(400) as Float32Array[],
		k: 10,
		confidence: 0.9,
	});
	assert.equal(cells.length, 1);
	const { statement, setting, measured } = cells[0] as (typeof cells)[number];
	assert.deepEqual([statement.state, statement.basis, statement.confidence], ["certified", "queries", 0.9]);
	assert.ok(setting !== null && isComplete);
	for (const { certified, mean, lowerBound, queries } of measured) {
		assert.ok(lowerBound <= mean && queries > 0);
		if (certified) assert.ok(mean >= 0.9);
	}
	// What has passed is the first of the ladder, without a gap.
	const passed = measured.map(({ certified }) => certified);
	assert.equal(passed.lastIndexOf(true), passed.filter(Boolean).length - 1);
});

test("the same queries given again are no more queries", async (t) => {
	const all = await examined(t, { n: 900 });
	const queries = all.queries(50) as Float32Array[];
	for (let i = 0; i < 4; i++) {
		const { cells } = await certify(all, { queries, k: 10 });
		assert.ok((cells[0]?.statement.queries as number) <= 50);
	}
});

test("without a log, given queries are kept for the target that they come with", async (t) => {
	const all = await examined(t, { n: 1_200, spec: { recall: 0.5, logQueries: false } });
	const first = await certify(all, { queries: all.queries(300) as Float32Array[], k: 10 });
	assert.equal(first.cells[0]?.statement.state, "certified");
	const { asked } = all.collection.strata.get(`10/${UNFILTERED}`)?.byQueries ?? { asked: 0 };
	const { cells } = await certify(all, { queries: all.queries(700) as Float32Array[], k: 10, target: 0.98 });
	assert.deepEqual([cells.length, cells[0]?.statement.target], [1, 0.98]);
	const process = all.collection.strata.get(`10/${UNFILTERED}`)?.byQueries;
	assert.ok((process?.asked as number) > asked, `${process?.asked} of ${asked}`);
	assert.equal(all.collection.strata.get(`10/${UNFILTERED}`)?.queries.items.length, 0);
});

test("a collection that is to be closed ends what is asked of it, and says so", async (t) => {
	const all = await examined(t, { n: 1_200 });
	const { collection } = all;
	const between = async () => {
		collection.isClosing = true;
	};
	const request = requestFor({ queries: all.queries(2_000) as Float32Array[], k: 10, target: 0.99 });
	await assert.rejects(certifyOnDemand(collection, request, between), { code: "CLOSED" });
});

test("cells that are to hold together are each held to their part of the error", async (t) => {
	const all = await examined(t, { n: 1_200 });
	const { cells } = await certify(all, { queries: all.queries(300) as Float32Array[], k: 5, familyWise: true });
	assert.deepEqual(
		cells.map(({ statement }) => statement.cell?.k.from),
		[1, 10],
	);
	for (const { statement } of cells) assert.ok(Math.abs((statement.confidence as number) - 0.975) < 1e-12);
});

test("what the index has lost since is told: a certificate of before is stale, or none", async (t) => {
	const all = await examined(t, { n: 1_000 });
	await certify(all, { queries: all.queries(300) as Float32Array[], k: 10 });
	const stateAfter = async (dead: number) => {
		const { generation } = all.owned;
		for (let slot = 0; slot < dead; slot++) generation.kill(slot, 2);
		generation.publish(2);
		// Without time for anything.
		return (await certify(all, { k: 10, maxMs: 0 })).cells[0]?.statement.state;
	};
	assert.equal(await stateAfter(100), "certified");
	assert.equal(await stateAfter(150), "stale");
	assert.equal(await stateAfter(600), "uncertified");
});

test("who gives it up is told so, and what was measured by then stays", async (t) => {
	const all = await examined(t, { n: 900 });
	const task = new Task();
	const between = async () => task.abort();
	const request = requestFor({ queries: all.queries(400) as Float32Array[], k: 10, task: task.words });
	await assert.rejects(certifyOnDemand(all.collection, request, between), (error) => isNighError(error, "ABORTED"));
	const { byQueries } = all.collection.stratum(10, UNFILTERED);
	assert.ok((byQueries?.asked as number) > 0);
});

test("it goes on with the generation that takes over in the middle", async (t) => {
	const all = await examined(t, { n: 900 });
	const anew = examinersSearcher(await all.next(true));
	let isFirst = true;
	const between = async () => {
		if (isFirst) all.collection.follow(anew);
		isFirst = false;
	};
	const request = requestFor({ queries: all.queries(400) as Float32Array[], k: 10 });
	const { cells } = await certifyOnDemand(all.collection, request, between);
	assert.equal(all.collection.identity, anew.generation.handle.identity?.id);
	assert.equal(cells[0]?.statement.state, "certified");
	assert.equal(all.collection.stratum(10, UNFILTERED).byQueries?.place.identity, all.collection.identity);
});

test("a filter whose matches cannot be had is told as what it is", async (t) => {
	const all = await examined(t, { n: 600 });
	const request = { queries: all.queries(20) as Float32Array[], k: 10, node: filterOf("unknown") };
	await assert.rejects(certify(all, request), (error) => isNighError(error, "UNAVAILABLE"));
	// Nothing was kept of it.
	assert.equal(all.collection.strata.size, 0);
});

test("where nothing was searched for nothing is certified, and that is told", async (t) => {
	const all = await examined(t, { n: 600 });
	const { cells, isComplete } = await certify(all, {});
	assert.ok(cells.length > 0 && !isComplete);
	for (const { statement, setting, measured } of cells) {
		assert.deepEqual([statement.state, setting, measured], ["uncertified", null, []]);
	}
});

test("queries that are not to be kept are gone when it is done", async (t) => {
	const all = await examined(t, { n: 600, spec: { logQueries: false } });
	const { cells } = await certify(all, { queries: all.queries(300) as Float32Array[], k: 10 });
	assert.equal(cells[0]?.statement.state, "certified");
	assert.equal(all.collection.stratum(10, UNFILTERED).queries.items.length, 0);
	assert.ok(NO_LIMITS.maxQueries > 0);
});

test("as long as what was certified before serves, what is told is what that has measured", async (t) => {
	const all = await examined(t, { n: 1_000 });
	const { collection, owned, queries } = all;
	collection.keep(drawn(queries(900)));
	await work(all);
	for (let slot = 0; slot < 200; slot++) owned.generation.kill(slot, 2);
	owned.generation.publish(2);
	const { cells } = await certify(all, { k: 10, maxQueries: 3 });
	const { statement, setting, measured } = cells[0] as (typeof cells)[number];
	assert.equal(statement.state, "stale");
	const serving = measured.find((each) => isDeepStrictEqual(each.setting, setting));
	assert.deepEqual(
		[serving?.certified, serving?.queries, serving?.mean],
		[true, statement.queries, statement.estimate],
	);
});
