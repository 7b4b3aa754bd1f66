import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError, type NighError } from "@nigh/contract";
import fc from "fast-check";
import type { StoredSpec } from "../records/catalogue.ts";
import { specOf } from "../spec.ts";
import {
	checkBatch,
	checkRoom,
	fillOf,
	isNearlyFull,
	memoryFor,
	nearestLimit,
	pruneTarget,
	roomFor,
} from "./limits.ts";

async function specWith(given: Parameters<typeof specOf>[0]): Promise<StoredSpec> {
	return specOf({ dimensions: 8, ...given }, undefined);
}

function refusal(check: () => void): NighError {
	try {
		check();
	} catch (error) {
		if (isNighError(error)) return error;
		throw error;
	}
	return assert.fail("nothing was refused");
}

test("the last record fits, one more is refused with the count and the limit", async () => {
	const spec = await specWith({ maxRecords: 50_000 });
	checkRoom(spec, 49_999, 1);
	const { code, details } = refusal(() => checkRoom(spec, 50_000, 1));
	assert.deepEqual([code, details], ["COLLECTION_FULL", { count: 50_000, limit: 50_000, more: 1 }]);
	// What writes over what is there needs no room.
	checkRoom(spec, 50_000, 0);
});

test("memory is refused independently of the number of records", async () => {
	const spec = await specWith({ memoryLimit: 2 ** 20 });
	const most = roomFor(spec, 0);
	checkRoom(spec, 0, most);
	const { code, details } = refusal(() => checkRoom(spec, most, 1));
	assert.equal(code, "MEMORY_LIMIT");
	assert.deepEqual([details.count, details.limit, details.more], [most, 2 ** 20, 1]);
	assert.equal(details.bytes, Math.ceil(memoryFor(spec, most + 1)));
});

test("what roomFor promises is what checkRoom allows, no more and no less", async () => {
	const bits = await specWith({ type: "bit", dimensions: 64 });
	const floats = await specWith({});
	const flat = await specWith({ index: { kind: "flat" }, metric: "l1" });
	fc.assert(
		fc.property(
			fc.constantFrom(bits, floats, flat),
			fc.integer({ min: 1, max: 100_000 }),
			fc.option(fc.integer({ min: 2 ** 20, max: 2 ** 26 })),
			fc.integer({ min: 0, max: 100_000 }),
			(base, maxRecords, memoryLimit, records) => {
				const spec = { ...base, maxRecords, memoryLimit };
				const room = roomFor(spec, records);
				assert.ok(room >= 0);
				checkRoom(spec, records, room);
				refusal(() => checkRoom(spec, records, room + 1));
			},
		),
	);
});

test("where the oldest make room, a batch that is larger than all of it is refused as a whole", async () => {
	const spec = await specWith({ maxRecords: 100, prunePolicy: "oldest" });
	checkBatch(spec, 100, 100);
	const { code, details, message } = refusal(() => checkBatch(spec, 60, 101));
	assert.deepEqual([code, details], ["COLLECTION_FULL", { count: 60, limit: 100, more: 101 }]);
	assert.match(message, /batch has 101 records.*may have 100.*smaller batches/);
	// Elsewhere, what is there already needs no room, so a batch by itself tells nothing.
	checkBatch({ ...spec, prunePolicy: "expired" }, 60, 101);
	const small = { ...spec, maxRecords: 10 ** 6, memoryLimit: 2 ** 20 };
	const most = roomFor(small, 0);
	checkBatch(small, 0, most);
	assert.equal(refusal(() => checkBatch(small, 0, most + 1)).code, "MEMORY_LIMIT");
});

test("one memory has an end where there is no other limit, and there is no room beyond it", async () => {
	const spec = await specWith({ dimensions: 16_384 });
	const most = roomFor(spec, 0);
	assert.ok(most > 10_000 && most < 100_000, `${most}`);
	checkRoom(spec, 0, most);
	assert.equal(refusal(() => checkRoom(spec, most, 1)).code, "MEMORY_LIMIT");
});

test("a write prunes from 90 % on, where nothing else is said, and a warning is due from 80 %", async () => {
	const spec = await specWith({ maxRecords: 50_000 });
	assert.equal(isNearlyFull(spec, 44_999), false);
	assert.equal(isNearlyFull(spec, 45_000), true);
	assert.equal(fillOf(spec, 40_000), spec.warnAt);
	assert.ok(fillOf(spec, 39_999) < spec.warnAt);
});

test("what it prunes is what the policy says, down to where no warning is due", async () => {
	const spec = await specWith({ maxRecords: 50_000 });
	assert.deepEqual(pruneTarget(spec, 45_000), {});
	assert.deepEqual(pruneTarget({ ...spec, prunePolicy: "oldest" }, 45_000), { maxRecords: 40_000 });
	assert.deepEqual(pruneTarget({ ...spec, maxAgeMs: 1_000 }, 45_000), { maxAgeMs: 1_000 });
});

test("the stricter of the two limits tells how full a collection is", async () => {
	const spec = await specWith({ maxRecords: 1_000_000, memoryLimit: 2 ** 20 });
	const most = roomFor(spec, 0);
	assert.ok(Math.abs(fillOf(spec, most) - 1) < 0.001);
	assert.equal(fillOf({ ...spec, maxRecords: 10 }, 5 + most), (5 + most) / 10);
	assert.equal(isNearlyFull(spec, most), true);
});

test("the end of what one memory holds is a limit that is warned of and pruned for, as those of the spec are", async () => {
	const spec = await specWith({ dimensions: 1_024 });
	const most = roomFor(spec, 0);
	assert.ok(most < spec.maxRecords && spec.memoryLimit === null);
	assert.deepEqual(nearestLimit(spec, most), { limit: "memory", share: 1 });
	assert.equal(fillOf(spec, most / 2), 0.5);
	assert.deepEqual(
		[isNearlyFull(spec, Math.ceil(most * 0.9)), isNearlyFull(spec, Math.floor(most * 0.89))],
		[true, false],
	);
	assert.deepEqual(nearestLimit({ ...spec, maxRecords: 10 }, 5), { limit: "maxRecords", share: 0.5 });
	assert.equal(nearestLimit({ ...spec, memoryLimit: 2 ** 20 }, 5).limit, "memoryLimit");
});
