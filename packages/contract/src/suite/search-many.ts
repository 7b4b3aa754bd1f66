import type { SearchRequest, SearchResult } from "../search.ts";
import { checkExactAnswer } from "./answers.ts";
import { rank } from "./oracle.ts";
import { anyVector, fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";

export const searchManyCases: Cases = {
	"answers in the order of the requests, each as if it were alone": async (setting) => {
		const { assert } = setting;
		const { collection, model, space, random } = await fill(setting, 70, 150, defaultSpace(setting));
		const filters = [{}, { kind: "skill" }, { stars: { $lt: 5 } }, { none: 1 }];
		const requests = Array.from({ length: 40 }, (_, i) => ({
			vector: anyVector(random, space),
			k: 1 + ((i * 7) % 30),
			filter: filters[i % 4] as object,
			exact: true,
		}));
		const results = await collection.searchMany(requests as SearchRequest[]);
		assert.equal(results.length, requests.length);
		for (const [i, { vector, k, filter }] of requests.entries()) {
			const ranked = rank(model.list(filter), vector, space);
			checkExactAnswer(setting, results[i] as SearchResult, { ranked, k, space, note: `request ${i}` });
			const alone = await collection.search(requests[i] as SearchRequest);
			assert.deepEqual(seen(results[i] as SearchResult), seen(alone), `request ${i} against search`);
		}
		assert.equal(new Set(results.map(({ changeNumber }) => changeNumber)).size, 1, "one common state");
	},

	"requests by id, with an include and with defaults": async (setting) => {
		const { assert } = setting;
		const { collection, model, space } = await fill(setting, 71, 30, defaultSpace(setting));
		const { id, vector } = model.list()[4] as ReturnType<typeof model.list>[number];
		const [byId, included] = await collection.searchMany([
			{ id, k: 30, exact: true },
			{ vector, include: { vector: true, metadata: false } },
		]);
		checkExactAnswer(setting, byId as SearchResult, { ranked: rank(model.list(), vector, space), k: 30, space });
		assert.equal(included?.hits.length, 10);
		assert.ok(included?.hits.every((hit) => hit.vector !== undefined && !("metadata" in hit)));
	},

	"no requests have no answers, and an empty collection an empty one for each": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		assert.deepEqual(await collection.searchMany([]), []);
		const results = await collection.searchMany([{ vector: [1, 2, 3, 4] }, { vector: [4, 3, 2, 1], k: 3 }]);
		assert.deepEqual(
			results.map(({ hits }) => hits),
			[[], []],
		);
	},

	"one request that cannot be answered refuses them all, with its row": async (setting) => {
		const { assert } = setting;
		const { collection } = await fill(setting, 72, 10, defaultSpace(setting));
		const good = { vector: [1, 2, 3, 4] };
		const rows = [
			["DIMENSION_MISMATCH", { vector: [1, 2, 3] }],
			["INVALID_VECTOR", { vector: [1, 2, 3, Number.NaN] }],
			["INVALID_FILTER", { ...good, filter: { a: { $gtt: 1 } } }],
			["INVALID_OPTION", { ...good, k: 0 }],
			["INVALID_OPTION", { ...good, topK: 3 }],
			["INVALID_OPTION", {}],
			["NOT_FOUND", { id: "not there" }],
		] as const;
		for (const [code, bad] of rows) {
			const note = JSON.stringify(bad);
			const error = await setting.refused(code, () => collection.searchMany([good, bad as SearchRequest, good]), note);
			assert.equal(error.details.row, 1, `details.row of ${note}`);
		}
	},

	"a request that runs out of its time has its error, and the others their answers": async (setting) => {
		const { assert } = setting;
		const { collection, model, space } = await fill(setting, 73, 60, defaultSpace(setting));
		const vector = [1, 2, 3, 4];
		const ranked = rank(model.list(), vector, space);
		const request = { vector, k: 20, exact: true };
		const results = await collection.searchMany([
			request,
			{ ...request, timeoutMs: 1 },
			{ ...request, timeoutMs: 86_400_000 },
		]);
		const [first, hurried, last] = results as [SearchResult, SearchResult, SearchResult];
		for (const result of [first, last]) checkExactAnswer(setting, result, { ranked, k: 20, space });
		if (hurried.error === undefined) checkExactAnswer(setting, hurried, { ranked, k: 20, space, note: "in time" });
		else assert.deepEqual([hurried.error.code, hurried.hits], ["SEARCH_TIMEOUT", []]);
	},
};

function seen({ hits }: SearchResult): unknown[] {
	return hits.map(({ id, distance, score, metadata }) => [id, distance, score, metadata ?? null]);
}
