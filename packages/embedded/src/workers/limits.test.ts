import assert from "node:assert/strict";
import { test } from "node:test";
import { CELL_KINDS, type CollectionSpec, type IndexSpec, isNighError, type NighError } from "@nigh/contract";
import fc from "fast-check";
import type { Generation } from "../memory/generation.ts";
import { mostPlanned } from "../plan-memory.ts";
import { mostWithin, type PlannedChoice } from "../plan-memory-bytes.ts";
import type { IndexChoice, StoredSpec } from "../records/catalogue.ts";
import { specOf } from "../spec.ts";
import {
	checkBatch,
	checkRoom,
	fillOf,
	isNearlyFull,
	limited,
	memoryFor,
	mostUnderCap,
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

/** A cap of 8 MB, under which a kind of index is asked for or chosen. */
async function capped(index: IndexSpec, more: object = {}): Promise<StoredSpec> {
	return specWith({ dimensions: 64, metric: "l2", index, memory: { maxMB: 8 }, ...more });
}

test("a cap leaves room for what the index that was asked for holds, or, where one is chosen, for what any does", async () => {
	const space = { dimensions: 64, metric: "l2" } as const;
	const maxBytes = 8 * 2 ** 20;
	const auto = await capped("auto");
	assert.equal(roomFor(auto, 0), mostPlanned({ ...space, maxBytes }));
	const asked: readonly PlannedChoice[] = [
		{ kind: "hnsw", M: 48 },
		{ kind: "ivf" },
		{ kind: "ivfpq", storage: "disk" },
	];
	for (const index of asked) {
		const spec = await capped(index);
		assert.equal(roomFor(spec, 0), mostWithin(index, space, maxBytes), index.kind);
		assert.ok(roomFor(spec, 0) <= roomFor(auto, 0), index.kind);
		assert.equal(roomFor({ ...auto, converted: index }, 0), roomFor(spec, 0), "converted");
	}
	// It holds more than what would be chosen, since nothing has to be learnt.
	const flat = { kind: "flat" } as const;
	assert.equal(roomFor(await capped(flat), 0), mostWithin(flat, space, maxBytes));
	const untold = await specWith({ dimensions: undefined, memory: { maxMB: 8 } } as CollectionSpec);
	assert.ok(roomFor(untold, 0) > 10 ** 6, "until the dimensions are known there is nothing to tell by");
});

test("what is beyond a cap is refused with the numbers", async () => {
	for (const index of ["auto", { kind: "hnsw" }, { kind: "ivfrabitq", storage: "disk" }] as const) {
		const spec = await capped(index);
		const most = roomFor(spec, 0);
		checkRoom(spec, most - 1, 1);
		checkRoom(spec, most, 0);
		const { code, details, message } = refusal(() => checkRoom(spec, most - 3, 5));
		const { bytes, ...rest } = details as { bytes: number };
		assert.equal(code, "MEMORY_LIMIT");
		assert.deepEqual(rest, { count: most - 3, limit: 8 * 2 ** 20, more: 5, mostVectors: most });
		assert.match(message, new RegExp(`maxMB 8 .* holds ${most} vectors of 64 dimensions .* ${bytes} bytes`));
		// So much would be enough.
		const enough = { ...spec, memory: { maxMB: bytes / 2 ** 20 } };
		checkRoom(enough, most - 3, 5);
		refusal(() => checkRoom({ ...spec, memory: { maxMB: (bytes - 1) / 2 ** 20 } }, most - 3, 5));
		assert.deepEqual(nearestLimit(spec, most), { limit: "maxMB", share: 1 });
		assert.equal(refusal(() => checkBatch({ ...spec, prunePolicy: "oldest" }, 0, most + 1)).code, "MEMORY_LIMIT");
	}
});

test("a cap and a memoryLimit hold both, whichever is less", async () => {
	const spec = await capped("auto");
	const tight = { ...spec, memoryLimit: 2 ** 20 };
	assert.ok(roomFor(tight, 0) < roomFor(spec, 0));
	assert.equal(nearestLimit(tight, 100).limit, "memoryLimit");
	assert.equal(refusal(() => checkRoom({ ...spec, maxRecords: 3 }, 3, 1)).code, "COLLECTION_FULL");
});

test("a memoryLimit beside a cap goes by the index that the cap has chosen, and by a graph as long as there is none", async () => {
	const disk = { kind: "ivfpq", storage: "disk" } as const;
	const given = { dimensions: 128, metric: "l2", memory: { maxMB: 1_024 }, memoryLimit: 2 ** 28 } as const;
	const spec = await specWith({ ...given, index: "auto" });
	const generation = (index?: IndexChoice) =>
		({ slotEnd: 0, idStarts: [], handle: { index } }) as unknown as Generation;
	const withIndex = (index: IndexChoice) => limited(spec, generation(index));
	const none = limited(spec, generation());
	const graph = await specWith({ ...given, index: { kind: "hnsw" } });
	for (const serves of [disk, { kind: "ivf" }, { kind: "ivfrabitq", bits: 1, storage: "disk" }] as const) {
		const one = memoryFor(await specWith({ ...given, index: serves }), 1);
		assert.equal(memoryFor(withIndex(serves), 1), one);
		assert.equal(roomFor(withIndex(serves), 0), Math.min(Math.floor(2 ** 28 / one), mostUnderCap(spec)));
		assert.equal(memoryFor(limited(graph, generation(serves)), 1), memoryFor(graph, 1), "what was asked for stays");
	}
	assert.equal(memoryFor(none, 1_000), memoryFor(graph, 1_000));
	const most = roomFor(withIndex(disk), 0);
	assert.ok(most > 3 * roomFor(none, 0));
	checkRoom(withIndex(disk), 0, most);
	assert.equal(refusal(() => checkRoom(withIndex(disk), most, 1)).code, "MEMORY_LIMIT");
	assert.equal(withIndex(disk), withIndex({ ...disk }), "one for all that are alike");
	assert.notEqual(withIndex(disk), withIndex({ kind: "hnsw" }));
});

test("vectors on disk take no memory, and leave room for more of them", async () => {
	for (const kind of CELL_KINDS) {
		const [inMemory, onDisk] = [
			await specWith({ dimensions: 256, index: { kind } }),
			await specWith({ dimensions: 256, index: { kind, storage: "disk" } }),
		];
		assert.equal(memoryFor(inMemory, 1_000) - memoryFor(onDisk, 1_000), 1_000 * 4 * 256, kind);
		assert.ok(roomFor(onDisk, 0) > roomFor(inMemory, 0), kind);
	}
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
