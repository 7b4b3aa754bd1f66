import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Collection } from "@nigh/contract";
import { hashedNgrams } from "@nigh/embed";
import { open } from "../open.ts";
import { carryOut, planChanges } from "./bring-up-to-date.ts";
import type { PassageMetadata } from "./database.ts";
import type { Passage } from "./passages.ts";

async function collectionFor(t: TestContext): Promise<Collection<PassageMetadata>> {
	const database = await open(":memory:");
	t.after(() => database.close());
	return database.collection<PassageMetadata>("passages", { embedder: hashedNgrams() });
}

function passagesIn(file: string, ...texts: readonly string[]): Passage[] {
	return texts.map((text, at) => ({ file, line: at + 1, headings: [], text }));
}

async function bringUpToDate(collection: Collection<PassageMetadata>, passages: readonly Passage[]) {
	const plan = await planChanges(collection, passages);
	await carryOut(plan, collection, () => {});
	return plan.changes;
}

/** What is stored, as it would be read anew. */
async function textsIn(collection: Collection<PassageMetadata>): Promise<string[]> {
	const texts: string[] = [];
	for await (const { metadata, text } of collection.scan({ include: { text: true } })) {
		texts.push(`${metadata?.file}:${metadata?.line} ${text}`);
	}
	return texts.sort();
}

test("only what has changed is written, and what has gone is deleted", async (t) => {
	const collection = await collectionFor(t);
	const same = passagesIn("same.md", "one", "two");
	const first = await bringUpToDate(collection, [
		...same,
		...passagesIn("shrinks.md", "three", "four", "five"),
		...passagesIn("goes.md", "six"),
	]);
	const none = { files: 0, passages: 0 };
	assert.deepEqual(first, { new: { files: 3, passages: 6 }, changed: none, unchanged: none, removed: none });

	const { updatedAt } = (await collection.get("same.md#0")) ?? {};
	const second = await bringUpToDate(collection, [
		...same,
		...passagesIn("shrinks.md", "three", "other"),
		...passagesIn("comes.md", "seven"),
	]);
	assert.deepEqual(second, {
		new: { files: 1, passages: 1 },
		changed: { files: 1, passages: 2 },
		unchanged: { files: 1, passages: 2 },
		removed: { files: 1, passages: 1 },
	});
	assert.deepEqual(await textsIn(collection), [
		"comes.md:1 seven",
		"same.md:1 one",
		"same.md:2 two",
		"shrinks.md:1 three",
		"shrinks.md:2 other",
	]);
	assert.equal((await collection.get("same.md#0"))?.updatedAt, updatedAt);
});

test("without a change nothing is written at all", async (t) => {
	const collection = await collectionFor(t);
	const passages = passagesIn("a.md", "one", "two");
	await bringUpToDate(collection, passages);
	const { changeNumber } = await collection.stats();
	assert.deepEqual((await bringUpToDate(collection, passages)).unchanged, { files: 1, passages: 2 });
	assert.equal((await collection.stats()).changeNumber, changeNumber);
});

test("a passage that has moved is a change, since its line would be wrong", async (t) => {
	const collection = await collectionFor(t);
	const [passage] = passagesIn("a.md", "one") as [Passage];
	await bringUpToDate(collection, [passage]);
	assert.equal((await bringUpToDate(collection, [{ ...passage, line: 5 }])).changed.files, 1);
	assert.deepEqual(await textsIn(collection), ["a.md:5 one"]);
});

test("a plan that was cut short after the deletions is made again", async (t) => {
	const collection = await collectionFor(t);
	await bringUpToDate(collection, passagesIn("a.md", "one", "two"));
	const changed = passagesIn("a.md", "one", "other");
	const plan = await planChanges(collection, changed);
	await carryOut({ ...plan, missing: [] }, collection, () => {});
	await bringUpToDate(collection, changed);
	assert.deepEqual(await textsIn(collection), ["a.md:1 one", "a.md:2 other"]);
});

test("whatever a file holds, and however long its path is, can be stored", async (t) => {
	const collection = await collectionFor(t);
	const long = `${"x".repeat(600)}.md`;
	await bringUpToDate(collection, [
		...passagesIn("odd.md", "half a pair \ud83d", "nothing \0 at all"),
		...passagesIn(long, "long"),
		{ file: "headed.md", line: 3, headings: ["Outer", "Inner"], text: "below" },
	]);
	assert.deepEqual(await textsIn(collection), [
		"headed.md:3 Inner\nbelow",
		"odd.md:1 half a pair \ufffd",
		"odd.md:2 nothing   at all",
		`${long}:1 long`,
	]);
});

test("progress ends with everything, through more passages than one call takes", async (t) => {
	const collection = await collectionFor(t);
	const files = Array.from({ length: 5 }, (_, at) => passagesIn(`${at}.md`, ...Array.from({ length: 500 }, String)));
	const told: (readonly [number, number])[] = [];
	await carryOut(await planChanges(collection, files.flat()), collection, (...progress) => told.push(progress));
	assert.deepEqual(told, [
		[1_000, 2_500],
		[2_000, 2_500],
		[2_500, 2_500],
	]);
	assert.equal(await collection.count(), 2_500);
});
