import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Collection, IndexSpec, SearchRequest } from "@nigh/contract";
import { randomFrom, shuffle } from "@nigh/recall";
import { open } from "../open.ts";
import type { Phase } from "./examination.ts";
import { examine } from "./examine.ts";

const DIMENSIONS = 8;
const ROWS = 2_000;
const SEED = 11;

function vectorsOf(count: number, seed: number): Float32Array[] {
	const random = randomFrom(seed);
	return Array.from({ length: count }, () => Float32Array.from({ length: DIMENSIONS }, () => random()));
}

const STORED = vectorsOf(ROWS, SEED);
const QUERIES = vectorsOf(500, SEED + 1);

async function collectionOf(t: TestContext, index: IndexSpec): Promise<Collection> {
	const database = await open(":memory:");
	t.after(() => database.close());
	const collection = await database.collection("stored", { metric: "l2", index });
	await collection.upsert(STORED.map((vector, row) => ({ id: `${row}`, vector, metadata: { row } })));
	await collection.optimize();
	return collection;
}

function squares(a: Float32Array, b: Float32Array): number {
	let sum = 0;
	for (let d = 0; d < DIMENSIONS; d++) sum += ((a[d] as number) - (b[d] as number)) ** 2;
	return sum;
}

const KNOWN = new Map<string, number>();

/** The square of the distance of the k-th of so many rows, by all distances. */
function kthOf(vector: Float32Array, k: number, rows: number): number {
	const key = `${vector}/${k}/${rows}`;
	const known = KNOWN.get(key);
	if (known !== undefined) return known;
	const all = Float64Array.from({ length: rows }, (_, row) => squares(vector, STORED[row] as Float32Array)).sort();
	KNOWN.set(key, all[k - 1] as number);
	return all[k - 1] as number;
}

/** The mean recall of a way to search, by distances that are computed here, all of them. */
async function bruteForce(
	collection: Collection,
	queries: readonly Float32Array[],
	request: SearchRequest,
	rows = ROWS,
): Promise<number> {
	const { k = 10 } = request;
	let found = 0;
	for (const vector of queries) {
		const kth = kthOf(vector, k, rows);
		const { hits } = await collection.search({ ...request, vector });
		found += hits.filter(({ id }) => squares(vector, STORED[Number(id)] as Float32Array) <= kth * (1 + 1e-6)).length;
	}
	return found / (queries.length * k);
}

/** The queries that are measured, as the seed draws them. */
const measuredBy = (seed: number, pilot: number) => shuffle([...QUERIES], randomFrom(seed)).slice(pilot);

for (const [index, name] of [
	[{ kind: "hnsw", M: 4, efConstruction: 16 }, "ef"],
	[{ kind: "ivf", nlist: 40 }, "nprobe"],
	[{ kind: "ivfpq", nlist: 40, M: 4 }, "nprobe"],
] as const) {
	test(`${index.kind}: the recall that is told is that of a brute force, of every query that was measured`, async (t) => {
		const collection = answersWith({ [name]: 12 }, await collectionOf(t, index));
		const told = new Set<Phase>();
		const examination = await examine(collection, QUERIES, {
			searchWidth: true,
			target: 0.9,
			seed: 5,
			onProgress: (phase, done, total) => {
				told.add(phase);
				assert.ok(done > 0 && done <= total, `${phase}: ${done} of ${total}`);
			},
		});
		const { verdict, settings, cheapest, queries, byDefault, below, ladder, changeNumbers } = examination;
		assert.equal(verdict, "kept");
		assert.deepEqual([queries.given, queries.pilot, queries.measured, queries.notDrawn], [500, 100, 400, 0]);
		assert.deepEqual(told, new Set(["exact answers", "pilot", "measuring", "timing"]));
		const found = settings[cheapest ?? -1];
		assert.ok(found !== undefined && found.queries === 400 && found.outcome === "passes");
		assert.deepEqual(
			settings.slice(0, cheapest ?? 0).map(({ outcome }) => outcome),
			Array(cheapest ?? 0).fill("passes"),
		);
		assert.ok((found.setting[name] ?? 0) >= 1 && ladder >= settings.length);
		const measured = measuredBy(5, 100);
		for (const { setting, queries: count, mean, lowerBound, queriesPerSecond } of [
			...settings,
			...(byDefault === null ? [] : [byDefault]),
		]) {
			const expected = await bruteForce(collection, measured.slice(0, count), setting);
			assert.ok(Math.abs(mean - expected) < 1e-9, `${JSON.stringify(setting)}: ${mean}, brute force ${expected}`);
			assert.ok(lowerBound < mean && queriesPerSecond > 0);
		}
		assert.ok(found.mean >= 0.9);
		assert.ok(below !== null && below.floor === 0.8 && below.of === 400);
		assert.ok(below.upperBound > below.queries / 400 && below.upperBound < 1);
		assert.deepEqual(changeNumbers, { first: 1, last: 1 });
	});
}

test("the truth is that of the matches of the filter", async (t) => {
	const collection = await collectionOf(t, { kind: "hnsw", M: 4, efConstruction: 16 });
	const filter = { row: { $lt: 1_500 } };
	const { settings, verdict } = await examine(collection, QUERIES, { searchWidth: true, target: 0.8, filter, k: 5 });
	assert.equal(verdict, "kept");
	const [dearest] = settings;
	assert.ok(dearest !== undefined);
	const measured = measuredBy(1, 100).slice(0, dearest.queries);
	const request = { filter, k: 5, ...dearest.setting };
	assert.equal(dearest.mean.toFixed(9), (await bruteForce(collection, measured, request, 1_500)).toFixed(9));
	const none = examine(collection, QUERIES.slice(0, 3), { searchWidth: true, filter: { row: -1 } });
	await assert.rejects(none, { code: "INVALID_OPTION", message: /No record matches the filter/ });
});

test("without widths the default search is measured, and nothing else is asked for", async (t) => {
	const collection = answersWith({ ef: 10 }, await collectionOf(t, { kind: "hnsw", M: 4, efConstruction: 16 }));
	const asked = new Set<string>();
	const seen = spied(collection, (request) => {
		for (const name of Object.keys(request)) asked.add(name);
	});
	const { settings, ladder, byDefault } = await examine(seen, QUERIES, { searchWidth: false, target: 0.5 });
	assert.deepEqual([ladder, settings.map(({ setting }) => setting), byDefault?.mean], [1, [{}], settings[0]?.mean]);
	assert.deepEqual(asked, new Set(["vector", "k", "include", "exact"]));
	const expected = await bruteForce(collection, measuredBy(1, 100), { ef: 10 });
	assert.equal(settings[0]?.mean.toFixed(9), expected.toFixed(9));
});

test("a flat index, many hits, and searches that compare everything by themselves are exact, and said to be", async (t) => {
	const flat = await collectionOf(t, { kind: "flat" });
	const reasons: [options: { k?: number; filter?: { row: number } }, collection: Collection, reason: RegExp][] = [
		[{}, flat, /^the index is flat$/],
		[{ k: 4_001 }, await collectionOf(t, { kind: "hnsw" }), /^searches for more than 4000 hits are exact$/],
		[
			{ filter: { row: 3 } },
			await collectionOf(t, { kind: "hnsw" }),
			/^each of 500 searches compared everything by itself$/,
		],
	];
	for (const [options, collection, reason] of reasons) {
		const examination = await examine(collection, QUERIES, { searchWidth: true, ...options });
		const { verdict, exactBecause, settings, byDefault, exactQueriesPerSecond, cheapest, below } = examination;
		assert.deepEqual([verdict, settings, byDefault, cheapest, below], ["exact", [], null, null, null]);
		assert.match(exactBecause ?? "", reason);
		assert.ok(exactQueriesPerSecond > 0);
	}
});

test("a back end that says exact and is not is measured all the same", async (t) => {
	const collection = await collectionOf(t, { kind: "hnsw" });
	const lying = spied(
		collection,
		() => {},
		() => true,
	);
	const { verdict, exactBecause, settings } = await examine(lying, QUERIES, { searchWidth: true });
	assert.deepEqual([verdict, exactBecause], ["missed", null]);
	assert.equal(settings.length, 1);
	const [{ outcome, mean } = { outcome: "", mean: 1 }] = settings;
	assert.deepEqual([outcome, mean.toFixed(6)], ["fails", "0.900000"]);
});

test("that a pilot was answered exactly says nothing of the queries after it", async (t) => {
	const collection = await collectionOf(t, { kind: "hnsw", M: 4, efConstruction: 16 });
	const order = measuredBy(1, 0);
	const odd = spied(
		collection,
		() => {},
		(vector) => order.indexOf(vector as Float32Array) >= 300,
	);
	const { verdict, exactBecause, settings, ladder } = await examine(odd, QUERIES, { searchWidth: true, target: 0.5 });
	assert.deepEqual([verdict, exactBecause, ladder], ["kept", null, 1]);
	assert.deepEqual(settings[0]?.setting, {});
	assert.deepEqual([settings[0]?.mean.toFixed(6), settings[0]?.queries], [((200 + 0.9 * 200) / 400).toFixed(6), 400]);
});

test("too few queries are told, with how many it would take; one is refused; more than wanted are drawn", async (t) => {
	const collection = await collectionOf(t, { kind: "hnsw" });
	const few = await examine(collection, QUERIES.slice(0, 60), { searchWidth: true, target: 0.95 });
	assert.deepEqual([few.verdict, few.cheapest, few.settings[0]?.outcome], ["undecided", null, "undecided"]);
	const needed = few.settings[0]?.queriesNeeded ?? 0;
	assert.ok(needed >= 83 && needed < 300, `${needed}`);
	await assert.rejects(examine(collection, QUERIES.slice(0, 1), { searchWidth: true }), {
		code: "INVALID_OPTION",
		message: /^1 query is too few/,
	});
	const drawn = await examine(collection, QUERIES, { searchWidth: true, maxQueries: 40, target: 0.5 });
	assert.deepEqual(
		[drawn.queries.given, drawn.queries.notDrawn, drawn.queries.pilot, drawn.queries.measured],
		[500, 460, 8, 32],
	);
});

test("the same seed measures the same, and a signal ends it", async (t) => {
	const collection = await collectionOf(t, { kind: "hnsw", M: 4, efConstruction: 16 });
	const means = async (seed: number) => {
		const { settings } = await examine(collection, QUERIES, { searchWidth: true, seed, target: 0.9 });
		return settings.map(({ setting, queries, mean }) => ({ setting, queries, mean }));
	};
	assert.deepEqual(await means(3), await means(3));
	assert.notDeepEqual(await means(3), await means(4));
	const controller = new AbortController();
	const ended = examine(collection, QUERIES, {
		searchWidth: true,
		signal: controller.signal,
		onProgress: (phase) => {
			if (phase === "measuring") controller.abort();
		},
	});
	await assert.rejects(ended, { code: "ABORTED" });
});

/** Answers with this width where none is asked for. By itself a collection answers as is known of its index by then, and that changes. */
function answersWith(width: Pick<SearchRequest, "ef" | "nprobe">, collection: Collection): Collection {
	return {
		stats: () => collection.stats(),
		search: ({ ef, nprobe, ...request }: SearchRequest) => {
			const asked = { ...(ef !== undefined && { ef }), ...(nprobe !== undefined && { nprobe }) };
			const isLeftOpen = request.exact !== true && Object.keys(asked).length === 0;
			return collection.search({ ...request, ...(isLeftOpen ? width : asked) });
		},
	} as unknown as Collection;
}

/** The same collection, looked at; where it is given what to lie about, it answers exactly, but leaves out the last hit there. */
function spied(
	collection: Collection,
	look: (request: SearchRequest) => void,
	lies?: (vector: SearchRequest["vector"]) => boolean,
): Collection {
	return {
		stats: () => collection.stats(),
		search: async (request: SearchRequest) => {
			look(request);
			if (lies === undefined || request.exact) return collection.search(request);
			const result = await collection.search({ vector: request.vector as Float32Array, exact: true });
			return lies(request.vector) ? { ...result, hits: result.hits.slice(0, -1) } : result;
		},
	} as unknown as Collection;
}
