import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ArmRecord } from "./arm-record.ts";
import { armOf, FLAT } from "./arms.ts";

const credited = (...latencies: readonly number[]): ArmRecord => {
	const record = new ArmRecord(FLAT);
	for (const latency of latencies) record.credit(latency);
	return record;
};

test("N-4: it starts at zero", () => {
	assert.deepEqual(new ArmRecord(armOf({ kind: "graph", ef: 40 })).stats, {
		arm: "ef 40",
		setting: { ef: 40 },
		endsEarly: false,
		pulls: 0,
		totalReward: 0,
		averageReward: 0,
		averageLatencyMs: null,
	});
});

test("N-5: the reward is 1000 by the latency, and the average latency is that of the average reward", () => {
	assert.equal(credited(1).stats.averageReward, 1_000);
	assert.equal(credited(10).stats.averageReward, 100);
	assert.equal(credited(0.1).stats.averageReward, 10_000);
	assert.equal(credited(5).stats.averageLatencyMs, 5);
	const { pulls, totalReward, averageReward, averageLatencyMs } = credited(1, 4).stats;
	assert.deepEqual(
		{ pulls, totalReward, averageReward, averageLatencyMs },
		{
			pulls: 2,
			totalReward: 1_250,
			averageReward: 625,
			averageLatencyMs: 1.6,
		},
	);
});

test("N-5: what is no latency leaves everything as it was", () => {
	const record = credited(5);
	const before = record.stats;
	for (const none of [0, -0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1e300]) {
		assert.equal(record.credit(none), false, String(none));
	}
	assert.deepEqual(record.stats, before);
	assert.equal(record.meanMs, 5);
});

test("the mean latency is the plain mean: a slow search shows in it", () => {
	const record = credited(1, 99);
	assert.equal(record.meanMs, 50);
	assert.ok(Math.abs((record.stats.averageLatencyMs ?? 0) - 1.98) < 1e-12);
});

test("N-12: a fallback earns nothing and is no pull, and lowers what a try is worth", () => {
	const record = credited(10, 10);
	const before = record.stats;
	record.fallbacks += 2;
	assert.deepEqual(record.stats, before);
	assert.equal(record.worth, 50);
});

test("whatever latencies come, all that it tells is finite, and the same after a trip through JSON", () => {
	fc.assert(
		fc.property(fc.array(fc.double(), { maxLength: 30 }), (latencies) => {
			const record = credited(...latencies);
			const { pulls, totalReward, averageReward, averageLatencyMs } = record.stats;
			assert.equal(pulls, latencies.filter((latency) => latency >= 1e-6 && latency <= 1e12).length);
			for (const number of [totalReward, averageReward, averageLatencyMs ?? 0, record.meanMs ?? 0]) {
				assert.ok(Number.isFinite(number) && number >= 0);
			}
			assert.equal(averageLatencyMs === null, pulls === 0);
			const again = ArmRecord.from(JSON.parse(JSON.stringify(record.state)));
			assert.deepEqual(again, record);
		}),
	);
});
