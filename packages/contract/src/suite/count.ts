import { FILTER_TABLE, filterRecords } from "./filter-table.ts";
import { fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";

export const countCases: Cases = {
	"counts what is there, and follows every write": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		assert.equal(await collection.count(), 0);
		const vector = [1, 2, 3, 4];
		await collection.upsert(["a", "b", "c"].map((id) => ({ id, vector })));
		assert.equal(await collection.count(), 3);
		await collection.upsert([{ id: "c", vector }]);
		assert.equal(await collection.count(), 3);
		await collection.delete("b");
		assert.equal(await collection.count(), 2);
		assert.equal(await collection.count({}), 2);
	},

	"counts what a filter matches": async ({ assert, ...setting }) => {
		const collection = await setting.create({
			dimensions: 4,
			metric: setting.metric,
			filterable: ["kind", "author.name"],
		});
		await collection.upsert(filterRecords());
		for (const [filter, ids] of FILTER_TABLE) {
			assert.equal(await collection.count({ filter: filter as never }), ids.length, JSON.stringify(filter));
		}
	},

	"agrees with the predicate of the contract on many records": async (setting) => {
		const { collection, model } = await fill(setting, 8, 200, defaultSpace(setting));
		for (const filter of [
			{ kind: "skill" },
			{ stars: { $lt: 7 } },
			{ "author.name": { $ne: "Ada" } },
			{ tags: { $contains: "y" } },
		]) {
			const expected = model.list(filter).length;
			setting.assert.ok(expected > 0 && expected < 200, "the filter tells records apart");
			setting.assert.equal(await collection.count({ filter }), expected, JSON.stringify(filter));
		}
	},
};
