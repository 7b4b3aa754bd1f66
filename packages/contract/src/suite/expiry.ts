import type { Collection } from "../collection.ts";
import { checkExactAnswer } from "./answers.ts";
import { collect, plain } from "./model.ts";
import { rank } from "./oracle.ts";
import { fill } from "./sample-records.ts";
import { type Cases, defaultSpace, type Setting } from "./setting.ts";

const LIFE = 1_000;
const VECTOR = [1, 2, 3, 4];

/** A record that expires in {@link LIFE} ms, beside one that stays. */
async function withExpiring(setting: Setting): Promise<Collection> {
	const collection = await setting.create();
	await collection.upsert([
		{ id: "expires", vector: VECTOR, metadata: { a: 1 }, expiresAt: setting.clock.now + LIFE },
		{ id: "stays", vector: [4, 3, 2, 1], metadata: { a: 1 } },
	]);
	return collection;
}

/** What every reading verb sees of the collection. */
async function seenBy(collection: Collection): Promise<Readonly<Record<string, unknown>>> {
	const filter = { a: 1 };
	const [many] = await collection.searchMany([{ vector: VECTOR }]);
	const ids = (records: readonly ({ id: string } | undefined)[] | undefined) =>
		(records ?? [])
			.map((record) => record?.id ?? "-")
			.sort()
			.join(" ");
	return {
		get: (await collection.get("expires"))?.id ?? "-",
		"get, several": ids(await collection.get(["expires", "stays"])),
		count: await collection.count(),
		"count, filtered": await collection.count({ filter }),
		scan: ids(await collect(collection.scan())),
		"scan, filtered": ids(await collect(collection.scan({ filter }))),
		search: ids((await collection.search({ vector: VECTOR })).hits),
		"search, exact": ids((await collection.search({ vector: VECTOR, exact: true })).hits),
		"search, filtered": ids((await collection.search({ vector: VECTOR, filter })).hits),
		searchMany: ids(many?.hits),
		stats: (await collection.stats()).records,
	};
}

function expected(isThere: boolean): Readonly<Record<string, unknown>> {
	const all = isThere ? "expires stays" : "stays";
	const number = isThere ? 2 : 1;
	return {
		get: isThere ? "expires" : "-",
		"get, several": isThere ? "expires stays" : "- stays",
		count: number,
		"count, filtered": number,
		scan: all,
		"scan, filtered": all,
		search: all,
		"search, exact": all,
		"search, filtered": all,
		searchMany: all,
		stats: number,
	};
}

export const expiryCases: Cases = {
	"a record is there until the ms before its expiry, and from then on in no verb that reads": async (setting) => {
		const { assert, clock } = setting;
		const collection = await withExpiring(setting);
		const { now } = clock;
		assert.deepEqual(await seenBy(collection), expected(true), "at once");
		clock.now = now + LIFE - 1;
		assert.deepEqual(await seenBy(collection), expected(true), "a ms before");
		clock.now = now + LIFE;
		assert.deepEqual(await seenBy(collection), expected(false), "at its expiry");
		await setting.refused("NOT_FOUND", () => collection.search({ id: "expires" }));
		await setting.refused("NOT_FOUND", () => collection.searchMany([{ id: "expires" }]));
	},

	"for the verbs that write an expired record is not there": async (setting) => {
		const { assert, clock } = setting;
		const collection = await withExpiring(setting);
		clock.now += LIFE;
		await setting.refused("NOT_FOUND", () => collection.update([{ id: "expires", metadata: {} }]));
		await setting.refused("NOT_FOUND", () => collection.update([{ id: "expires", expiresAt: null }]));
		assert.equal((await collection.delete("expires")).deleted, 0, "delete by id");
		assert.equal((await collection.delete({ filter: { a: 1 } })).deleted, 1, "delete by filter");
		assert.equal(await collection.count(), 0);
	},

	"an expired id that is written again is a new record": async (setting) => {
		const { assert, clock } = setting;
		const collection = await withExpiring(setting);
		clock.now += LIFE + 7;
		await collection.upsert([{ id: "expires", vector: [0, 0, 0, 1] }]);
		const record = await collection.get("expires");
		assert.deepEqual(plain(record), { id: "expires", insertedAt: clock.now, updatedAt: clock.now });
		assert.equal((await collection.search({ vector: VECTOR })).hits.length, 2);
	},

	"a record that is expired when it is written is never there": async (setting) => {
		const { assert, clock } = setting;
		const collection = await setting.create();
		const { succeeded } = await collection.upsert([
			{ id: "past", vector: VECTOR, expiresAt: clock.now - 1 },
			{ id: "now", vector: VECTOR, expiresAt: clock.now },
			{ id: "long past", vector: VECTOR, expiresAt: -1 },
		]);
		assert.equal(succeeded, 3);
		assert.equal(await collection.count(), 0);
		assert.deepEqual((await collection.search({ vector: VECTOR })).hits, []);
	},

	"min(k, records) hits although the nearest have expired": async (setting) => {
		const { collection, model, space } = await fill(setting, 80, 90, defaultSpace(setting));
		const nearest = rank(model.list(), VECTOR, space).slice(0, 30);
		const patches = nearest.map(({ id }, i) => ({ id, expiresAt: setting.clock.now + 10 * (i % 3) + 10 }));
		await collection.update(patches);
		model.update(patches);
		for (let step = 0; step < 4; step++) {
			for (const k of [5, 90]) {
				const result = await collection.search({ vector: VECTOR, k, exact: true });
				checkExactAnswer(setting, result, {
					ranked: rank(model.list(), VECTOR, space),
					k,
					space,
					note: `step ${step}`,
				});
			}
			setting.clock.now += 10;
		}
	},
};
