import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isNighError } from "./errors.ts";
import { checkId, compareIds } from "./ids.ts";

function refusesWith(message: RegExp) {
	return (error: unknown) => isNighError(error, "INVALID_RECORD") && message.test(error.message);
}

test("any well-formed string of 1 to 512 bytes without U+0000 is an id", () => {
	for (const id of [
		"a",
		" ",
		"../x",
		"__proto__",
		"\u{1f600}",
		"x".repeat(512),
		"é".repeat(256),
		"\u{1f600}".repeat(128),
	]) {
		assert.equal(checkId(id), id);
	}
});

test("an id is measured in bytes of UTF-8", () => {
	for (const id of ["x".repeat(513), "é".repeat(257), `x${"\u{1f600}".repeat(128)}`, "x".repeat(1_000_000)]) {
		assert.throws(() => checkId(id), refusesWith(/512 bytes/));
	}
});

test("half of a surrogate pair, U+0000, the empty string and other types are refused", () => {
	assert.throws(() => checkId("a\ud800"), refusesWith(/well-formed/));
	assert.throws(() => checkId("\udc00a"), refusesWith(/well-formed/));
	assert.throws(() => checkId("a\u0000b"), refusesWith(/U\+0000/));
	assert.throws(() => checkId(""), refusesWith(/empty/));
	for (const id of [1, null, undefined, {}, ["a"]]) assert.throws(() => checkId(id), refusesWith(/must be a string/));
});

test("a refusal names the row and the value", () => {
	assert.throws(() => checkId(7, { row: 3 }), {
		message: "The id of row 3 is 7; it must be a string. Use String(...) for a number.",
		details: { field: "id", value: 7, row: 3 },
	});
});

test("what is accepted is exactly what survives UTF-8 within the bound", () => {
	const any = fc.oneof(
		fc.string({ unit: "binary" }),
		fc.string({ unit: fc.constantFrom("\ud800", "\udc00", "\0", "a") }),
	);
	fc.assert(
		fc.property(any, (id) => {
			const bytes = new TextEncoder().encode(id);
			const survives = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) === id;
			const valid = survives && !bytes.includes(0) && bytes.length >= 1 && bytes.length <= 512;
			if (valid) assert.equal(checkId(id), id);
			else assert.throws(() => checkId(id), refusesWith(/./));
		}),
	);
});

test("ids are ordered by their UTF-8 bytes", () => {
	const ids = ["\u{1f600}", "b", "\uffff", "a", "ab", "é"];
	assert.deepEqual(ids.sort(compareIds), ["a", "ab", "b", "é", "\uffff", "\u{1f600}"]);
});
