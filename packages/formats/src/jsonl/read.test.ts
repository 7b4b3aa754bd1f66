import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { chunked, concatenated, invalidFileOf, outcomeOf, WatchedSource } from "../sources.test-support.ts";
import { type JsonlReadOptions, readJsonl } from "./read.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const readText = (text: string, options: JsonlReadOptions = {}) => outcomeOf(readJsonl([utf8(text)], options));

test("id, text and every other field stand beside the vector", async () => {
	const outcome = await readText(
		'{"id":"a","vector":[1,2],"text":"über 🦉","tags":["x"],"deep":{"n":null}}\n{"vector":[3,4]}\n{"id":null,"text":null,"vector":[5,6]}\n',
	);
	assert.deepEqual(outcome.records, [
		{ id: "a", text: "über 🦉", metadata: { tags: ["x"], deep: { n: null } } },
		{ metadata: {} },
		{ metadata: {} },
	]);
});

test("the fields are found under the names they are given, and only there", async () => {
	const line = '{"key":"k","emb":[1],"body":"b","id":"other","vector":[7,8],"text":5}\n';
	const outcome = await readText(line, { vectorField: "emb", idField: "key", textField: "body" });
	assert.deepEqual(outcome.rows, [[1]]);
	assert.deepEqual(outcome.records, [{ id: "k", text: "b", metadata: { id: "other", vector: [7, 8], text: 5 } }]);
});

test("what objects inherit is not taken for a field, and __proto__ is a field like any other", async () => {
	const outcome = await readText('{"vector":[1],"__proto__":{"a":1}}\n', {
		idField: "constructor",
		textField: "toString",
	});
	assert.equal(outcome.error, undefined);
	const [record] = outcome.records;
	assert.deepEqual(Object.keys(record ?? {}), ["metadata"]);
	assert.deepEqual(Object.keys(record?.metadata ?? {}), ["__proto__"]);
	assert.equal(Object.getPrototypeOf(record?.metadata), Object.prototype);
	const missing = await readText("{}\n", { vectorField: "toString" });
	assert.match(invalidFileOf(missing).message, /the field "toString" is not there/);
});

test("a whole number as id is given as text; one that could stand for two ids is refused", async () => {
	const outcome = await readText(
		'{"id":7,"vector":[1]}\n{"id":-0,"vector":[1]}\n{"id":9007199254740993,"vector":[1]}\n',
	);
	assert.deepEqual(
		outcome.records.map((record) => record.id),
		["7", "0"],
	);
	assert.match(
		invalidFileOf(outcome).message,
		/row 2, byte 45: line 3: the field "id" is 9007199254740992; expected a string/,
	);
});

test("numbers are rounded to the nearest float32", async () => {
	const outcome = await readText('{"vector":[0.1,1e-60,-0,3.4028235e38,16777217]}\n');
	assert.deepEqual(outcome.rows, [[Math.fround(0.1), 0, -0, Math.fround(3.4028235e38), 16_777_216]]);
});

const FAULTS: readonly (readonly [what: string, line: string, message: RegExp])[] = [
	["no JSON", '{"vector":[1,2]', /not JSON \(.+\); expected a JSON object/],
	["NaN", '{"vector":[1,NaN]}', /not JSON/],
	["an array", "[1,2]", /the line is an array of 2; expected a JSON object/],
	["a number", "5", /the line is 5;/],
	["null", "null", /the line is null;/],
	["no vector", '{"text":"x"}', /the field "vector" is not there; expected an array of numbers\. .*vectorField/],
	["a vector in a string", '{"vector":"[1,2]"}', /the field "vector" is "\[1,2\]"; expected an array of numbers/],
	["an empty vector", '{"vector":[]}', /the vector has 0 numbers; expected 1 to 16384/],
	[
		"a vector that is too long",
		`{"vector":[${"1,".repeat(16_384)}1]}`,
		/the vector has 16385 numbers; expected 1 to 16384/,
	],
	["another dimension", '{"vector":[1,2,3]}', /the vector has 3 numbers; expected 2, as in row 0/],
	["null in a vector", '{"vector":[1,null]}', /number 1 of the vector is null; expected a number/],
	["a string in a vector", '{"vector":["1",2]}', /number 0 of the vector is "1"; expected a number/],
	["beyond float32", '{"vector":[1,1e39]}', /number 1 of the vector is too large; expected .*3\.4028235e38/],
	["beyond double", '{"vector":[1,1e999]}', /number 1 of the vector is too large/],
	["an id of another type", '{"vector":[1,2],"id":true}', /the field "id" is true; expected a string/],
	["a fraction as id", '{"vector":[1,2],"id":1.5}', /the field "id" is 1\.5; expected a string/],
	["a text of another type", '{"vector":[1,2],"text":["a"]}', /the field "text" is an array of 1; expected a string/],
];

for (const [what, line, message] of FAULTS) {
	test(`refused with row, line and byte, after the rows before it: ${what}`, async () => {
		const before = '{"vector":[8,9]}\n\n';
		for (const batchBytes of [1, 1_000_000]) {
			const outcome = await readText(`${before}${line}\n{"vector":[1,1]}\n`, { batchBytes });
			assert.deepEqual(outcome.rows, [[8, 9]]);
			const error = invalidFileOf(outcome);
			assert.match(error.message, message);
			assert.ok(error.message.startsWith("jsonl file, row 1, byte 18: line 3: "), error.message);
			assert.deepEqual([error.details.row, error.details.byteOffset, error.details.line], [1, 18, 3]);
		}
	});
}

test("bytes that are no UTF-8 are refused at their line", async () => {
	const file = concatenated([utf8('{"vector":[1]}\n{"text":"'), Uint8Array.of(0xc3), utf8('","vector":[1]}\n')]);
	assert.match(
		invalidFileOf(await outcomeOf(readJsonl([file]))).message,
		/row 1, byte 15: line 2: the bytes are no UTF-8/,
	);
});

test("a byte order mark is tolerated at the start of the file only", async () => {
	const line = '\u{feff}{"vector":[1]}\n';
	assert.deepEqual((await readText(line)).rows, [[1]]);
	assert.equal(invalidFileOf(await readText(line + line)).details.row, 1);
});

test("a character cut by a chunk boundary is whole again", async () => {
	const bytes = utf8('{"vector":[1],"text":"🦉ü"}\n');
	for (let size = 1; size < bytes.length; size++) {
		assert.equal((await outcomeOf(readJsonl(chunked(bytes, [size])))).records[0]?.text, "🦉ü");
	}
});

test("a file of blank lines has no rows", async () => {
	for (const text of ["\n", " \t\r\n\r\n", "   ", "\u{feff}\r\n"]) {
		const outcome = await readText(text);
		assert.deepEqual([outcome.rows, outcome.error], [[], undefined]);
	}
});

test("a line above maxLineBytes is refused, however it is chunked, and no more of it is read", async () => {
	const line = '{"vector":[1]}';
	const bytes = utf8(`${line}\n${line} \n${line}\n`);
	for (const chunks of [[bytes.length], [1], [20]]) {
		const outcome = await outcomeOf(readJsonl(chunked(bytes, chunks), { maxLineBytes: line.length }));
		assert.deepEqual(outcome.rows, [[1]]);
		assert.match(invalidFileOf(outcome).message, /row 1, byte 15: line 2 has more than 14 bytes; .*maxLineBytes/);
	}
	const source = new WatchedSource(chunked(utf8("x".repeat(1_000)), [1]));
	invalidFileOf(await outcomeOf(readJsonl(source, { maxLineBytes: 50 })));
	assert.deepEqual([source.given, source.closed], [51, 1]);
	assert.throws(
		() => readJsonl([], { maxLineBytes: 0 }),
		(error) => isNighError(error, "INVALID_OPTION"),
	);
});

test("a batch also ends when its lines have batchBytes bytes", async () => {
	const line = `{"vector":[1],"text":"${"x".repeat(100)}"}\n`;
	const outcome = await readText(line.repeat(10), { batchBytes: 300 });
	assert.deepEqual(
		outcome.batches.map((batch) => batch.count),
		[3, 3, 3, 1],
	);
});

test("field names that are empty, equal or no strings are refused", () => {
	const wrong = [
		[{ vectorField: "" }, "vectorField"],
		[{ idField: "vector" }, "idField"],
		[{ textField: "id" }, "textField"],
		[{ idField: 3 as unknown as string }, "idField"],
	] as const;
	for (const [options, field] of wrong) {
		assert.throws(
			() => readJsonl([], options),
			(error) => {
				return isNighError(error, "INVALID_OPTION") && error.details.field === field;
			},
		);
	}
});
