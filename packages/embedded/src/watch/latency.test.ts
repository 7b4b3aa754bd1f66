import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LatencyRecorder } from "./latency.ts";

/** The time of the call that, in order, has this share of them up to itself. */
function exactPercentile(times: readonly number[], share: number): number {
	const sorted = times.toSorted((a, b) => a - b);
	return sorted[Math.ceil(share * sorted.length) - 1] as number;
}

test("there are no percentiles before the first call", () => {
	assert.equal(new LatencyRecorder().stats(), null);
});

test("percentiles are within 1 % of those of the sorted times, count and max are exact", () => {
	const time = fc.double({ min: Math.log(0.001), max: Math.log(3_600_000), noNaN: true }).map(Math.exp);
	fc.assert(
		fc.property(fc.array(time, { minLength: 1, maxLength: 300 }), (times) => {
			const recorder = new LatencyRecorder();
			for (const ms of times) recorder.record(ms);
			const stats = recorder.stats();
			assert.ok(stats !== null);
			assert.equal(stats.count, times.length);
			assert.equal(stats.max, Math.max(...times));
			for (const [name, share] of [
				["p50", 0.5],
				["p95", 0.95],
				["p99", 0.99],
			] as const) {
				const exact = exactPercentile(times, share);
				assert.ok(Math.abs(stats[name] - exact) <= 0.01 * exact, `${name}: ${stats[name]} instead of ${exact}`);
				assert.ok(stats[name] <= stats.max);
			}
		}),
	);
});

test("what is too short or too long to tell is counted at the ends", () => {
	const recorder = new LatencyRecorder();
	recorder.record(0);
	recorder.record(0.000_01);
	recorder.record(1e9);
	const stats = recorder.stats();
	assert.ok(stats !== null);
	assert.equal(stats.count, 3);
	assert.ok(stats.p50 <= 0.001_02);
	assert.equal(stats.max, 1e9);
	assert.ok(Math.abs(stats.p99 - 3_600_000) <= 0.03 * 3_600_000);
});
