import assert from "node:assert/strict";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { testFolder } from "../folder/folder.test-support.ts";
import { snapshotPath } from "./folder.ts";
import { ELEMENT_BYTES, type ElementType, type SnapshotMeta } from "./header.ts";
import { openSnapshot, readInfo, type Snapshot } from "./read.ts";
import { META, MIB, pattern, section } from "./snapshot.test-support.ts";
import { writeSnapshot } from "./write.ts";

const GRAPH = pattern(2 * MIB + 321, 1);
const ORIGIN = pattern(128, 2);

async function written(t: TestContext): Promise<string> {
	const path = snapshotPath(testFolder(t), 7, 42);
	await writeSnapshot(path, META, [section("graph", GRAPH), { ...section("origin", ORIGIN), element: "f32" }]);
	return path;
}

async function opened(t: TestContext): Promise<Snapshot> {
	const snapshot = openSnapshot(await written(t));
	t.after(() => snapshot.close());
	return snapshot;
}

test("the information is what was written, and where the sections are", async (t) => {
	const path = await written(t);
	const table = 4_096 + 2 * MIB + 4_096 + 4_096;
	assert.deepEqual(readInfo(path), {
		...META,
		path,
		version: 1,
		fileBytes: table + 4 * 4 + 32,
		sections: [
			{ name: "graph", element: "u8", offset: 4_096, bytes: GRAPH.length },
			{ name: "origin", element: "f32", offset: 4_096 + 2 * MIB + 4_096, bytes: 128 },
		],
	});
});

test("a section is read straight into shared memory, at any place of it", async (t) => {
	const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
	const view = new Uint8Array(memory.buffer, 13, GRAPH.length);
	(await opened(t)).readSection("graph", view);
	assert.ok(Buffer.from(view).equals(GRAPH));
	assert.equal(new Uint8Array(memory.buffer)[12], 0);
	assert.equal(new Uint8Array(memory.buffer)[13 + GRAPH.length], 0);
});

test("a section comes in blocks, in order or one alone", async (t) => {
	const snapshot = await opened(t);
	const chunks = [...snapshot.chunks("graph")].map(({ length }) => length);
	assert.deepEqual(chunks, [MIB, MIB, 321]);
	const copies = [];
	for (const chunk of snapshot.chunks("graph")) copies.push(chunk.slice());
	assert.ok(Buffer.concat(copies).equals(GRAPH));
	for (const block of [2, 0, 1]) {
		const expected = GRAPH.subarray(block * MIB, (block + 1) * MIB);
		assert.ok(Buffer.from(snapshot.readBlock("graph", block)).equals(expected));
	}
});

test("room of another length than the section's is refused", async (t) => {
	const snapshot = await opened(t);
	for (const length of [127, 129]) {
		assert.throws(
			() => snapshot.readSection("origin", new Uint8Array(length)),
			(error) => isNighError(error, "INVALID_OPTION") && error.details.bound === 128,
		);
	}
});

test("a block that there is not is refused", async (t) => {
	const snapshot = await opened(t);
	for (const block of [-1, 3, 0.5, Number.NaN]) {
		assert.throws(
			() => snapshot.readBlock("graph", block),
			(error) => isNighError(error, "INVALID_OPTION"),
		);
	}
});

test("a section that there is not is NOT_FOUND, and the message names those there are", async (t) => {
	const snapshot = await opened(t);
	assert.throws(
		() => snapshot.readSection("vectors", new Uint8Array(0)),
		(error) => isNighError(error, "NOT_FOUND") && error.message.includes("graph, origin"),
	);
});

test("a file that is not there is NOT_FOUND; a folder, or a file of another kind, is CORRUPT_SNAPSHOT", (t) => {
	const folder = testFolder(t);
	for (const read of [readInfo, openSnapshot]) {
		assert.throws(
			() => read(join(folder, "1-1.nigh-snapshot")),
			(error) => isNighError(error, "NOT_FOUND"),
		);
		assert.throws(
			() => read(folder),
			(error) => isNighError(error, "CORRUPT_SNAPSHOT"),
		);
		assert.throws(
			() => read(import.meta.filename),
			(error) => isNighError(error, "CORRUPT_SNAPSHOT") && error.message.includes("NIGHSNP"),
		);
	}
});

test("a file of another database, collection or change is refused, and both are named", async (t) => {
	const path = await written(t);
	const other = "00000000-0000-4000-8000-000000000000";
	const wrong = [
		[{ databaseId: other, key: 7 }, other, META.databaseId],
		[{ databaseId: META.databaseId, key: 8 }, "collection 8", "collection 7"],
		[{ change: 41 }, "change 41", "change 42"],
	] as const;
	for (const read of [readInfo, openSnapshot]) {
		for (const [expect, ...named] of wrong) {
			assert.throws(
				() => read(path, expect),
				(error) => isNighError(error, "CORRUPT_SNAPSHOT") && named.every((name) => error.message.includes(name)),
			);
		}
	}
	openSnapshot(path, { databaseId: META.databaseId, key: 7, change: 42 }).close();
});

test("an open snapshot is read to its end though it was removed", { skip: process.platform === "win32" }, async (t) => {
	const snapshot = await opened(t);
	rmSync(snapshot.info.path);
	assert.equal(await snapshot.verifyAll(), snapshot.info.fileBytes);
});

test("a closed snapshot is CLOSED for every reading; closing twice does nothing", async (t) => {
	const snapshot = await opened(t);
	snapshot.close();
	snapshot.close();
	const closed = (error: unknown) => isNighError(error, "CLOSED");
	assert.throws(() => snapshot.readSection("origin", new Uint8Array(128)), closed);
	assert.throws(() => snapshot.readBlock("graph", 0), closed);
	assert.throws(() => [...snapshot.chunks("graph")], closed);
	await assert.rejects(snapshot.verifyAll(), closed);
});

test("verifying tells how far it is and can be ended", async (t) => {
	const path = snapshotPath(testFolder(t), 7, 42);
	await writeSnapshot(path, META, [section("graph", new Uint8Array(20 * MIB))]);
	const snapshot = openSnapshot(path);
	t.after(() => snapshot.close());
	const told: number[] = [];
	assert.equal(await snapshot.verifyAll({ onProgress: (done) => told.push(done) }), snapshot.info.fileBytes);
	assert.equal(told.at(-1), 20 * MIB);
	const controller = new AbortController();
	const yieldNow = async () => controller.abort("enough");
	await assert.rejects(
		snapshot.verifyAll({ signal: controller.signal, yieldNow }),
		(error) => isNighError(error, "ABORTED") && error.cause === "enough",
	);
});

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const count = fc.maxSafeNat();
const PLAIN = { noNullPrototype: true } as const;
const collection = fc.record({ key: count, name: text }, PLAIN);
// JSON has no minus zero.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const index = fc.record({ kind: text, parameters: fc.dictionary(text, fc.oneof(text, number), PLAIN) }, PLAIN);
const meta: fc.Arbitrary<SnapshotMeta> = fc.record(
	{
		databaseId: fc.uuid(),
		collection,
		change: count,
		nextLabel: count,
		records: count,
		createdAt: count,
		engine: text,
		index,
	},
	PLAIN,
);
const sections = fc.uniqueArray(
	fc.record({
		name: text,
		element: fc.constantFrom(...(Object.keys(ELEMENT_BYTES) as ElementType[])),
		elements: fc.oneof(
			fc.nat(3_000),
			fc.constantFrom(0, 1, 512, 1_024, 4_096),
			fc.integer({ min: MIB / 8 - 1, max: MIB / 8 + 1 }),
		),
		cut: fc.integer({ min: 100, max: 2 * MIB }),
	}),
	{ selector: ({ name }) => name, maxLength: 6 },
);

test("what was written is read again: any sections, any cut", async (t) => {
	const path = snapshotPath(testFolder(t), 7, 42);
	await fc.assert(
		fc.asyncProperty(meta, sections, async (meta, sections) => {
			const sources = sections.map(({ name, element, elements, cut }, at) => {
				const data = pattern(elements * ELEMENT_BYTES[element], at);
				const chunks = function* () {
					for (let from = 0; from < data.length; from += cut) yield data.subarray(from, from + cut);
				};
				return { name, element, bytes: data.length, chunks, data };
			});
			const header = await writeSnapshot(path, meta, sources);
			const snapshot = openSnapshot(path);
			try {
				const { sections } = header;
				assert.deepEqual(snapshot.info, { ...meta, sections, path, version: 1, fileBytes: statSync(path).size });
				for (const { name, element, data } of sources) {
					const into = new Uint8Array(data.length);
					snapshot.readSection(name, into);
					assert.ok(Buffer.from(into).equals(data));
					const found = header.sections.find((each) => each.name === name);
					assert.equal(found?.element, element);
					assert.equal((found?.offset ?? 1) % 4_096, 0);
				}
				await snapshot.verifyAll();
			} finally {
				snapshot.close();
			}
		}),
		{ numRuns: 60 },
	);
});
