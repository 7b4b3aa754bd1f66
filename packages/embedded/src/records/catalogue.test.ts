import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, type TestContext, test } from "node:test";
import fc from "fast-check";
import {
	chosenIndex,
	createCollection,
	dropCollection,
	findCollection,
	type IndexChoice,
	isSameIndex,
	listCollections,
	replaceSpec,
	type StoredSpec,
} from "./catalogue.ts";
import { fieldSql } from "./field-sql.ts";
import { SPEC } from "./filled.test-support.ts";
import { createCatalogue, tablesOf } from "./schema.ts";

const PLAIN: StoredSpec = { ...SPEC, filterable: [] };

function catalogue(t: TestContext): DatabaseSync {
	const db = new DatabaseSync(":memory:");
	t.after(() => db.close());
	createCatalogue(db);
	return db;
}

/** SQLite's way to look for records by a field. */
function planFor(db: DatabaseSync, key: number, path: readonly string[]): string {
	const sql = `EXPLAIN QUERY PLAN SELECT label FROM ${tablesOf(key).records} WHERE ${fieldSql(path)} = ?`;
	return (db.prepare(sql).all("x") as { detail: string }[]).map(({ detail }) => detail).join("; ");
}

test("what was converted to is what a collection is to have", () => {
	const index = { kind: "hnsw", M: 8 } as const;
	assert.deepEqual(chosenIndex({ index }), index);
	assert.deepEqual(chosenIndex({ index, converted: { kind: "ivf", nlist: 3 } }), { kind: "ivf", nlist: 3 });
});

test("two choices are the same whatever the order of their parameters, and differ in any of them", () => {
	const choice: IndexChoice = { kind: "ivfpq", nlist: 10, M: 4 };
	assert.ok(isSameIndex(choice, { M: 4, nlist: 10, kind: "ivfpq" }));
	const others: readonly IndexChoice[] = [
		{ kind: "ivfpq", nlist: 10 },
		{ kind: "ivfpq", nlist: 10, M: 4, bits: 4 },
		{ kind: "ivfpq", nlist: "adaptive", M: 4 },
		{ kind: "ivfpq", nlist: 10, bits: 4 },
		{ kind: "ivf", nlist: 10 },
		{ kind: "hnsw", M: 4 },
	];
	for (const other of others) {
		assert.equal(isSameIndex(choice, other), false, JSON.stringify(other));
		assert.equal(isSameIndex(other, choice), false, JSON.stringify(other));
	}
});

describe("catalogue", () => {
	test("gives back what was created, by name and as a list in the order of UTF-8", (t) => {
		const db = catalogue(t);
		const spec: StoredSpec = {
			...SPEC,
			weights: [0.1, 2],
			dimensions: null,
			index: { kind: "hnsw", M: 16 },
			embedder: { name: "hashed-ngrams", model: "1", dimensions: 2 },
			memoryLimit: 2 ** 40,
			maxAgeMs: 5,
		};
		const b = createCollection(db, "b", spec);
		const a = createCollection(db, "a", PLAIN);
		assert.deepEqual(b, { key: b.key, name: "b", spec, change: 0, nextLabel: 0, records: 0, reclaimedThrough: 0 });
		assert.deepEqual(findCollection(db, "b"), b);
		assert.equal(findCollection(db, "c"), undefined);
		assert.deepEqual(listCollections(db), [a, b]);
	});

	test("refuses a second collection of a name", (t) => {
		const db = catalogue(t);
		createCollection(db, "a", PLAIN);
		assert.throws(() => createCollection(db, "a", PLAIN), /UNIQUE/);
	});

	test("leaves nothing of a dropped collection, and does not give its key again", (t) => {
		const db = catalogue(t);
		const objects = () => db.prepare("SELECT name FROM sqlite_schema ORDER BY name").all();
		const before = objects();
		const { key } = createCollection(db, "a", SPEC);
		dropCollection(db, key);
		assert.deepEqual(objects(), before);
		assert.deepEqual(listCollections(db), []);
		assert.notEqual(createCollection(db, "a", SPEC).key, key);
	});

	test("replaces a spec; of a collection that is not there it is NOT_FOUND", (t) => {
		const db = catalogue(t);
		const { key } = createCollection(db, "a", PLAIN);
		const spec = { ...PLAIN, recall: 0.99 };
		replaceSpec(db, key, spec);
		assert.deepEqual(findCollection(db, "a")?.spec, spec);
		assert.throws(() => replaceSpec(db, key + 1, spec), { code: "NOT_FOUND" });
	});

	test("reads a spec of the first databases, which had no cap on memory", (t) => {
		const db = catalogue(t);
		const { key } = createCollection(db, "a", PLAIN);
		const { memory: _, ...old } = PLAIN;
		db.prepare("UPDATE collections SET spec = ?").run(JSON.stringify(old));
		assert.deepEqual(findCollection(db, "a")?.spec, PLAIN);
		const capped = { ...PLAIN, memory: { maxMB: 64 } };
		replaceSpec(db, key, capped);
		assert.deepEqual(findCollection(db, "a")?.spec, capped);
	});

	test("tells a spec that is not JSON as CORRUPT_RECORDS", (t) => {
		const db = catalogue(t);
		createCollection(db, "a", PLAIN);
		db.exec("UPDATE collections SET spec = '{'");
		assert.throws(() => listCollections(db), { code: "CORRUPT_RECORDS", message: /collection "a"/ });
		assert.throws(() => findCollection(db, "a"), { code: "CORRUPT_RECORDS" });
	});
});

describe("indexes of filterable fields", () => {
	test("come and go with the spec, without touching those of other collections or fields that stay", (t) => {
		const db = catalogue(t);
		const first = createCollection(db, "a", { ...SPEC, filterable: ["type", "Type", "author.name"] }).key;
		const eleventh = first + 10;
		for (let key = first + 1; key <= eleventh; key++)
			createCollection(db, `b${key}`, { ...SPEC, filterable: ["type"] });
		const indexed = (key: number, ...path: string[]) => planFor(db, key, path).includes("INDEX");
		assert.ok(indexed(first, "type") && indexed(first, "Type") && indexed(first, "author", "name"));
		assert.ok(!indexed(first, "author") && !indexed(first, "author.name"));
		replaceSpec(db, first, { ...SPEC, filterable: ["Type", "stars"] });
		assert.ok(!indexed(first, "type") && !indexed(first, "author", "name"));
		assert.ok(indexed(first, "Type") && indexed(first, "stars"));
		assert.ok(indexed(eleventh, "type"));
	});

	test("find the records that have the value, whatever the keys are", (t) => {
		const key = fc
			.oneof(
				fc.string({ unit: "grapheme" }),
				fc.string({ unit: fc.constantFrom('"', "'", "\\", "[", "]", "\n", "u", "\u001f", "é", "#") }),
			)
			.map((text) => text.replaceAll(".", "").replaceAll("\u0000", "").replace(/^\$+/, ""))
			.filter((text) => text !== "");
		fc.assert(
			fc.property(
				fc.uniqueArray(key, { minLength: 2, maxLength: 2 }),
				fc.array(key, { maxLength: 2 }),
				([a, other], rest) => {
					const db = catalogue(t);
					const path = [a as string, ...rest];
					const filterable = [path.join(".")];
					const entry = createCollection(db, "a", { ...SPEC, filterable });
					assert.deepEqual(findCollection(db, "a")?.spec.filterable, filterable);
					const insert = db.prepare(
						`INSERT INTO ${tablesOf(entry.key).records} (label, id, metadata, inserted_at, updated_at, born, change) VALUES (?1, ?1, ?2, 0, 0, 1, 1)`,
					);
					const nested = (keys: readonly string[], value: unknown) =>
						JSON.stringify(keys.reduceRight((inner, step) => ({ [step]: inner }), value));
					insert.run(1, nested(path, "x"));
					insert.run(2, nested(path, "y"));
					insert.run(3, nested([other as string, ...rest], "x"));
					insert.run(4, nested([...path, "deeper"], "x"));
					insert.run(5, null);
					assert.match(planFor(db, entry.key, path), /USING (COVERING )?INDEX records_\d+_field_/);
					const found = db
						.prepare(`SELECT label FROM ${tablesOf(entry.key).records} WHERE ${fieldSql(path)} = ?`)
						.all("x");
					assert.deepEqual(
						found.map(({ label }) => label),
						[1],
					);
				},
			),
		);
	});
});
