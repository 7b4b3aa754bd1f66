// Searches that run out of their time: what they end with, and that they leave the others of their batch alone.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Collection, Embedder, SearchRequest } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";

/** So long that some rows are more than is compared on the calling thread at once, and the scan looks at the time. */
const DIMENSIONS = 1_024;
const RECORDS = 8_000;
const HURRIED = { embed: "words", k: 20, exact: true, timeoutMs: 1 } as const;

function vectorOf(i: number): Float32Array {
	return new Float32Array(DIMENSIONS).fill(i + 1, i % 64, (i % 64) + 8);
}

/** Takes longer than the searches may: they have no time left when they have their vector. */
const slow: Embedder = {
	identity: async () => ({ name: "slow", model: "one", dimensions: DIMENSIONS }),
	embed: async (texts) => {
		for (const start = performance.now(); performance.now() - start < 5; );
		return texts.map((text) => vectorOf(text.length));
	},
};

async function fillNotes(t: TestContext): Promise<Collection> {
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const spec = { metric: "l2", embedder: slow, index: { kind: "flat" } } as const;
	const notes = await database.collection("notes", spec);
	await notes.upsert(
		Array.from({ length: RECORDS }, (_, i) => ({ id: `r${i}`, vector: vectorOf(i), metadata: { odd: i % 2 === 1 } })),
	);
	return notes;
}

test("a search that runs out of its time fails with SEARCH_TIMEOUT, or with partial gives what it has and says so", async (t) => {
	const notes = await fillNotes(t);
	for (const filter of [{}, { odd: { $exists: true } }]) {
		const hurried: SearchRequest = { ...HURRIED, filter };
		await assert.rejects(
			notes.search(hurried),
			({ code, details }) => code === "SEARCH_TIMEOUT" && details.timeoutMs === 1 && details.tookMs >= 5,
		);
		const partial = await notes.search({ ...hurried, partial: true });
		assert.equal(partial.plan.cutShort, true);
		assert.deepEqual([partial.recall.state, partial.recall.estimate], ["uncertified", null]);
		const { hits, plan } = await notes.search({ ...hurried, timeoutMs: 86_400_000 });
		assert.deepEqual([hits.length, plan.cutShort], [20, false]);
		const distances = new Map(
			(await notes.search({ ...hurried, k: RECORDS, timeoutMs: 86_400_000 })).hits.map((hit) => [hit.id, hit.distance]),
		);
		for (const { id, distance } of partial.hits) assert.equal(distance, distances.get(id), id);
	}
	// What it began is over: the next search is answered in full.
	assert.equal((await notes.search({ vector: vectorOf(3), k: 20, exact: true })).hits.length, 20);
});

test("of a batch only the searches that run out of their time have an error", async (t) => {
	const notes = await fillNotes(t);
	const calm = { vector: vectorOf(7), k: 5, exact: true };
	const results = await notes.searchMany([
		calm,
		HURRIED,
		{ ...HURRIED, partial: true },
		calm,
		{ ...calm, timeoutMs: 86_400_000 },
	]);
	assert.deepEqual(
		results.map(({ error, plan }) => [error?.code, plan.cutShort]),
		[
			[undefined, false],
			["SEARCH_TIMEOUT", true],
			[undefined, true],
			[undefined, false],
			[undefined, false],
		],
	);
	assert.deepEqual(results[1]?.hits, []);
	const { hits } = await notes.search(calm);
	for (const i of [0, 3, 4]) assert.deepEqual(results[i]?.hits, hits, `request ${i}`);
});

/** Never answers; keeps the signals that it was given. */
function hangingEmbedder(): Embedder & { readonly signals: AbortSignal[] } {
	const signals: AbortSignal[] = [];
	return {
		signals,
		identity: async () => ({ name: "hanging", model: "one", dimensions: 2 }),
		embed: (_texts, options) => {
			if (options?.signal !== undefined) signals.push(options.signal);
			return new Promise(() => {});
		},
	};
}

async function hangingNotes(t: TestContext) {
	const embedder = hangingEmbedder();
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { metric: "l2", embedder });
	await notes.upsert([{ id: "a", vector: [1, 2] }]);
	return { notes, signals: embedder.signals };
}

test("an embedder that does not answer keeps no search longer than it may take, and is told to stop", async (t) => {
	const { notes, signals } = await hangingNotes(t);
	const hurried = { embed: "words", timeoutMs: 20 };
	await assert.rejects(
		notes.search(hurried),
		({ code, details }) => code === "SEARCH_TIMEOUT" && details.timeoutMs === 20 && details.tookMs >= 20,
	);
	const { hits, plan, recall } = await notes.search({ ...hurried, partial: true });
	assert.deepEqual([hits, plan.cutShort, recall.state], [[], true, "uncertified"]);
	const calm = { vector: [1, 2] };
	const results = await notes.searchMany([calm, hurried, { ...hurried, partial: true }, calm]);
	assert.deepEqual(
		results.map(({ error, hits, plan }) => [error?.code, hits.length, plan.cutShort]),
		[
			[undefined, 1, false],
			["SEARCH_TIMEOUT", 0, true],
			[undefined, 0, true],
			[undefined, 1, false],
		],
	);
	assert.deepEqual(
		signals.map(({ aborted }) => aborted),
		[true, true, true, true],
	);
});

test("a signal ends a search whose embedder does not answer, and the embedder with it", async (t) => {
	const { notes, signals } = await hangingNotes(t);
	const controller = new AbortController();
	const { signal } = controller;
	const own = new AbortController();
	const calls = [
		notes.search({ embed: "words", signal }),
		notes.searchMany([{ embed: "words" }], { signal }),
		// A request that has one of its own hears that of the batch as well.
		notes.searchMany([{ embed: "words", signal: own.signal }], { signal }),
	];
	controller.abort("enough");
	for (const call of calls) await assert.rejects(call, { code: "ABORTED" });
	assert.deepEqual(
		signals.map(({ aborted, reason }) => [aborted, reason]),
		calls.map(() => [true, "enough"]),
	);
});

test("a search of several is ended by its own signal too", async (t) => {
	const { notes, signals } = await hangingNotes(t);
	const [own, all] = [new AbortController(), new AbortController()];
	const call = notes.searchMany([{ embed: "words", signal: own.signal }], { signal: all.signal });
	own.abort("enough");
	await assert.rejects(call, { code: "ABORTED" });
	assert.deepEqual(
		signals.map(({ aborted, reason }) => [aborted, reason]),
		[[true, "enough"]],
	);
});
