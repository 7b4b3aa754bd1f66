import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, isNighError } from "@nigh/contract";
import fc from "fast-check";
import { bytesOf, outcomeOf } from "../sources.test-support.ts";
import { readJsonl } from "./read.ts";
import { type JsonlRow, writeJsonl } from "./write.ts";

const textOf = async (rows: readonly JsonlRow[], names = {}) => {
	return new TextDecoder().decode(await bytesOf(writeJsonl(rows, names)));
};

test("a line has the id, the vector, the text and the metadata, under the names asked for", async () => {
	const rows = [
		{ id: "a", vector: [1, -0.5], text: "t\n", metadata: { n: 1, none: undefined, deep: { x: [null] } } },
		{ vector: Float32Array.of(0.1, -0) },
	];
	assert.equal(
		await textOf(rows),
		'{"id":"a","vector":[1,-0.5],"text":"t\\n","n":1,"deep":{"x":[null]}}\n{"vector":[0.1,-0]}\n',
	);
	const names = { vectorField: "v", idField: "k", textField: "b" };
	assert.equal(await textOf(rows.slice(0, 1), names), '{"k":"a","v":[1,-0.5],"b":"t\\n","n":1,"deep":{"x":[null]}}\n');
	assert.equal(await textOf([]), "");
});

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

test("rows come back: every bit of a vector, the id, the text and the metadata", async () => {
	const row = fc.record(
		{
			id: fc.string({ unit: "grapheme" }),
			vector: fc.array(finite, { minLength: 3, maxLength: 3 }).map((numbers) => Float32Array.from(numbers)),
			text: fc.string({ unit: "grapheme" }),
			metadata: fc.dictionary(fc.stringMatching(/^m[a-z]{0,3}$/), fc.oneof(fc.string(), fc.boolean(), fc.integer())),
		},
		{ requiredKeys: ["vector"] },
	);
	const storable = (each: { metadata?: object }) => !JSON.stringify(each.metadata ?? {}).includes("\\u0000");
	const property = fc.asyncProperty(fc.array(row.filter(storable), { maxLength: 10 }), async (rows) => {
		const outcome = await outcomeOf(readJsonl(writeJsonl(rows)));
		assert.equal(outcome.error, undefined);
		assert.deepEqual(
			outcome.rows,
			rows.map((each) => Array.from(each.vector)),
		);
		assert.deepEqual(
			outcome.records,
			rows.map(({ vector: _, metadata, ...fields }) => ({ ...fields, metadata: { ...metadata } })),
		);
	});
	await fc.assert(property);
});

test("a number has no more than nine significant digits, and none shorter of six or more gives it back", async () => {
	const property = fc.asyncProperty(finite, async (value) => {
		const [, digits = ""] = /\[(.*)\]/.exec(await textOf([{ vector: [value] }])) ?? [];
		assert.ok(Object.is(Math.fround(Number(digits)), value), `${digits} for ${value}`);
		const significant = digits.replace(/e.*/, "").replace(/[-.]/g, "").replace(/^0+/, "").replace(/0+$/, "");
		assert.ok(significant.length <= 9, digits);
		for (let shorter = 6; shorter < significant.length; shorter++) {
			assert.notEqual(Math.fround(Number(value.toPrecision(shorter))), value);
		}
	});
	await fc.assert(property, { numRuns: 1_000 });
	assert.equal(
		await textOf([{ vector: [16_777_215, 3.4028234663852886e38, 1e-45] }]),
		'{"vector":[16777215,3.4028235e+38,1.4013e-45]}\n',
	);
});

test("what JSONL cannot hold is refused with its row", async () => {
	const good: JsonlRow = { vector: [1, 2] };
	const faults: readonly (readonly [row: object, code: ErrorCode])[] = [
		[{ vector: [1] }, "DIMENSION_MISMATCH"],
		[{ vector: [1, Number.NaN] }, "INVALID_VECTOR"],
		[{ vector: Float32Array.of(1, Number.POSITIVE_INFINITY) }, "INVALID_VECTOR"],
		[{ vector: [1, 1e39] }, "INVALID_VECTOR"],
		[{ vector: [1, "2"] }, "INVALID_VECTOR"],
		[{ ...good, id: 7 }, "INVALID_RECORD"],
		[{ ...good, text: null }, "INVALID_RECORD"],
		[{ ...good, metadata: { vector: 1 } }, "INVALID_RECORD"],
		[{ ...good, metadata: { n: Number.NaN } }, "INVALID_RECORD"],
		[{ ...good, metadata: { n: 1n } }, "INVALID_RECORD"],
	];
	for (const [row, code] of faults) {
		await assert.rejects(
			textOf([good, row as JsonlRow]),
			(error) => isNighError(error, code) && error.details.row === 1,
		);
	}
	await assert.rejects(textOf([{ vector: [] }]), (error) => {
		return isNighError(error, "DIMENSION_MISMATCH") && error.details.row === 0;
	});
});

test("wrong names and unknown options are refused at once", () => {
	for (const [options, field] of [
		[{ idField: "vector" }, "idField"],
		[{ idFeld: "x" } as object, "idFeld"],
	] as const) {
		assert.throws(
			() => writeJsonl([], options),
			(error) => {
				return isNighError(error, "INVALID_OPTION") && error.details.field === field;
			},
		);
	}
});
