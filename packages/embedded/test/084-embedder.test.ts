// An embedder that does not keep to what it said: refused with a code that names it, and nothing of the call is written or answered.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Collection, type Embedder, isNighError, type NighError } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";

const DIMENSIONS = 4;

/** One whose answers the test can change. */
class ChangingEmbedder implements Embedder {
	dimensions = DIMENSIONS;
	change: (vectors: Float32Array[]) => unknown = (vectors) => vectors;

	async identity() {
		return { name: "changing", model: "one", dimensions: this.dimensions };
	}

	async embed(texts: readonly string[]): Promise<Float32Array[]> {
		const vectors = texts.map((text) => new Float32Array(this.dimensions).fill(text.length, 0, 1));
		return this.change(vectors) as Float32Array[];
	}
}

async function fillNotes(t: TestContext): Promise<{ notes: Collection; embedder: ChangingEmbedder }> {
	const embedder = new ChangingEmbedder();
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { embedder, metric: "l2" });
	await notes.upsert([{ id: "a", text: "red" }]);
	return { notes, embedder };
}

async function refusal(call: Promise<unknown>, what: string): Promise<NighError> {
	const error = await call.then(
		() => assert.fail(`${what} was taken`),
		(each: unknown) => each,
	);
	assert.ok(isNighError(error), `${what}: ${error}`);
	return error;
}

/** Every verb that embeds. */
const CALLS: Readonly<Record<string, (notes: Collection) => Promise<unknown>>> = {
	upsert: (notes) =>
		notes.upsert([
			{ id: "b", text: "green" },
			{ id: "c", text: "blue" },
		]),
	update: (notes) => notes.update([{ id: "a", text: "yellow" }]),
	search: (notes) => notes.search({ embed: "red" }),
	searchMany: (notes) => notes.searchMany([{ vector: new Float32Array(DIMENSIONS) }, { embed: "red" }]),
};

const MADE_OTHERS: Readonly<Record<string, ChangingEmbedder["change"]>> = {
	"too few vectors": (vectors) => vectors.slice(1),
	"too many vectors": (vectors) => [...vectors, new Float32Array(DIMENSIONS)],
	"longer vectors": (vectors) => vectors.map(() => new Float32Array(DIMENSIONS + 1)),
	"one shorter vector": (vectors) => [...vectors.slice(0, -1), new Float32Array(DIMENSIONS - 1)],
	"empty vectors": (vectors) => vectors.map(() => new Float32Array(0)),
};

for (const [what, change] of Object.entries(MADE_OTHERS)) {
	test(`an embedder that makes ${what} is refused, and nothing is written`, async (t) => {
		const { notes, embedder } = await fillNotes(t);
		const before = await notes.get("a", { include: { vector: true, text: true } });
		for (const [verb, call] of Object.entries(CALLS)) {
			embedder.change = change;
			const { code, message, details } = await refusal(call(notes), `${verb} with ${what}`);
			assert.equal(code, "DIMENSION_MISMATCH", verb);
			assert.deepEqual([details.field, details.expected], ["embedder", DIMENSIONS], verb);
			assert.match(message, /the embedder was to make \d vectors? of 4 dimensions and made others/i, verb);
		}
		assert.deepEqual(await notes.get("a", { include: { vector: true, text: true } }), before);
		assert.equal(await notes.count(), 1);
		embedder.change = (vectors) => vectors;
		for (const call of Object.values(CALLS)) await call(notes);
		assert.equal(await notes.count(), 3, "it makes the right ones again");
	});
}

test("an embedder that tells other dimensions than when the collection was opened is refused", async (t) => {
	const { notes, embedder } = await fillNotes(t);
	embedder.dimensions = DIMENSIONS + 3;
	for (const [verb, call] of Object.entries(CALLS)) {
		const { code } = await refusal(call(notes), verb);
		assert.equal(code, "DIMENSION_MISMATCH", verb);
	}
	assert.equal(await notes.count(), 1);
});

test("an embedder that makes vectors which are no numbers is refused", async (t) => {
	const { notes, embedder } = await fillNotes(t);
	embedder.change = (vectors) => vectors.map((vector) => vector.fill(Number.NaN));
	for (const [verb, call] of Object.entries(CALLS)) {
		const { code } = await refusal(call(notes), verb);
		assert.equal(code, "INVALID_VECTOR", verb);
	}
	assert.equal(await notes.count(), 1);
});

test("what an embedder throws comes out as it is", async (t) => {
	const { notes, embedder } = await fillNotes(t);
	const failure = new Error("the model is gone");
	embedder.change = () => {
		throw failure;
	};
	for (const [verb, call] of Object.entries(CALLS)) {
		await assert.rejects(call(notes), (error) => error === failure, verb);
	}
	assert.equal(await notes.count(), 1);
});
