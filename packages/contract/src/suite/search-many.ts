import type { SearchRequest, SearchResult } from "../search.ts";
import { checkExactAnswer } from "./answers.ts";
import { rank } from "./oracle.ts";
import { createRandom } from "./random.ts";
import { anyVector, fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";
import { createBusyEmbedder } from "./toy-embedder.ts";

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
	},

	"one state answers all the requests, whatever is written meanwhile": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		const versions = new Map<number, number>();
		const writeNext = async () => {
			const version = versions.size + 1;
			const { changeNumber } = await collection.upsert(recordsOf(version));
			versions.set(changeNumber, version);
		};
		await writeNext();
		for (let round = 0; round < 3; round++) {
			let isAnswered = false;
			const answering = collection.searchMany(REQUESTS).finally(() => {
				isAnswered = true;
			});
			const writing = (async () => {
				while (!isAnswered) await writeNext();
			})();
			const [results] = await Promise.all([answering, writing]);
			const [state, ...others] = new Set(results.map(({ changeNumber }) => changeNumber));
			assert.deepEqual(others, [], `changes that were searched beside ${state}`);
			const version = versions.get(state as number);
			assert.ok(version !== undefined, `${state} is the change of a write`);
			for (const [row, { hits }] of results.entries()) {
				assert.equal(new Set(hits.map(({ id }) => id)).size, RECORDS, `ids of request ${row}`);
				const others = hits.filter(({ metadata }) => metadata?.version !== version);
				assert.deepEqual(others, [], `hits of request ${row} that are not of version ${version}`);
			}
		}
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
		const { assert, metric } = setting;
		const embedder = createBusyEmbedder();
		const collection = await setting.create({ embedder, metric });
		const space = { metric, dimensions: embedder.dimensions };
		const random = createRandom(73);
		const records = Array.from({ length: 60 }, (_, i) => ({ id: `${i}`, vector: anyVector(random, space) }));
		await collection.upsert(records);
		const request = { embed: "words", k: 20, exact: true };
		const expected = { ranked: rank(records, embedder.vectorOf("words"), space), k: 20, space };
		const results = await collection
			.searchMany([request, { ...request, timeoutMs: 1 }, { ...request, timeoutMs: 86_400_000 }])
			.catch((error) => assert.fail(`all of them failed: ${error}`));
		const [first, hurried, last] = results as [SearchResult, SearchResult, SearchResult];
		for (const result of [first, last]) checkExactAnswer(setting, result, expected);
		assert.deepEqual([hurried.error?.code, hurried.hits], ["SEARCH_TIMEOUT", []]);
	},
};

const RECORDS = 60;

/** Everything is written over at once. */
function recordsOf(version: number) {
	return Array.from({ length: RECORDS }, (_, i) => ({
		id: `${i}`,
		vector: [version, i, -i, 1],
		metadata: { version },
	}));
}

/** Enough of them that they take longer than a write. */
const REQUESTS: readonly SearchRequest[] = Array.from({ length: 200 }, (_, i) => ({
	vector: [i, 1, -1, i % 7],
	k: RECORDS,
	exact: true,
	...(i % 2 === 1 && { filter: { version: { $gte: 1 } } }),
}));

function seen({ hits }: SearchResult): unknown[] {
	return hits.map(({ id, distance, score, metadata }) => [id, distance, score, metadata ?? null]);
}
