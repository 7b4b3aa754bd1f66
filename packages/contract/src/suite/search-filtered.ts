import { checkApproximateAnswer, checkExactAnswer } from "./answers.ts";
import { FILTER_TABLE, filterRecords } from "./filter-table.ts";
import { rank } from "./oracle.ts";
import { anyVector, fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";

export const searchFilteredCases: Cases = {
	"every operator: the hits are exactly what matches": async (setting) => {
		const { assert, metric } = setting;
		for (const filterable of [undefined, ["kind", "stars", "author.name"]]) {
			const collection = await setting.create({
				dimensions: 4,
				metric,
				...(filterable !== undefined && { filterable }),
			});
			await collection.upsert(filterRecords());
			for (const [filter, ids] of FILTER_TABLE) {
				const { hits } = await collection.search({ vector: [1, 2, 3, 4], filter: filter as never });
				assert.deepEqual(hits.map(({ id }) => id).sort(), [...ids], JSON.stringify(filter));
			}
		}
	},

	"min(k, matches) hits, from 1 % of the records to all of them": async (setting) => {
		const { assert } = setting;
		const { collection, model, space, random } = await fill(setting, 60, 400, defaultSpace(setting));
		const filters = [
			{ stars: 50 },
			{ stars: { $in: [1, 2, 3, 97] } },
			{ kind: "skill", "author.name": "Ada" },
			{ stars: { $lt: 10 } },
			{ $or: [{ kind: "lesson" }, { tags: { $contains: "z" } }] },
			{ kind: { $ne: "note" } },
			{ stars: { $gte: 0 } },
			{ none: 1 },
			{},
		];
		const shares = filters.map((filter) => model.list(filter).length / 400);
		assert.ok(
			shares.some((share) => share > 0 && share <= 0.02),
			`shares ${shares}`,
		);
		for (const filter of filters) {
			for (const k of [1, 10, 400]) {
				const vector = anyVector(random, space);
				const expected = {
					ranked: rank(model.list(filter), vector, space),
					k,
					space,
					note: `${JSON.stringify(filter)}, k ${k}`,
				};
				checkExactAnswer(setting, await collection.search({ vector, k, filter, exact: true }), expected);
				checkApproximateAnswer(setting, await collection.search({ vector, k, filter }), expected);
			}
		}
	},

	"a filter that was used before sees what has been written, changed and deleted since": async (setting) => {
		const { clock } = setting;
		const { collection, model, space } = await fill(setting, 61, 60, defaultSpace(setting));
		const filter = { kind: "lesson" };
		const vector = [1, 0, -1, 2];
		const check = async (note: string) => {
			const ranked = rank(model.list(filter), vector, space);
			checkExactAnswer(setting, await collection.search({ vector, k: 60, filter, exact: true }), {
				ranked,
				k: 60,
				space,
				note,
			});
		};
		await check("before");
		const [first, second, third] = model.list(filter).map(({ id }) => id) as [string, string, string];
		const record = { id: "written", vector, metadata: { kind: "lesson" }, expiresAt: clock.now + 1_000 };
		await collection.upsert([record]);
		model.upsert([record]);
		await check("after a write");
		const other = model.list({ kind: "skill" })[0]?.id as string;
		const patches = [
			{ id: first, metadata: { kind: "skill" } },
			{ id: second, metadata: null },
			{ id: other, metadata: { kind: "lesson" } },
		];
		await collection.update(patches);
		model.update(patches);
		await check("after an update");
		await collection.delete(third);
		model.delete([third]);
		await check("after a delete");
		clock.now += 1_000;
		await check("after an expiry");
	},

	"maxDistance, k and a filter hold together": async (setting) => {
		const { collection, model, space } = await fill(setting, 62, 120, defaultSpace(setting));
		const filter = { kind: { $in: ["lesson", "note"] } };
		const vector = [2, 1, 0, -1];
		const matches = rank(model.list(filter), vector, space);
		for (const i of [3, 20, 50]) {
			const [near, far] = [matches[i - 1], matches[i]];
			if (
				near === undefined ||
				far === undefined ||
				far.distance - near.distance <= 10 * (near.tolerance + far.tolerance)
			)
				continue;
			const maxDistance = (near.distance + far.distance) / 2;
			const ranked = matches.slice(0, i);
			const result = await collection.search({ vector, k: 30, filter, maxDistance, exact: true });
			checkExactAnswer(setting, result, { ranked, k: 30, space, note: `of ${i}` });
		}
	},

	"collections do not leak into each other": async (setting) => {
		const { assert } = setting;
		const vector = [1, 2, 3, 4];
		const [one, other] = [await setting.create(), await setting.create()];
		await one.upsert([{ id: "a", vector, metadata: { of: "one" } }]);
		await other.upsert(["a", "b"].map((id) => ({ id, vector, metadata: { of: "other" } })));
		assert.deepEqual(
			(await one.search({ vector, k: 10 })).hits.map(({ metadata }) => metadata),
			[{ of: "one" }],
		);
		assert.equal((await other.search({ vector, filter: { of: "one" } })).hits.length, 0);
		await other.delete({ filter: {} });
		assert.equal(await one.count(), 1);
	},
};
