import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareUtf8, utf8Length } from "./utf8.ts";

/** Characters on both sides of every boundary of UTF-8 and UTF-16, so that shared beginnings and near misses are frequent. */
const character = fc.constantFrom(
	"a",
	"b",
	"\u007f",
	"\u0080",
	"\u07ff",
	"\u0800",
	"\ud7ff",
	"\ue000",
	"\uffff",
	"\u{10000}",
	"\u{10001}",
	"\u{10ffff}",
);
const text = fc.oneof(fc.string({ unit: character, maxLength: 6 }), fc.string({ unit: "binary" }));

test("the order of strings is that of their UTF-8 bytes", () => {
	const encoder = new TextEncoder();
	fc.assert(
		fc.property(text, text, (a, b) => {
			const expected = Buffer.compare(encoder.encode(a), encoder.encode(b));
			assert.equal(Math.sign(compareUtf8(a, b)), expected);
		}),
		{ numRuns: 2_000 },
	);
});

test("a character above U+FFFF comes after U+FFFF, where JavaScript's own order has it before", () => {
	assert.ok("\u{1f600}" < "\uffff");
	assert.ok(compareUtf8("\u{1f600}", "\uffff") > 0);
});

test("the length is that of the encoded bytes", () => {
	fc.assert(fc.property(text, (value) => assert.equal(utf8Length(value), new TextEncoder().encode(value).length)));
});
