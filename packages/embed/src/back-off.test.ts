import assert from "node:assert/strict";
import { test } from "node:test";
import { backOffMs, retryAfterMs } from "./back-off.ts";

test("the wait doubles up to 30 s, and jitter takes away up to half of it", () => {
	const longest = [1, 2, 3, 4, 5, 6, 7, 8, 20].map((repetition) => backOffMs(repetition, 0));
	assert.deepEqual(longest, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
	assert.equal(backOffMs(1, 0.5), 375);
	assert.equal(backOffMs(7, 0.5), 22_500);
});

test("the wait is never shorter than the service asks for", () => {
	assert.equal(backOffMs(1, 0, 7_000), 7_000);
	assert.equal(backOffMs(4, 0, 1_000), 4_000);
});

test("Retry-After is read as seconds or as an HTTP date, and nothing else", () => {
	const now = Date.UTC(2024, 1, 29, 12, 0, 0);
	assert.equal(retryAfterMs("120", now), 120_000);
	assert.equal(retryAfterMs(" 0 ", now), 0);
	assert.equal(retryAfterMs("1.5", now), 1_500);
	assert.equal(retryAfterMs("Thu, 29 Feb 2024 12:00:10 GMT", now), 10_000);
	assert.equal(retryAfterMs("Thursday, 29-Feb-24 12:00:10 GMT", now), 10_000);
	assert.equal(retryAfterMs("Thu, 29 Feb 2024 11:00:00 GMT", now), 0);
	for (const neither of [null, "", "soon", "-5", "12 monkeys", "2024-03-01", "Thu, 99 Feb 2024 12:00:10 GMT"]) {
		assert.equal(retryAfterMs(neither, now), undefined, String(neither));
	}
});
