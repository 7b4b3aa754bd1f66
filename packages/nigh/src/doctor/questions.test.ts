import assert from "node:assert/strict";
import { test } from "node:test";
import type { Collection, SearchRequest, SearchResult } from "@nigh/contract";
import { open } from "../open.ts";
import { Questions } from "./questions.ts";

const silent = () => {};

/** What a fake collection answers: distances by id, the state, and the candidates that were compared. */
interface Given {
	readonly hits: Readonly<Record<string, number>>;
	readonly changeNumber?: number;
	readonly rerank?: number;
	readonly state?: SearchResult["recall"]["state"];
}

function resultOf({ hits, changeNumber = 1, rerank, state = "uncertified" }: Given): SearchResult {
	return {
		hits: Object.entries(hits).map(([id, distance]) => ({ id, distance, score: -distance })),
		recall: { state },
		plan: { ...(rerank !== undefined && { rerank }), cutShort: false },
		changeNumber,
	} as unknown as SearchResult;
}

/** Answers as it is told to. */
function fake(answer: (request: SearchRequest, isTogether: boolean) => Given): Collection {
	return {
		stats: async () => ({ effective: { metric: "l2" } }),
		search: async (request: SearchRequest) => resultOf(answer(request, false)),
		searchMany: async (requests: readonly SearchRequest[]) => requests.map((each) => resultOf(answer(each, true))),
	} as unknown as Collection;
}

const TRUE = { a: 1, b: 2, c: 2 };

test("answers are judged by the distance of the last exact hit: ties count, what is missing or farther does not", async () => {
	const answers: readonly (readonly [hits: Given["hits"], recall: number])[] = [
		[{ a: 1, b: 2, other: 2 }, 1],
		[{ a: 1, b: 2, far: 2.5 }, 2 / 3],
		[{ a: 1 }, 1 / 3],
		[{}, 0],
	];
	for (const [hits, recall] of answers) {
		const collection = fake(({ exact }) => ({ hits: exact ? TRUE : hits }));
		const questions = await Questions.ask(collection, [[0]], { k: 3 }, silent);
		assert.equal((await questions.judge(0, { ef: 3 })).recall, recall);
	}
});

test("fewer matches than k are all there is to find, and a query without any is left out", async () => {
	const collection = fake(({ exact, vector }): Given => {
		if (vector?.[0] === 9) return { hits: {} };
		return { hits: exact ? { a: 0, b: 2 } : { a: 0 } };
	});
	const questions = await Questions.ask(collection, [[9], [0], [9]], { k: 3 }, silent);
	assert.deepEqual([questions.length, questions.withoutMatch, questions.equalToStored], [1, 2, 1]);
	assert.equal((await questions.judge(0, {})).recall, 0.5);
});

test("distances that are estimates say nothing, so that ids are compared", async () => {
	const collection = fake(({ exact }) => (exact ? { hits: TRUE } : { hits: { wrong: 0.2, a: 7, b: 8 }, rerank: 0 }));
	const questions = await Questions.ask(collection, [[0]], { k: 3 }, silent);
	assert.equal((await questions.judge(0, { nprobe: 3, rerank: 0 })).recall, 2 / 3);
});

test("an answer of another state is judged by the truth of one common state, which is kept", async () => {
	let change = 1;
	const together: boolean[] = [];
	const collection = fake(({ exact }, isTogether) => {
		together.push(isTogether);
		const hits = change === 1 ? TRUE : { new: 0.5, a: 1, b: 2 };
		return exact ? { hits, changeNumber: change } : { hits: { new: 0.5, a: 1, c: 2 }, changeNumber: change };
	});
	const questions = await Questions.ask(collection, [[0]], { k: 3 }, silent);
	change = 2;
	assert.equal((await questions.judge(0, {})).recall, 1);
	assert.deepEqual(together, [false, false, true, true]);
	assert.equal((await questions.judge(0, {})).recall, 1);
	assert.equal(together.length, 5, "the new truth serves the next answer");
	assert.deepEqual([questions.first, questions.last], [1, 2]);
	change = 3;
	const gone = fake(({ exact }, isTogether) =>
		exact && isTogether ? { hits: {} } : { hits: TRUE, changeNumber: change++ },
	);
	const lost = await Questions.ask(gone, [[0]], { k: 3 }, silent);
	await assert.rejects(lost.judge(0, {}), { code: "UNAVAILABLE", message: /deleted while recall@3 was measured/ });
});

test("queries that are stored vectors are counted, under a metric that can tell", async (t) => {
	const database = await open(":memory:");
	t.after(() => database.close());
	const stored = [
		[3, 4],
		[1, 2],
	];
	for (const [metric, equal] of [
		["l2", 2],
		["l1", 2],
		["cosine", 2],
		["ip", 0],
	] as const) {
		const collection = await database.collection(metric, { metric });
		await collection.upsert(stored.map((vector, at) => ({ id: `${at}`, vector })));
		const questions = await Questions.ask(collection, [...stored, [-1, 5]], { k: 1 }, silent);
		assert.deepEqual([questions.length, questions.equalToStored], [3, equal], metric);
	}
});

test("a filter and a signal go with every search, and nothing of the records is read", async () => {
	const requests: SearchRequest[] = [];
	const collection = fake((request) => {
		requests.push(request);
		return { hits: TRUE };
	});
	const { signal } = new AbortController();
	const asking = { k: 3, filter: { type: "lesson" }, signal };
	const questions = await Questions.ask(collection, [[0]], asking, silent);
	await questions.judge(0, { ef: 30 });
	const clock = [5, 7.5];
	assert.equal(await questions.time(0, { ef: 9 }, () => clock.shift() ?? 0), 2.5);
	const common = { vector: [0], k: 3, filter: { type: "lesson" }, signal, include: { metadata: false } };
	assert.deepEqual(requests, [
		{ ...common, exact: true },
		{ ...common, ef: 30 },
		{ ...common, ef: 9 },
	]);
});
