import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonText } from "./json.ts";

test("vectors are arrays, on one line", () => {
	const text = jsonText({ vector: Float32Array.of(0.1, -2), bits: Uint8Array.of(0, 255), other: [1, "\n"] });
	assert.equal(text, '{"vector":[0.1,-2],"bits":[0,255],"other":[1,"\\n"]}');
});

test("a float32 is given back by what is written", () => {
	fc.assert(
		fc.property(fc.float32Array({ noNaN: true, noDefaultInfinity: true }), (vector) => {
			assert.deepEqual(
				Float32Array.from(JSON.parse(jsonText(vector))),
				vector.map((value) => value + 0),
			);
		}),
	);
});
