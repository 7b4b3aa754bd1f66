import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesText, countText, durationText, numberText, oneLine, timeText, wrapped } from "./quantities.ts";

test("sizes, times and counts read as people say them", () => {
	assert.deepEqual([0, 1_023, 1_536, 5 * 2 ** 30].map(bytesText), ["0 bytes", "1,023 bytes", "1.5 KiB", "5.0 GiB"]);
	assert.deepEqual([0.424, 12.4, 3_400, 59_949, 59_950, 125_000, 11_400_000].map(durationText), [
		"0.42 ms",
		"12 ms",
		"3.4 s",
		"59.9 s",
		"1 min 0 s",
		"2 min 5 s",
		"3 h 10 min",
	]);
	assert.deepEqual([countText(1, "record"), countText(2_000, "record")], ["1 record", "2,000 records"]);
	assert.equal(timeText(0), "1970-01-01 00:00:00Z");
	assert.deepEqual([0, 1_234_567, 0.123456789, -2.5].map(numberText), ["0", "1234567", "0.123457", "-2.5"]);
});

test("what would move the cursor becomes a blank, and a line is cut to its room without half a character", () => {
	assert.equal(oneLine("a\u001b[2J\r\nb\u009b", 20), "a [2J b");
	assert.equal(oneLine("abcdefgh", 8), "abcdefgh");
	assert.equal(oneLine("abcdefghi", 8), "abcde...");
	assert.equal(oneLine("abcd😀efgh", 8), "abcd\ufffd...");
});

test("text is broken between words, and a long word stands alone", () => {
	assert.deepEqual(wrapped("one two three", 7), ["one two", "three"]);
	assert.deepEqual(wrapped("a longest b", 3), ["a", "longest", "b"]);
	assert.deepEqual(wrapped("one two", 6), ["one", "two"]);
});
