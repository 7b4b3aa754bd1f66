import assert from "node:assert/strict";
import { test } from "node:test";
import { type Metadata, parseFilter } from "@nigh/contract";
import fc from "fast-check";
import { MAX_WORDS } from "./find-words.ts";
import { KEY, openRecords, TABLES } from "./records.test-support.ts";

const NOW = 100;
const rows: { id: string; text?: string; metadata?: Metadata; expiresAt?: number }[] = [
	{ id: "e", text: "the cat sat", metadata: { kind: "animal" } },
	{ id: "d", text: "the dog sat on the cat", metadata: { kind: "animal", size: { high: 1, long: 2 } } },
	{ id: "c", text: "NEAR and not text column", metadata: { kind: "word" } },
	{ id: "b", text: "cat", expiresAt: NOW },
	{ id: "a", text: "the cat sat" },
	{ id: "0" },
	{ id: "z", text: "Crème brûlée, 한국어 x1" },
];
const { db, reader } = openRecords(rows);

function found(text: string, limit = 10, filter?: object): string[] {
	const node = filter === undefined ? undefined : parseFilter(filter);
	return reader.words(KEY, text, limit, NOW, node).map((hit) => hit.id);
}

test("records with any of the words come best first, equally good ones by id", () => {
	assert.deepEqual(found("cat"), ["a", "e", "d"]);
	assert.deepEqual(found("dog, cat!"), ["d", "a", "e"]);
	const hits = reader.words(KEY, "dog cat", 10, NOW);
	assert.deepEqual(
		hits.map((hit) => hit.label),
		[1, 4, 0],
	);
	assert.ok(hits.every((hit, at) => hit.rank > 0 && hit.rank <= (hits[at - 1]?.rank ?? Number.POSITIVE_INFINITY)));
});

test("case and accents do not matter", () => {
	assert.deepEqual(found("CREME"), ["z"]);
	assert.deepEqual(found("Bru\u0302le\u0301e"), ["z"]);
	assert.deepEqual(found("한국어"), ["z"]);
	assert.deepEqual(found("x1"), ["z"]);
});

test("what FTS5 has as syntax is words here", () => {
	assert.deepEqual(found("NEAR"), ["c"]);
	assert.deepEqual(found("cat AND zebra"), ["c", "a", "e", "d"]);
	assert.deepEqual(found("cat NOT cat"), ["c", "a", "e", "d"]);
	assert.deepEqual(found("text:zebra"), ["c"]);
	assert.deepEqual(found("ca*"), []);
	assert.deepEqual(found('"the dog"'), ["d", "a", "e"]);
	assert.deepEqual(found('^sat "'), ["a", "e", "d"]);
	assert.deepEqual(found("dog\u0000cat").slice(0, 1), ["d"]);
});

test("a text without words has no hits", () => {
	for (const text of ["", " ", '"', "***", "-+^:()", "\u0000", "…", "\u0301", "\ud800"])
		assert.deepEqual(found(text), [], text);
});

test("expired records are gone, and filters leave exactly what is allowed", () => {
	assert.deepEqual(
		reader.words(KEY, "cat", 10, NOW - 1).map((hit) => hit.id),
		["b", "a", "e", "d"],
	);
	assert.deepEqual(found("cat", 10, { kind: "animal" }), ["e", "d"]);
	assert.deepEqual(found("cat", 1, { kind: "animal" }), ["e"]);
	// Not exact in SQL: the predicate decides.
	assert.deepEqual(found("cat", 1, { size: { $eq: { long: 2, high: 1 } } }), ["d"]);
	assert.deepEqual(found("cat", 10, { kind: "none" }), []);
});

test("the words are looked for first, whatever indexes the filter could use", () => {
	db.exec(`CREATE INDEX field ON ${TABLES.records}(json_extract(metadata, '$."kind"'))`);
	assert.deepEqual(found("cat", 10, { kind: "animal" }), ["e", "d"]);
	db.exec("DROP INDEX field");
});

test("different words beyond the bound are left out, repeated ones do not count", () => {
	const others = Array.from({ length: MAX_WORDS - 1 }, (_, at) => `other${at}`).join(" ");
	assert.deepEqual(found(`${others} ${others} OTHER1 dog`), ["d"]);
	assert.deepEqual(found(`${others} another dog`), []);
});

test("no string makes it throw", () => {
	const syntax = fc.constantFrom(
		'"',
		"'",
		"*",
		"^",
		":",
		"(",
		")",
		"{",
		"}",
		"-",
		"+",
		"\u0000",
		"NEAR",
		" AND ",
		" OR ",
		"NOT ",
		"cat",
	);
	const text = fc.oneof(
		fc.string({ unit: "binary" }),
		fc.array(fc.oneof(syntax, fc.string({ unit: "binary", maxLength: 2 }))).map((parts) => parts.join("")),
		fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
	);
	fc.assert(
		fc.property(text, (words) => {
			assert.ok(found(words, 3).length <= 3);
		}),
		{ numRuns: 400 },
	);
});
