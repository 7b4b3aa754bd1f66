import { checkExactAnswer } from "./answers.ts";
import { collect, plain } from "./model.ts";
import { rank } from "./oracle.ts";
import { fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";

export const deleteCases: Cases = {
	"by one id, by several, by a filter: what is deleted is gone from every verb, the rest stays": async (setting) => {
		const { assert } = setting;
		const { collection, model, space } = await fill(setting, 7, 90, defaultSpace(setting));
		const ids = model.list().map(({ id }) => id);
		const several = ids.filter((_, i) => i % 4 === 1);
		const filter = { stars: { $lt: 30 } };
		const steps = [
			{ target: ids[0] as string, goes: [ids[0] as string] },
			{ target: several, goes: several },
			{ target: { filter }, goes: undefined },
		];
		for (const { target, goes = model.list(filter).map(({ id }) => id) } of steps) {
			assert.ok(goes.length > 0, "the case deletes something");
			const { deleted } = await collection.delete(target);
			model.delete(goes);
			assert.equal(deleted, goes.length, `deleted by ${JSON.stringify(target)}`);
			assert.equal(await collection.count(), model.list().length, "count");
			assert.deepEqual(
				(await collect(collection.scan())).map(({ id }) => id),
				model.list().map(({ id }) => id),
			);
			assert.deepEqual(
				await collection.get(goes),
				goes.map(() => undefined),
			);
			const vector = [0.5, -1, 2, 1];
			const result = await collection.search({ vector, k: 90, exact: true });
			checkExactAnswer(setting, result, { ranked: rank(model.list(), vector, space), k: 90, space });
		}
	},

	"ids that are not there are passed over, one that comes twice counts once": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		await collection.upsert(["a", "b", "c"].map((id) => ({ id, vector: [1, 2, 3, 4] })));
		assert.equal((await collection.delete("missing")).deleted, 0);
		assert.equal((await collection.delete(["a", "missing", "a"])).deleted, 1);
		assert.equal((await collection.delete("a")).deleted, 0);
		assert.equal((await collection.delete([])).deleted, 0);
		assert.equal((await collection.delete({ filter: { none: 1 } })).deleted, 0);
		assert.equal(await collection.count(), 2);
	},

	"an empty filter deletes everything, and the collection can be filled again": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		const records = ["a", "b", "c"].map((id, i) => ({ id, vector: [1, 2, 3, i] }));
		await collection.upsert(records);
		assert.equal((await collection.delete({ filter: {} })).deleted, 3);
		assert.deepEqual((await collection.search({ vector: [1, 2, 3, 0] })).hits, []);
		setting.clock.now += 1_000;
		await collection.upsert(records);
		assert.equal((await collection.search({ vector: [1, 2, 3, 0] })).hits.length, 3);
		const record = await collection.get("a", { include: { vector: true } });
		const { now } = setting.clock;
		const expected = { id: "a", vector: [1, 2, 3, 0], bits: false, insertedAt: now, updatedAt: now };
		assert.deepEqual(plain(record), expected, "a deleted record has left nothing behind");
	},
};
