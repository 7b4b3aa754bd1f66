import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { readAnswer } from "./openai-answer.ts";

const base64 = (vector: Float32Array) => Buffer.from(vector.buffer).toString("base64");
const json = (...data: unknown[]) => JSON.stringify({ object: "list", data });

test("vectors come in the order of the texts, whatever the order of the answer and the form of each embedding", () => {
	const vectors = fc
		.integer({ min: 1, max: 6 })
		.chain((dimensions) =>
			fc.array(
				fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: dimensions, maxLength: dimensions }),
				{ minLength: 1, maxLength: 8 },
			),
		)
		.map((rows) => rows.map((row) => Float32Array.from(row, (value) => value + 0)));
	fc.assert(
		fc.property(vectors, fc.infiniteStream(fc.tuple(fc.nat(), fc.boolean())), (expected, choices) => {
			const items = expected.map((vector, index) => {
				const [place, packed] = choices.next().value as [number, boolean];
				return { place, item: { index, embedding: packed ? base64(vector) : Array.from(vector) } };
			});
			const data = items.sort((a, b) => a.place - b.place).map(({ item }) => item);
			assert.deepEqual(readAnswer(json(...data), expected.length, 0), expected);
		}),
	);
});

test("an answer without any index is in the order of the texts", () => {
	const answer = json({ embedding: [1, 2] }, { embedding: [3, 4] });
	assert.deepEqual(readAnswer(answer, 2, 0), [Float32Array.of(1, 2), Float32Array.of(3, 4)]);
});

test("vectors of different lengths in one answer are a DIMENSION_MISMATCH that names the row", () => {
	const answer = json({ index: 1, embedding: [1, 2, 3] }, { index: 0, embedding: [1, 2] });
	assert.throws(
		() => readAnswer(answer, 2, 40),
		(error) => {
			assert.ok(isNighError(error, "DIMENSION_MISMATCH"));
			assert.deepEqual({ ...error.details }, { field: "dimensions", value: 3, bound: 2, row: 41 });
			return true;
		},
	);
});

const first = { index: 0, embedding: [1, 2] };
const MALFORMED: Readonly<Record<string, [answer: string, says: RegExp, row?: number]>> = {
	"no JSON": ["<html>", /not JSON/],
	"an empty body": ["", /not JSON/],
	null: ["null", /no list "data"/],
	"no data": ['{"object":"list"}', /no list "data"/],
	"data that is no list": ['{"data":{"0":{}}}', /no list "data"/],
	"too few embeddings": [json(first), /1 embeddings for 2 texts/],
	"too many embeddings": [json(first, first, first), /3 embeddings for 2 texts/],
	"an item that is no object": [json(first, null), /item 1 .* not an object/],
	"an index twice": [json(first, first), /index 0 twice/],
	"an index out of range": [json(first, { index: 2, embedding: [1, 2] }), /item 1 .* no index from 0 to 1/],
	"a negative index": [json(first, { index: -1, embedding: [1, 2] }), /item 1 .* no index/],
	"a fraction as index": [json(first, { index: 0.5, embedding: [1, 2] }), /item 1 .* no index/],
	"an index in some items only": [json(first, { embedding: [1, 2] }), /item 1 .* no index/],
	"no embedding": [json(first, { index: 1 }), /texts\[11\] is neither/, 11],
	"an empty embedding": [json(first, { index: 1, embedding: [] }), /texts\[11\] is neither/, 11],
	"null in an embedding": [json(first, { index: 1, embedding: [1, null] }), /texts\[11\] is neither/, 11],
	"text in an embedding": [json(first, { index: 1, embedding: [1, "2"] }), /texts\[11\] is neither/, 11],
	"a number over float32": [json(first, { index: 1, embedding: [1, 1e300] }), /texts\[11\] is not made of finite/, 11],
	"base64 that is none": [json(first, { index: 1, embedding: "*" }), /texts\[11\] is neither/, 11],
	"base64 of half a number": [json(first, { index: 1, embedding: "AAAAAAA=" }), /texts\[11\] is neither/, 11],
	"base64 of NaN": [
		json(first, { index: 1, embedding: base64(Float32Array.of(1, Number.NaN)) }),
		/texts\[11\] is not made of finite/,
		11,
	],
};

for (const [name, [answer, says, row]] of Object.entries(MALFORMED)) {
	test(`an answer with ${name} is UNAVAILABLE and says so`, () => {
		assert.throws(
			() => readAnswer(answer, 2, 10),
			(error) => {
				assert.ok(isNighError(error, "UNAVAILABLE"));
				assert.match(error.message, says);
				assert.equal(error.details.row, row);
				return true;
			},
		);
	});
}
