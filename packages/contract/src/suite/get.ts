import type { IncludeOptions } from "../records.ts";
import type { Cases } from "./setting.ts";

export const getCases: Cases = {
	"one id gives its record, a missing one undefined": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		assert.equal(await collection.get("a"), undefined, "in an empty collection");
		await collection.upsert([{ id: "a", vector: [1, 2, 3, 4] }]);
		assert.equal((await collection.get("a"))?.id, "a");
		assert.equal(await collection.get("A"), undefined);
	},

	"several ids give their records in the order of the ids, undefined for missing ones": async ({
		assert,
		...setting
	}) => {
		const collection = await setting.create();
		await collection.upsert(["a", "b", "c"].map((id) => ({ id, vector: [1, 2, 3, 4], metadata: { id } })));
		const records = await collection.get(["c", "missing", "a", "c", "b"]);
		assert.deepEqual(
			records.map((record) => record?.metadata?.id),
			["c", undefined, "a", "c", "b"],
		);
		assert.equal(records.length, 5);
		assert.deepEqual(await collection.get([]), []);
	},

	"a record has the fields that were asked for, and no others": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		const full = {
			id: "full",
			vector: [1, 2, 3, 4],
			metadata: { a: 1 },
			text: "words",
			expiresAt: setting.clock.now + 1e6,
		};
		await collection.upsert([full, { id: "bare", vector: [1, 2, 3, 4] }]);
		const always = ["id", "insertedAt", "updatedAt"];
		const rows: [include: IncludeOptions | undefined, fields: string[]][] = [
			[undefined, ["metadata", "text"]],
			[{}, ["metadata"]],
			[{ vector: true }, ["metadata", "vector"]],
			[{ vector: true, metadata: false }, ["vector"]],
			[{ text: true, metadata: true, vector: true }, ["metadata", "text", "vector"]],
			[{ metadata: false }, []],
		];
		for (const [include, fields] of rows) {
			const options = include === undefined ? undefined : { include };
			const note = `include ${JSON.stringify(include)}`;
			const [record, bare] = await collection.get(["full", "bare"], options);
			assert.deepEqual(Object.keys(record ?? {}).sort(), [...always, "expiresAt", ...fields].sort(), note);
			const bareFields = fields.filter((field) => field === "vector");
			assert.deepEqual(Object.keys(bare ?? {}).sort(), [...always, ...bareFields].sort(), `${note}, bare`);
			const alone = await collection.get("full", options);
			assert.deepEqual(Object.keys(alone ?? {}).sort(), Object.keys(record ?? {}).sort(), `${note}, alone`);
		}
	},
};
