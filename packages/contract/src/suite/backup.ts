import { checkExactAnswer } from "./answers.ts";
import { collect, plain } from "./model.ts";
import { rank } from "./oracle.ts";
import { fill } from "./sample-records.ts";
import { type Cases, defaultSpace, type Setting } from "./setting.ts";

const ALL = { vector: true, metadata: true, text: true } as const;

/** Where the back end may write a backup. */
function placeOf({ assert, opened }: Setting): string {
	const { backupPlace } = opened;
	return backupPlace?.() ?? assert.fail("the manifest lists `backup`: `open` of the suite must give a `backupPlace`");
}

export const backupCases: Cases = {
	"a backup that is restored has everything there was when it was made": async (setting) => {
		if (!setting.has("backup") || !setting.has("restore")) return;
		const { assert, database } = setting;
		const { collection, model, space } = await fill(setting, 120, 60, defaultSpace(setting));
		await collection.update([{ id: model.list()[0]?.id as string, text: "words" }]);
		const before = (await collect(collection.scan({ include: ALL }))).map(plain);
		const other = await setting.create();
		const place = placeOf(setting);
		const report = await database.backup(place);
		assert.deepEqual([...report.collections].sort(), [collection.name, other.name].sort());
		assert.equal(report.records, 60);
		assert.ok(report.bytes > 0 && report.path.length > 0, "path and bytes");
		await collection.delete({ filter: {} });
		await collection.upsert([{ id: "later", vector: [1, 2, 3, 4] }]);
		for (const name of await database.collections()) await database.drop(name);
		const restored = await database.restore(place);
		assert.equal(restored.records, 60);
		assert.deepEqual([...restored.collections].sort(), [collection.name, other.name].sort());
		const again = await database.collection(collection.name);
		assert.deepEqual((await collect(again.scan({ include: ALL }))).map(plain), before);
		const vector = [1, 0, 2, 0];
		const result = await again.search({ vector, k: 60, exact: true });
		checkExactAnswer(setting, result, { ranked: rank(model.list(), vector, space), k: 60, space });
		await again.upsert([{ id: "more", vector }]);
		assert.equal(await again.count(), 61);
	},

	"a collection that is there is not overwritten unless that is asked for": async (setting) => {
		if (!setting.has("backup") || !setting.has("restore")) return;
		const { assert, database } = setting;
		const collection = await setting.create();
		const gone = await setting.create();
		await collection.upsert([{ id: "a", vector: [1, 2, 3, 4] }]);
		const place = placeOf(setting);
		await database.backup(place);
		await collection.upsert([{ id: "b", vector: [1, 2, 3, 4] }]);
		await database.drop(gone.name);
		await setting.refused("SPEC_CONFLICT", () => database.restore(place));
		assert.deepEqual(await database.collections(), [collection.name], "nothing was restored");
		assert.equal(await collection.count(), 2);
		await database.restore(place, { overwrite: true });
		assert.deepEqual(await database.collections(), [collection.name, gone.name].sort());
		const again = await database.collection(collection.name);
		assert.deepEqual(
			(await collect(again.scan())).map(({ id }) => id),
			["a"],
		);
	},

	"a backup that is not there is NOT_FOUND": async (setting) => {
		if (!setting.has("restore") || setting.opened.backupPlace === undefined) return;
		await setting.refused("NOT_FOUND", () => setting.database.restore(placeOf(setting)));
	},

	"verify finds nothing wrong with a database in order, and repair nothing to do": async (setting) => {
		const { assert, database } = setting;
		await fill(setting, 121, 30, defaultSpace(setting));
		if (setting.has("verify")) {
			const { ok, problems, bytes } = await database.verify();
			assert.deepEqual([ok, problems], [true, []]);
			assert.ok(bytes >= 0, `bytes ${bytes}`);
		}
		if (setting.has("repair")) assert.deepEqual(await database.repair(), { repaired: [], remaining: [] });
	},

	"share gives a handle": async (setting) => {
		if (!setting.has("share")) return;
		setting.assert.equal((await setting.database.share()).kind, "nigh-share");
	},
};
