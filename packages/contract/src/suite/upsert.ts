import { compareIds } from "../ids.ts";
import type { Metadata } from "../metadata.ts";
import type { RecordInput } from "../records.ts";
import { checkExactAnswer } from "./answers.ts";
import { collect, Model, plain } from "./model.ts";
import { rank } from "./oracle.ts";
import { fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";
import { createToyEmbedder } from "./toy-embedder.ts";

const ALL = { vector: true, metadata: true, text: true } as const;

/** Ids that careless code takes for each other, or for something else than an id. */
const TRICKY_IDS = [
	...["a", "A", "a ", " a", "1", "01", "1.0", "true", "null", "undefined", "__proto__", "constructor", "toString"],
	...[
		"\u00e9",
		"e\u0301",
		"\ufb01",
		"fi",
		"\u{1f600}",
		"\uffff",
		"\u{10ffff}",
		"\ufeffa",
		"a\u200b",
		"\u0001",
		"\n",
		"\t",
	],
	...[
		"' OR 1=1 --",
		'"',
		"%",
		"_",
		"\\",
		"../a",
		"a/b",
		"a?b#c",
		"%41",
		"$1",
		"{}",
		"a,b",
		"\u007f",
		"ß",
		"ss",
		"İ",
		"i",
	],
	"x".repeat(512),
	`${"x".repeat(511)}y`,
	"\u{1f600}".repeat(128),
];

export const upsertCases: Cases = {
	"what was written is there, with everything it has, under its id": async (setting) => {
		const { assert, clock } = setting;
		const collection = await setting.create();
		const record = {
			id: "a",
			vector: [1, -2.5, 0.1, 1e-3],
			metadata: { type: "lesson" },
			text: "words",
			expiresAt: clock.now + 1_000,
		};
		const { succeeded, failed, errors } = await collection.upsert([record]);
		assert.deepEqual([succeeded, failed, errors], [1, 0, []]);
		const { now } = clock;
		assert.deepEqual(plain(await collection.get("a", { include: ALL })), {
			...record,
			vector: record.vector.map(Math.fround),
			bits: false,
			insertedAt: now,
			updatedAt: now,
		});
	},

	"a record whose id exists is replaced as a whole; only insertedAt stays": async (setting) => {
		const { assert, clock } = setting;
		const collection = await setting.create();
		const model = new Model(clock);
		const first = { id: "a", vector: [1, 0, 0, 0], metadata: { old: 1 }, text: "old", expiresAt: clock.now + 1e9 };
		const second = { id: "a", vector: [0, 1, 0, 0] };
		for (const record of [first, second]) {
			await collection.upsert([record]);
			model.upsert([record]);
			assert.deepEqual(plain(await collection.get("a", { include: ALL })), plain(model.get("a")));
			clock.now += 5_000;
		}
		clock.now += 1e9;
		assert.ok((await collection.get("a")) !== undefined, "the expiry of the replaced record is gone with it");
	},

	"an id that is written again is one hit, found by its new vector, and all the others by theirs": async (setting) => {
		const { assert } = setting;
		const { collection, model, space } = await fill(setting, 1, 80, { ...defaultSpace(setting), dimensions: 6 });
		const again = model.list().filter((_, i) => i % 3 === 0);
		const moved = again.map(({ id }, i) => ({
			id,
			vector: Float32Array.from({ length: 6 }, (_, j) => (i * 7 + j * j) % 11),
		}));
		await collection.upsert(moved);
		model.upsert(moved);
		assert.equal(await collection.count(), 80);
		for (const { vector, id } of model.list()) {
			const ranked = rank(model.list(), vector, space);
			const result = await collection.search({ vector, k: 100, exact: true });
			checkExactAnswer(setting, result, { ranked, k: 100, space, note: `by the vector of ${JSON.stringify(id)}` });
		}
	},

	"of an id that comes twice in a batch the later record stays": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		const batch = [
			{ id: "a", vector: [1, 0, 0, 0], metadata: { n: 1 } },
			{ id: "b", vector: [0, 1, 0, 0], metadata: { n: 2 } },
			{ id: "a", vector: [0, 0, 1, 0], metadata: { n: 3 } },
			{ id: "a", vector: [0, 0, 0, 1] },
		];
		const model = new Model(setting.clock);
		model.upsert(batch);
		const { succeeded, failed } = await collection.upsert(batch);
		assert.equal(succeeded + failed, batch.length, "every row of the batch is accounted for");
		assert.deepEqual((await collect(collection.scan({ include: ALL }))).map(plain), model.list().map(plain));
		const { hits } = await collection.search({ vector: [1, 0, 0, 0] });
		assert.equal(hits.length, 2, "hits");
	},

	"one bad record refuses the batch, and nothing of it is written": async (setting) => {
		const { assert } = setting;
		const { collection, model } = await fill(setting, 2, 5, defaultSpace(setting));
		const before = model.list().map(plain);
		const good = (id: string) => ({ id, vector: [1, 2, 3, 4] });
		const existing = before[0]?.id as string;
		const bad = { id: "bad", vector: [1, 2, Number.NaN, 4] };
		const error = await setting.refused("INVALID_VECTOR", () =>
			collection.upsert([good("new"), good(existing), bad, good("newer")]),
		);
		assert.equal(error.details.row, 2, "details.row");
		assert.deepEqual((await collect(collection.scan({ include: ALL }))).map(plain), before);
	},

	"with partial the good records are written and the others reported, in the order of the rows": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		const vector = [1, 2, 3, 4];
		const rows = [
			{ id: "a", vector },
			{ id: "b", vector: [1, 2, 3] },
			{ id: "", vector },
			{ id: "c", vector },
			{ id: "d", vector, metadata: { at: new Map() } },
			{ id: "e", vector: [1, 2, 3, Number.POSITIVE_INFINITY] },
			// A bad row does not take the place of a good one with its id.
			{ id: "a", vector: [] },
		] as unknown as RecordInput[];
		const { succeeded, failed, errors } = await collection.upsert(rows, { partial: true });
		assert.deepEqual([succeeded, failed], [2, 5]);
		const seen = errors.map(({ row, id, error }) => [row, id === "" ? undefined : id, error.code]);
		assert.deepEqual(seen, [
			[1, "b", "DIMENSION_MISMATCH"],
			[2, undefined, "INVALID_RECORD"],
			[4, "d", "INVALID_RECORD"],
			[5, "e", "INVALID_VECTOR"],
			[6, "a", "DIMENSION_MISMATCH"],
		]);
		const there = await collect(collection.scan());
		assert.deepEqual(
			there.map(({ id }) => id),
			["a", "c"],
		);
	},

	"an empty batch does nothing": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		const { succeeded, failed, errors } = await collection.upsert([]);
		assert.deepEqual([succeeded, failed, errors], [0, 0, []]);
		assert.equal(await collection.count(), 0);
	},

	"ids that look alike are different": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		await collection.upsert(TRICKY_IDS.map((id, i) => ({ id, vector: [i, 1, 0, 0], metadata: { i } })));
		const records = await collection.get(TRICKY_IDS);
		assert.deepEqual(
			records.map((record) => [record?.id, record?.metadata?.i]),
			TRICKY_IDS.map((id, i) => [id, i]),
		);
		const scanned = await collect(collection.scan());
		assert.deepEqual(
			scanned.map(({ id }) => id),
			[...TRICKY_IDS].sort(compareIds),
		);
		const { hits } = await collection.search({ vector: [1, 1, 0, 0], k: 100 });
		assert.deepEqual(hits.map(({ id }) => id).sort(compareIds), [...TRICKY_IDS].sort(compareIds));
		await collection.delete("a");
		assert.equal(await collection.count(), TRICKY_IDS.length - 1);
	},

	"metadata of any JSON comes back as it was": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		const all = [
			{},
			{ a: null, b: true, c: false, d: 0, e: "", f: [], g: {} },
			{ n: [1e308, 5e-324, 0.1 + 0.2, 2 ** 53, -1.5, 1e21] },
			{ s: "\u{1f600}\u2028'\"\\\n\u0001\ud7ff e\u0301" },
			{ "": 1, "a.b": 2, $c: 3, constructor: 4, "\u{10000}": 5 },
			JSON.parse('{ "__proto__": { "x": 1 }, "deep": [[[[[[[[[[{ "end": true }]]]]]]]]]] }') as Metadata,
		];
		await collection.upsert(all.map((metadata, i) => ({ id: `${i}`, vector: [1, 2, 3, i], metadata })));
		for (const [i, metadata] of all.entries()) {
			const record = await collection.get(`${i}`);
			assert.equal(canonical(record?.metadata), canonical(metadata), `metadata ${i}`);
		}
		await collection.upsert([{ id: "u", vector: [1, 2, 3, 4], metadata: { gone: undefined, kept: 1 } }]);
		assert.deepEqual((await collection.get("u"))?.metadata, { kept: 1 });
	},

	"what the caller does to its objects later does not reach the record": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		const vector = Float32Array.of(1, 2, 3, 4);
		const metadata = { list: [1] };
		await collection.upsert([{ id: "a", vector, metadata }]);
		vector.fill(9);
		metadata.list.push(2);
		const record = await collection.get("a", { include: ALL });
		assert.deepEqual(plain(record)?.vector, [1, 2, 3, 4]);
		assert.deepEqual(record?.metadata, { list: [1] });
		record?.vector?.fill(5);
		assert.deepEqual(
			plain(await collection.get("a", { include: ALL }))?.vector,
			[1, 2, 3, 4],
			"a vector that was read",
		);
	},

	"a record with a text and no vector is embedded; one with both keeps its vector": async (setting) => {
		const { assert } = setting;
		const embedder = createToyEmbedder();
		const collection = await setting.create({ embedder, metric: setting.metric });
		const own = Float32Array.from({ length: 8 }, (_, i) => i);
		await collection.upsert([
			{ id: "embedded", text: "some words" },
			{ id: "own", text: "some words", vector: own },
		]);
		const [embedded, given] = await collection.get(["embedded", "own"], { include: ALL });
		assert.deepEqual(plain(embedded)?.vector, Array.from(embedder.vectorOf("some words")));
		assert.deepEqual(plain(given)?.vector, Array.from(own));
		await setting.refused("INVALID_RECORD", () => collection.upsert([{ id: "neither" }]), "neither vector nor text");
	},

	"writes at the same time are all there, and a write is seen by every call that begins after it": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		const one = async (i: number) => {
			const id = `r${i}`;
			const { changeNumber } = await collection.upsert([{ id, vector: [i, 1, i * i, 0] }]);
			assert.equal((await collection.get(id))?.id, id);
			const result = await collection.search({ id, k: 1 });
			assert.ok(result.changeNumber >= changeNumber, "a search sees the changes acknowledged before it");
			assert.ok(result.hits.length === 1, "a search finds what was acknowledged before it");
		};
		await Promise.all(Array.from({ length: 40 }, (_, i) => one(i)));
		assert.equal(await collection.count(), 40);
		const { hits } = await collection.search({ vector: [1, 1, 1, 1], k: 100 });
		assert.equal(new Set(hits.map(({ id }) => id)).size, 40);
	},

	"the change number grows with every write": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		const vector = [1, 2, 3, 4];
		const numbers = [
			(await collection.upsert([{ id: "a", vector }])).changeNumber,
			(await collection.upsert([{ id: "a", vector }])).changeNumber,
			(await collection.update([{ id: "a", metadata: {} }])).changeNumber,
			(await collection.delete("a")).changeNumber,
		];
		for (let i = 1; i < numbers.length; i++) {
			assert.ok((numbers[i] as number) > (numbers[i - 1] as number), `change numbers ${numbers}`);
		}
	},
};

/** JSON text with sorted keys. Unlike an assertion of deep equality it sees an own key named `__proto__`. */
function canonical(value: unknown): string | undefined {
	if (Array.isArray(value)) return `[${value.map(canonical)}]`;
	if (typeof value !== "object" || value === null) return JSON.stringify(value);
	const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
	return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)}}`;
}
