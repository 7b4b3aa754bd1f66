import { BOUNDS } from "../bounds.ts";
import type { Collection } from "../collection.ts";
import { isNighError } from "../errors.ts";
import { collect, plain } from "./model.ts";
import type { Cases, Setting } from "./setting.ts";

const VECTOR = [1, 2, 3, 4];

function limited(setting: Setting, limits: object): Promise<Collection> {
	return setting.create({ dimensions: 4, metric: setting.metric, ...limits });
}

function records(from: number, to: number) {
	return Array.from({ length: to - from }, (_, i) => ({ id: `r${String(from + i).padStart(3, "0")}`, vector: VECTOR }));
}

async function everything(collection: Collection): Promise<unknown[]> {
	return (await collect(collection.scan({ include: { vector: true, text: true } }))).map(plain);
}

export const limitsCases: Cases = {
	"up to maxRecords records are taken, and one more is COLLECTION_FULL with the count and the limit": async (
		setting,
	) => {
		const { assert } = setting;
		const collection = await limited(setting, { maxRecords: 5 });
		await collection.upsert(records(0, 4));
		await collection.upsert(records(4, 5));
		const before = await everything(collection);
		const error = await setting.refused("COLLECTION_FULL", () => collection.upsert(records(5, 6)));
		assert.deepEqual([error.details.count, error.details.limit], [5, 5], "details.count and details.limit");
		assert.ok(error.message.includes("5"), `the message tells the limit: ${error.message}`);
		assert.deepEqual(await everything(collection), before, "nothing was written");
	},

	"a batch that would go beyond maxRecords is refused as a whole; replacing and updating are not": async (setting) => {
		const { assert } = setting;
		const collection = await limited(setting, { maxRecords: 5 });
		await collection.upsert(records(0, 3));
		const before = await everything(collection);
		await setting.refused("COLLECTION_FULL", () => collection.upsert(records(1, 6)));
		assert.deepEqual(await everything(collection), before, "nothing was written");
		await collection.upsert(records(1, 5));
		assert.equal((await collection.upsert(records(0, 5))).succeeded, 5, "all of them are there already");
		assert.equal((await collection.update([{ id: "r000", metadata: {}, vector: VECTOR }])).succeeded, 1);
		await collection.delete("r000");
		await collection.upsert(records(5, 6));
		assert.equal(await collection.count(), 5);
	},

	"with partial the records that there is room for are written": async (setting) => {
		const { assert } = setting;
		const collection = await limited(setting, { maxRecords: 5 });
		await collection.upsert(records(0, 3));
		const { succeeded, failed, errors } = await collection.upsert(records(2, 8), { partial: true });
		assert.deepEqual([succeeded, failed], [3, 3]);
		assert.deepEqual(
			errors.map(({ row, error }) => [row, error.code]),
			[3, 4, 5].map((row) => [row, "COLLECTION_FULL"]),
		);
		assert.equal(await collection.count(), 5);
	},

	"records that have expired do not count": async (setting) => {
		const { assert, clock } = setting;
		const collection = await limited(setting, { maxRecords: 3 });
		await collection.upsert(
			records(0, 3).map((record, i) => ({ ...record, ...(i < 2 && { expiresAt: clock.now + 10 }) })),
		);
		await setting.refused("COLLECTION_FULL", () => collection.upsert(records(3, 4)));
		clock.now += 10;
		await collection.upsert(records(3, 5));
		assert.equal(await collection.count(), 3);
	},

	"a collection that is opened with another maxRecords has it from then on": async (setting) => {
		const { assert, metric } = setting;
		const collection = await limited(setting, { maxRecords: 2 });
		await collection.upsert(records(0, 2));
		const wider = await setting.database.collection(collection.name, { dimensions: 4, metric, maxRecords: 3 });
		await wider.upsert(records(2, 3));
		assert.equal((await wider.stats()).effective.maxRecords, 3);
		await setting.refused("COLLECTION_FULL", () => wider.upsert(records(3, 4)));
	},

	"nearLimit turns at warnAt, and health warns": async (setting) => {
		const { assert } = setting;
		for (const [warnAt, turnsAt] of [
			[undefined, 8],
			[0.5, 5],
			[1, 10],
		] as const) {
			const collection = await limited(setting, { maxRecords: 10, ...(warnAt !== undefined && { warnAt }) });
			for (let count = 1; count <= 10; count++) {
				await collection.upsert(records(count - 1, count));
				const { fill } = await collection.stats();
				const note = `${count} of 10 with warnAt ${warnAt}`;
				assert.ok(Math.abs(fill.share - count / 10) < 1e-9, `${note}: share ${fill.share}`);
				assert.equal(fill.nearLimit, count >= turnsAt, note);
				const { status, reasons } = await collection.health();
				assert.equal(status !== "ok", count >= turnsAt, `${note}: health is ${status}`);
				assert.equal(reasons.length > 0, count >= turnsAt, `${note}: reasons`);
			}
		}
	},

	"with the policy oldest a write makes room from pruneAt on; the newest records stay": async (setting) => {
		const { assert, clock } = setting;
		const collection = await limited(setting, { maxRecords: 10, warnAt: 0.5, pruneAt: 0.9, prunePolicy: "oldest" });
		for (let written = 1; written <= 35; written++) {
			clock.now += 1;
			await collection.upsert(records(written - 1, written));
			const ids = (await collect(collection.scan())).map(({ id }) => id);
			const newest = records(written - ids.length, written).map(({ id }) => id);
			assert.deepEqual(ids, newest, `after ${written} writes`);
			assert.ok(
				ids.length <= 10 && ids.length >= Math.min(written, 5),
				`${ids.length} records after ${written} writes`,
			);
		}
	},

	"with the policy expired nothing goes that has not expired or is older than maxAgeMs": async (setting) => {
		const { assert, clock } = setting;
		const collection = await limited(setting, { maxRecords: 5, pruneAt: 0.2, maxAgeMs: 1_000 });
		await collection.upsert(records(0, 5));
		clock.now += 1_000;
		await setting.refused("COLLECTION_FULL", () => collection.upsert(records(5, 6)));
		clock.now += 1;
		await collection.upsert(records(5, 6));
		assert.deepEqual(
			(await collect(collection.scan())).map(({ id }) => id),
			["r005"],
		);
	},

	"a write beyond memoryLimit is MEMORY_LIMIT, and what was there stays": async (setting) => {
		const { assert, capabilities, metric } = setting;
		const { min } = BOUNDS.memoryLimit;
		const dimensions = Math.min(capabilities.limits.dimensions, 2_048);
		const batch = (at: number) =>
			Array.from({ length: 64 }, (_, i) => ({
				id: `${at}-${i}`,
				vector: new Float32Array(dimensions).fill(at + i + 1),
			}));
		let collection: Collection;
		try {
			collection = await setting.create({ dimensions, metric, memoryLimit: min });
		} catch (error) {
			// A back end whose index is not in its memory cannot limit it, and says so.
			if (isNighError(error, "UNSUPPORTED")) return;
			throw error;
		}
		const enough = Math.ceil((16 * min) / (64 * dimensions));
		for (let at = 0; at < enough; at++) {
			const before = await collection.count();
			try {
				await collection.upsert(batch(at));
			} catch (error) {
				assert.ok(isNighError(error, "MEMORY_LIMIT"), `MEMORY_LIMIT was expected: ${error}`);
				assert.equal(await collection.count(), before, "nothing of the batch was written");
				const { hits } = await collection.search({ vector: new Float32Array(dimensions).fill(1), k: 3 });
				assert.equal(hits.length, Math.min(3, before));
				return;
			}
		}
		assert.fail(`${enough * 64} vectors of ${dimensions} floats were taken with a memoryLimit of ${min} bytes`);
	},
};
