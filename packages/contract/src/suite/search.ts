import { checkApproximateAnswer, checkEvidence, checkExactAnswer } from "./answers.ts";
import { type Ranked, rank } from "./oracle.ts";
import { createRandom } from "./random.ts";
import { anyVector, fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";
import { createBusyEmbedder, createToyEmbedder } from "./toy-embedder.ts";

export const searchCases: Cases = {
	"an empty collection has no hits, and says so exactly": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		const result = await collection.search({ vector: [1, 2, 3, 4], exact: true });
		assert.deepEqual(result.hits, []);
		checkEvidence(assert, result);
		assert.equal(result.recall.state, "exact");
		assert.deepEqual((await collection.search({ vector: [1, 2, 3, 4], k: 1_000 })).hits, []);
	},

	"gives min(k, records) hits: 10 without a k, all for a k above their number": async (setting) => {
		const { assert } = setting;
		const { collection, model, space } = await fill(setting, 20, 35, defaultSpace(setting));
		const vector = [0.5, 1, -1, 2];
		const ranked = rank(model.list(), vector, space);
		const largest = setting.capabilities.limits.k;
		for (const k of [1, 2, 34, 35, 36, largest]) {
			checkExactAnswer(setting, await collection.search({ vector, k, exact: true }), {
				ranked,
				k,
				space,
				note: `k ${k}`,
			});
		}
		assert.equal((await collection.search({ vector })).hits.length, 10);
	},

	"equal distances are in the order of the UTF-8 bytes of the ids": async (setting) => {
		const { assert } = setting;
		const { collection, model, space } = await fill(setting, 21, 50, defaultSpace(setting));
		const vector = [1, 2, 3, 4];
		const same = model.list().map(({ id }) => ({ id, vector }));
		await collection.upsert([...same].reverse());
		model.upsert(same);
		const ranked = rank(model.list(), [1, 0, 1, 0], space);
		for (const k of [50, 10]) {
			const { hits, ...result } = await collection.search({ vector: [1, 0, 1, 0], k });
			assert.equal(new Set(hits.map(({ distance }) => distance)).size, 1, "equal vectors are equally far");
			checkExactAnswer(setting, { hits, ...result }, { ranked, k, space, note: `k ${k}` });
		}
	},

	"exact: true compares everything, and recall: 1 asks for the same": async (setting) => {
		const { assert } = setting;
		const { collection, model, space, random } = await fill(setting, 22, 150, {
			...defaultSpace(setting),
			dimensions: 9,
		});
		for (let i = 0; i < 10; i++) {
			const vector = anyVector(random, space);
			const ranked = rank(model.list(), vector, space);
			for (const exactly of [{ exact: true }, { recall: 1 }]) {
				const result = await collection.search({ vector, k: 15, ...exactly });
				const note = JSON.stringify(exactly);
				checkExactAnswer(setting, result, { ranked, k: 15, space, note });
				assert.equal(result.recall.state, "exact", note);
				assert.ok(["scan", "filtered-scan"].includes(result.plan.strategy), `${note}: ${result.plan.strategy}`);
			}
		}
	},

	"without exact, every hit is right, and few are missed": async (setting) => {
		const { assert } = setting;
		const { collection, model, space, random } = await fill(setting, 23, 400, {
			...defaultSpace(setting),
			dimensions: 12,
		});
		let found = 0;
		const searches = 30;
		for (let i = 0; i < searches; i++) {
			const vector = anyVector(random, space);
			const expected = { ranked: rank(model.list(), vector, space), k: 10, space, note: `search ${i}` };
			const result = await collection.search({ vector, recall: 0.95 });
			found += checkApproximateAnswer(setting, result, expected);
			if (result.recall.state === "exact") checkExactAnswer(setting, result, expected);
		}
		// 0.95 is a mean over many more queries than these.
		assert.ok(found >= 0.9 * searches * 10, `${found} of the ${searches * 10} nearest were found`);
	},

	"a number[] and a Float32Array of the same numbers have the same answer": async (setting) => {
		const { collection } = await fill(setting, 24, 40, defaultSpace(setting));
		const vector = [0.1, 0.2, -0.7, 1.3];
		const seen = [];
		for (const query of [vector, Float32Array.from(vector)]) {
			const { hits } = await collection.search({ vector: query, exact: true });
			seen.push(hits.map(({ id, distance }) => [id, distance]));
		}
		setting.assert.deepEqual(seen[0], seen[1]);
	},

	"by id, the vector of that record is searched for, and it is among the hits": async (setting) => {
		const { assert } = setting;
		const { collection, model, space } = await fill(setting, 25, 60, defaultSpace(setting));
		for (const { id, vector } of model.list().filter((_, i) => i % 6 === 0)) {
			const result = await collection.search({ id, k: 60, exact: true });
			checkExactAnswer(setting, result, { ranked: rank(model.list(), vector, space), k: 60, space, note: id });
			assert.ok(result.hits.some((hit) => hit.id === id));
		}
		await setting.refused("NOT_FOUND", () => collection.search({ id: "not there" }));
	},

	"embed searches for what the embedder makes of the text": async (setting) => {
		const embedder = createToyEmbedder();
		const { metric, assert } = setting;
		const collection = await setting.create({ embedder, metric });
		const texts = ["red apples", "green apples", "red cars", "blue sky", ""];
		await collection.upsert(texts.map((text, i) => ({ id: `${i}`, text })));
		const records = texts.map((text, i) => ({ id: `${i}`, vector: embedder.vectorOf(text) }));
		const space = { metric, dimensions: embedder.dimensions };
		const ranked = rank(records, embedder.vectorOf("red apples and cars"), space);
		const result = await collection.search({ embed: "red apples and cars", exact: true });
		checkExactAnswer(setting, result, { ranked, k: 10, space });
		const plain = await setting.create();
		await setting.refused("INVALID_OPTION", () => plain.search({ embed: "words" }), "without an embedder");
		assert.equal(await plain.count(), 0);
	},

	"maxDistance and minScore keep what is at most so far, at least so good; the others are no matches": async (
		setting,
	) => {
		const { assert } = setting;
		const { collection, model, space } = await fill(setting, 26, 80, defaultSpace(setting));
		const vector = [1, -1, 0.5, 2];
		const ranked = rank(model.list(), vector, space);
		const all = (await collection.search({ vector, k: 80, exact: true })).hits;
		let looked = 0;
		for (let i = 1; i < ranked.length; i += 7) {
			const [near, far] = [ranked[i - 1], ranked[i]] as const;
			if (near === undefined || far === undefined || isClose(near, far)) continue;
			looked++;
			const kept = { ranked: ranked.slice(0, i), k: 100, space };
			const maxDistance = (near.distance + far.distance) / 2;
			const note = `of ${i}`;
			checkExactAnswer(setting, await collection.search({ vector, k: 100, exact: true, maxDistance }), {
				...kept,
				note,
			});
			const minScore = ((all[i - 1]?.score ?? 0) + (all[i]?.score ?? 0)) / 2;
			checkExactAnswer(setting, await collection.search({ vector, k: 100, exact: true, minScore }), { ...kept, note });
			const few = await collection.search({ vector, k: 2, exact: true, minScore, maxDistance });
			checkExactAnswer(setting, few, { ...kept, k: 2, note });
		}
		assert.ok(looked > 3, "the case looks at some thresholds");
		const none = await collection.search({ vector, maxDistance: (ranked[0]?.distance ?? 0) - 1 });
		assert.deepEqual(none.hits, []);
	},

	"hits have metadata, and vector and text only where they were asked for": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		await collection.upsert([{ id: "a", vector: [1, 2, 3, 4], metadata: { a: [1, null] }, text: "words" }]);
		const hit = async (include?: object) =>
			(await collection.search({ vector: [1, 2, 3, 5], ...(include !== undefined && { include }) })).hits[0];
		const always = ["distance", "id", "insertedAt", "score", "updatedAt"];
		const keys = async (include?: object) => Object.keys((await hit(include)) ?? {}).sort();
		assert.deepEqual(await keys(), [...always, "metadata"].sort());
		// Nothing of the record itself was asked for, so it is not read.
		assert.deepEqual(await keys({ metadata: false }), ["distance", "id", "score"]);
		assert.deepEqual(await keys({ metadata: false, text: true }), [...always, "text"].sort());
		assert.deepEqual(await keys({ vector: true, text: true }), [...always, "metadata", "text", "vector"].sort());
		const full = await hit({ vector: true, text: true });
		assert.deepEqual([full?.metadata, full?.text], [{ a: [1, null] }, "words"]);
		assert.deepEqual(Array.from(full?.vector ?? []), [1, 2, 3, 4]);
		const { now } = setting.clock;
		assert.deepEqual([full?.insertedAt, full?.updatedAt], [now, now]);
	},

	"running out of timeoutMs is SEARCH_TIMEOUT; with partial it is an answer that says so": async (setting) => {
		const { assert, metric } = setting;
		const embedder = createBusyEmbedder();
		const collection = await setting.create({ embedder, metric });
		const space = { metric, dimensions: embedder.dimensions };
		const random = createRandom(27);
		const records = Array.from({ length: 100 }, (_, i) => ({ id: `${i}`, vector: anyVector(random, space) }));
		await collection.upsert(records);
		const ranked = rank(records, embedder.vectorOf("words"), space);
		const expected = { ranked, k: 20, space };
		const request = { embed: "words", k: 20, exact: true };
		const [patient, hurried] = [{ timeoutMs: 86_400_000 }, { timeoutMs: 1 }];
		checkExactAnswer(setting, await collection.search({ ...request, ...patient }), expected);
		await setting.refused("SEARCH_TIMEOUT", () => collection.search({ ...request, ...hurried }));
		const partial = { ...request, partial: true };
		if (!setting.has("partialSearch")) {
			await setting.refused("UNSUPPORTED", () => collection.search(partial));
			return;
		}
		checkExactAnswer(setting, await collection.search({ ...partial, ...patient }), expected);
		const cut = await collection
			.search({ ...partial, ...hurried })
			.catch((error) => assert.fail(`with partial: ${error}`));
		// So few records may all be compared before anybody looks at the time.
		if (!cut.plan.cutShort) checkExactAnswer(setting, cut, expected);
		else checkApproximateAnswer(setting, cut, { ...expected, k: cut.hits.length });
	},

	"a signal that is aborted while the embedder works ends the search with ABORTED": async (setting) => {
		const toy = createToyEmbedder();
		const controller = new AbortController();
		const embedder = {
			...toy,
			embed: async (texts: readonly string[]) => {
				controller.abort();
				return texts.map(toy.vectorOf);
			},
		};
		const collection = await setting.create({ embedder, metric: setting.metric });
		await collection.upsert([{ id: "a", vector: toy.vectorOf("red") }]);
		const { signal } = controller;
		await setting.refused("ABORTED", () => collection.search({ embed: "red", signal }));
	},
};

/** Whether float32 arithmetic may not tell the two distances apart. */
function isClose(near: Ranked, far: Ranked): boolean {
	return far.distance - near.distance <= 10 * (near.tolerance + far.tolerance);
}
