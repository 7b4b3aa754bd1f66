import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import type { JsonlReadOptions } from "./read.ts";
import { type JsonlRecordFields, readJsonlRecords } from "./read-records.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

async function outcomeOf(text: string, options: JsonlReadOptions = {}) {
	const rows: number[] = [];
	const records: JsonlRecordFields[] = [];
	try {
		for await (const batch of readJsonlRecords([utf8(text)], options)) {
			rows.push(batch.row);
			records.push(...batch.records);
		}
		return { rows, records };
	} catch (error) {
		return { rows, records, error };
	}
}

test("a row may have a vector, of any length, or none", async () => {
	const { records, error } = await outcomeOf(
		'{"id":"a","text":"x","n":1}\n\n{"id":2,"vector":[0.1]}\n{"vector":null,"text":"y"}\n{"vector":[1,2]}\n',
	);
	assert.equal(error, undefined);
	assert.deepEqual(records, [
		{ id: "a", text: "x", metadata: { n: 1 } },
		{ id: "2", metadata: {}, vector: Float32Array.of(0.1) },
		{ text: "y", metadata: {} },
		{ metadata: {}, vector: Float32Array.of(1, 2) },
	]);
});

test("fields have the names that they are given", async () => {
	const { records } = await outcomeOf('{"k":"a","e":[1],"b":"x","vector":5}\n', {
		idField: "k",
		vectorField: "e",
		textField: "b",
	});
	assert.deepEqual(records, [{ id: "a", text: "x", metadata: { vector: 5 }, vector: Float32Array.of(1) }]);
});

test("batches end by their bytes, and reading at the limit", async () => {
	const line = '{"text":"x"}\n';
	assert.deepEqual((await outcomeOf(line.repeat(5), { batchBytes: 20 })).rows, [0, 2, 4]);
	assert.equal((await outcomeOf(`${line}${line}nonsense`, { limit: 2 })).records.length, 2);
	assert.deepEqual(await outcomeOf("\n \n"), { rows: [], records: [] });
});

const FAULTS: readonly (readonly [line: string, message: RegExp])[] = [
	["nonsense", /not JSON/],
	["[1]", /the line is an array of 1; expected a JSON object/],
	['{"vector":"[1]"}', /the field "vector" is "\[1\]"; expected an array of numbers/],
	['{"vector":[]}', /the vector has 0 numbers/],
	['{"vector":[1,null]}', /number 1 of the vector is null/],
	['{"text":5}', /the field "text" is 5; expected a string/],
];

for (const [line, message] of FAULTS) {
	test(`refused with row, line and byte, after the rows before it: ${line}`, async () => {
		const { records, error } = await outcomeOf(`{"text":"x"}\n\n${line}\n{"text":"y"}\n`);
		assert.equal(records.length, 1);
		assert.ok(isNighError(error, "INVALID_FILE"));
		assert.match(error.message, message);
		assert.deepEqual([error.details.row, error.details.byteOffset, error.details.line], [1, 14, 3]);
	});
}
