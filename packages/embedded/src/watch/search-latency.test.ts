import assert from "node:assert/strict";
import { test } from "node:test";
import { LatencyRecorder } from "./latency.ts";
import { COMPARED, SearchLatency } from "./search-latency.ts";

/** So many searches that take `ms`, but for one in fifty that takes far longer: the 95th percentile does not mind. */
function record(latency: SearchLatency, ms: number, count = COMPARED): void {
	for (let i = 0; i < count; i++) latency.record(i % 50 === 0 ? ms * 100 : ms);
}

function assertNear(p95: SearchLatency["p95"], built: number, now: number): void {
	assert.ok(p95 !== undefined);
	for (const [found, expected] of [
		[p95.built, built],
		[p95.now, now],
	] as const) {
		assert.ok(Math.abs(found - expected) <= expected * 0.01, `${found} for ${expected}`);
	}
}

test("the last searches are compared with the first, once there are enough of them", () => {
	const latency = new SearchLatency();
	record(latency, 2, COMPARED - 1);
	assert.equal(latency.p95, undefined);
	latency.record(2);
	assertNear(latency.p95, 2, 2);
	record(latency, 5, COMPARED - 1);
	assertNear(latency.p95, 2, 2);
	latency.record(5);
	assertNear(latency.p95, 2, 5);
	record(latency, 3);
	assertNear(latency.p95, 2, 3);
});

test("after a build it begins anew, without those that were recorded before", () => {
	const latency = new SearchLatency();
	record(latency, 2);
	record(latency, 9, COMPARED / 2);
	latency.restart();
	assert.equal(latency.p95, undefined);
	record(latency, 1);
	assertNear(latency.p95, 1, 1);
});

test("what it tells of all searches is what a recorder tells", () => {
	const latency = new SearchLatency();
	const plain = new LatencyRecorder();
	for (let i = 1; i <= 3 * COMPARED; i++) {
		latency.record(i / 7);
		plain.record(i / 7);
	}
	assert.deepEqual(latency.stats(), plain.stats());
	latency.restart();
	assert.deepEqual(latency.stats(), plain.stats());
});
