import { compareIds } from "../ids.ts";
import type { Json, Metadata } from "../metadata.ts";
import { FILTER_TABLE, filterRecords } from "./filter-table.ts";
import { collect, plain } from "./model.ts";
import { fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";

const ALL = { vector: true, metadata: true, text: true } as const;

export const scanCases: Cases = {
	"gives every record once, in the order of the UTF-8 bytes of the ids": async (setting) => {
		const { assert } = setting;
		const { collection, model } = await fill(setting, 9, 300, defaultSpace(setting));
		const all = model.list();
		assert.deepEqual((await collect(collection.scan({ include: ALL }))).map(plain), all.map(plain));
		const utf16 = all.map(({ id }) => id).sort();
		assert.ok(
			utf16.some((id, i) => id !== all[i]?.id),
			"the ids tell the two orders apart",
		);
	},

	"an empty collection has nothing to scan": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		assert.deepEqual(await collect(collection.scan()), []);
	},

	"starts behind `after`, which need not exist, and ends at `limit`": async (setting) => {
		const { assert } = setting;
		const { collection, model } = await fill(setting, 10, 120, defaultSpace(setting));
		const ids = model.list().map(({ id }) => id);
		const places = [ids[0], ids[60], ids[119], "\u0001", "b", "z-", "\u{10ffff}"] as string[];
		for (const after of places) {
			for (const limit of [undefined, 1, 7, 1_000]) {
				const options = { after, ...(limit !== undefined && { limit }) };
				const expected = ids.filter((id) => compareIds(id, after) > 0).slice(0, limit);
				const scanned = await collect(collection.scan(options));
				assert.deepEqual(
					scanned.map(({ id }) => id),
					expected,
					JSON.stringify(options),
				);
			}
		}
		assert.equal((await collect(collection.scan({ limit: 5 }))).length, 5);
	},

	"pages that each start behind the last id of the one before give everything once": async (setting) => {
		const { assert } = setting;
		const { collection, model } = await fill(setting, 11, 100, defaultSpace(setting));
		const filter = { kind: { $in: ["lesson", "skill"] } };
		const seen: string[] = [];
		for (let after: string | undefined; ; ) {
			const page = await collect(collection.scan({ filter, limit: 9, ...(after !== undefined && { after }) }));
			seen.push(...page.map(({ id }) => id));
			// A back end that gives the same page for ever is to fail, not to hang.
			if (page.length < 9 || seen.length > 100) break;
			after = page[8]?.id;
		}
		assert.deepEqual(
			seen,
			model.list(filter).map(({ id }) => id),
		);
	},

	"gives what a filter matches": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		await collection.upsert(filterRecords());
		for (const [filter, ids] of FILTER_TABLE) {
			const scanned = await collect(collection.scan({ filter: filter as never }));
			assert.deepEqual(
				scanned.map(({ id }) => id),
				ids,
				JSON.stringify(filter),
			);
		}
	},

	"a record has metadata, and vector and text only where they were asked for": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		const metadata: Metadata = { a: [1, null] satisfies Json };
		await collection.upsert([{ id: "a", vector: [1, 2, 3, 4], metadata, text: "words" }]);
		const fields = async (include?: object) => {
			const [record] = await collect(collection.scan(include === undefined ? {} : { include }));
			return Object.keys(record ?? {}).sort();
		};
		const always = ["id", "insertedAt", "updatedAt"];
		assert.deepEqual(await fields(), [...always, "metadata"].sort());
		assert.deepEqual(await fields({ vector: true, text: true }), [...always, "metadata", "text", "vector"].sort());
		assert.deepEqual(await fields({ metadata: false }), always);
	},

	"what is there from start to end comes exactly once, whatever is written meanwhile": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		const id = (i: number) => `r${String(i).padStart(4, "0")}`;
		const vector = [1, 2, 3, 4];
		await collection.upsert(Array.from({ length: 400 }, (_, i) => ({ id: id(i), vector })));
		const seen: string[] = [];
		for await (const record of collection.scan()) {
			seen.push(record.id);
			// Behind the scan, ahead of it, and in between.
			if (seen.length === 3) await collection.delete([id(0), id(200), id(399)]);
			if (seen.length === 5)
				await collection.upsert([
					{ id: "a", vector },
					{ id: "z", vector },
					{ id: `${id(150)}x`, vector },
				]);
			if (seen.length === 7) await collection.upsert([{ id: id(100), vector: [4, 3, 2, 1] }]);
		}
		assert.deepEqual(seen, [...new Set(seen)].sort(compareIds), "in order, none twice");
		const stayed = Array.from({ length: 400 }, (_, i) => id(i)).filter((_, i) => ![0, 200, 399].includes(i));
		const there = new Set(seen);
		assert.deepEqual(
			stayed.filter((each) => !there.has(each)),
			[],
			"missed",
		);
	},

	"a scan that is left early leaves nothing behind": async (setting) => {
		const { assert } = setting;
		const { collection, model } = await fill(setting, 12, 50, defaultSpace(setting));
		for await (const { id } of collection.scan()) {
			assert.equal(id, model.list()[0]?.id);
			break;
		}
		await collection.upsert([{ id: "zz", vector: [1, 2, 3, 4] }]);
		assert.equal((await collect(collection.scan())).length, 51);
	},
};
