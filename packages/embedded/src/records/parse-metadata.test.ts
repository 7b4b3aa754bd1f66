import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { anyMetadata } from "./filters.test-support.ts";
import { parseMetadata } from "./parse-metadata.ts";

test("keys with escapes keep their names after keys with backslashes were parsed", () => {
	for (const [backslash, escaped] of [
		["\\", '"'],
		["\\", "\n"],
		["\\n", "\nx"],
		["\\u", "\u0001y"],
	] as const) {
		parseMetadata(JSON.stringify({ a: 1, [backslash]: 2 }));
		JSON.parse(JSON.stringify({ a: 1, [backslash]: 2 }));
		const parsed = parseMetadata(JSON.stringify({ a: 1, [escaped]: 2 }));
		assert.deepEqual(Object.keys(parsed), ["a", escaped]);
	}
});

test("metadata is read as it was written", () => {
	fc.assert(
		fc.property(anyMetadata, (metadata) => {
			if (metadata === undefined) return;
			const text = JSON.stringify(metadata);
			assert.equal(JSON.stringify(parseMetadata(text)), text);
		}),
		{ numRuns: 5_000 },
	);
});

test("names that stand in for keys are none that are there", () => {
	const metadata = { key0: { key: "key_0", key_0: '"' }, '"': { "\n": "key__" }, "a\\": "\\" };
	assert.deepEqual(parseMetadata(JSON.stringify(metadata)), metadata);
});

test("text that is not JSON is CORRUPT_RECORDS", () => {
	for (const text of ["", "{", '{"a\\":1}', '{"a\\n":', '"\\'] as const) {
		assert.throws(
			() => parseMetadata(text),
			(error) => isNighError(error, "CORRUPT_RECORDS"),
		);
	}
});
