import { checkExactAnswer } from "./answers.ts";
import { collect, plain } from "./model.ts";
import { rank } from "./oracle.ts";
import { fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";
import { createToyEmbedder } from "./toy-embedder.ts";

const ALL = { vector: true, metadata: true, text: true } as const;

export const updateCases: Cases = {
	"new metadata replaces the old; all else stays, and every record is found by its vector as before": async (
		setting,
	) => {
		const { assert, clock } = setting;
		const { collection, model, space } = await fill(setting, 3, 60, defaultSpace(setting));
		clock.now += 1_000;
		const patches = model.list().map(({ id }, i) => ({ id, metadata: { fresh: i } }));
		const { succeeded, failed, errors } = await collection.update(patches);
		assert.deepEqual([succeeded, failed, errors], [60, 0, []]);
		model.update(patches);
		assert.deepEqual((await collect(collection.scan({ include: ALL }))).map(plain), model.list().map(plain));
		for (const { id, vector } of model.list()) {
			const result = await collection.search({ vector, k: 60, exact: true });
			checkExactAnswer(setting, result, { ranked: rank(model.list(), vector, space), k: 60, space, note: id });
		}
		const { hits } = await collection.search({ vector: [1, 2, 3, 4], filter: { fresh: 7 } });
		assert.deepEqual(
			hits.map(({ metadata }) => metadata),
			[{ fresh: 7 }],
		);
	},

	"what a patch leaves out stays, and null takes a field away": async (setting) => {
		const { assert, clock } = setting;
		const collection = await setting.create();
		const { now } = clock;
		const record = { id: "a", vector: [1, 2, 3, 4], metadata: { a: 1 }, text: "words", expiresAt: now + 1e6 };
		await collection.upsert([record]);
		const expected: Record<string, unknown> = { ...record, bits: false, insertedAt: now, updatedAt: now };
		for (const field of ["metadata", "text", "expiresAt"] as const) {
			clock.now += 1;
			await collection.update([{ id: "a", [field]: null }]);
			delete expected[field];
			expected.updatedAt = clock.now;
			assert.deepEqual(plain(await collection.get("a", { include: ALL })), expected, `without ${field}`);
		}
		await collection.update([{ id: "a", text: "new", expiresAt: now + 5_000 }]);
		const again = { ...expected, text: "new", expiresAt: now + 5_000 };
		assert.deepEqual(plain(await collection.get("a", { include: ALL })), again);
		clock.now = now + 5_000;
		assert.equal(await collection.get("a"), undefined, "a record whose new expiry has come");
	},

	"a record with a new vector is found by that one and no longer by the old": async (setting) => {
		const { assert } = setting;
		const { collection, model, space } = await fill(setting, 4, 40, defaultSpace(setting));
		const patches = model
			.list()
			.filter((_, i) => i % 2 === 0)
			.map(({ id }, i) => ({ id, vector: [i, 1, -i, 2] }));
		await collection.update(patches);
		model.update(patches);
		assert.equal(await collection.count(), 40);
		for (const vector of [
			[3, 1, -3, 2],
			[0, 1, 0, 2],
			[-1, 4, 0.5, 1],
		]) {
			const result = await collection.search({ vector, k: 40, exact: true });
			checkExactAnswer(setting, result, { ranked: rank(model.list(), vector, space), k: 40, space });
		}
	},

	"a new text is embedded where the collection has an embedder": async (setting) => {
		const { assert } = setting;
		const embedder = createToyEmbedder();
		const collection = await setting.create({ embedder, metric: setting.metric });
		await collection.upsert([{ id: "a", text: "old words" }]);
		await collection.update([{ id: "a", text: "quite other words" }]);
		const record = await collection.get("a", { include: ALL });
		assert.deepEqual(plain(record)?.vector, Array.from(embedder.vectorOf("quite other words")));
		await collection.update([{ id: "a", text: null }]);
		const without = await collection.get("a", { include: ALL });
		assert.deepEqual(plain(without)?.vector, plain(record)?.vector, "without a text the vector stays");
		assert.equal(without?.text, undefined);
	},

	"several patches of one id are applied in their order": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		await collection.upsert([{ id: "a", vector: [1, 2, 3, 4], metadata: { n: 0 }, text: "zero" }]);
		const vector = [4, 3, 2, 1];
		await collection.update([
			{ id: "a", metadata: { n: 1 } },
			{ id: "a", vector },
			{ id: "a", metadata: null, text: "two" },
		]);
		const { metadata, text, vector: kept } = plain(await collection.get("a", { include: ALL })) ?? {};
		assert.deepEqual([metadata, text, kept], [undefined, "two", vector]);
	},

	"an id that is not there refuses the batch with NOT_FOUND and its row": async (setting) => {
		const { assert } = setting;
		const { collection, model } = await fill(setting, 5, 4, defaultSpace(setting));
		const id = model.list()[0]?.id as string;
		const patches = [
			{ id, metadata: { changed: true } },
			{ id: "missing", metadata: {} },
		];
		const error = await setting.refused("NOT_FOUND", () => collection.update(patches));
		assert.equal(error.details.row, 1, "details.row");
		assert.deepEqual((await collect(collection.scan({ include: ALL }))).map(plain), model.list().map(plain));
	},

	"with partial the good patches are applied and the others reported": async (setting) => {
		const { assert } = setting;
		const { collection, model } = await fill(setting, 6, 4, defaultSpace(setting));
		const id = model.list()[0]?.id as string;
		const good = { id, metadata: { changed: true } };
		const { succeeded, failed, errors } = await collection.update(
			[{ id: "missing", metadata: {} }, good, { id, vector: [1] }],
			{ partial: true },
		);
		assert.deepEqual([succeeded, failed], [1, 2]);
		assert.deepEqual(
			errors.map(({ row, id, error }) => [row, id, error.code]),
			[
				[0, "missing", "NOT_FOUND"],
				[2, id, "DIMENSION_MISMATCH"],
			],
		);
		model.update([good]);
		assert.deepEqual((await collect(collection.scan({ include: ALL }))).map(plain), model.list().map(plain));
	},

	"an empty batch does nothing": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		const { succeeded, failed } = await collection.update([]);
		assert.deepEqual([succeeded, failed], [0, 0]);
	},
};
