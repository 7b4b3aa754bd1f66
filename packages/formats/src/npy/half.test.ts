import assert from "node:assert/strict";
import { test } from "node:test";
import { halfTable, halfToNumber } from "./half.ts";

// In the language since ES2025, which the lib setting of the repository does not name yet.
type WithFloat16 = DataView & { getFloat16(at: number): number };

test("each of the 65,536 half floats is the number that the engine reads, bit by bit", () => {
	const view = new DataView(new ArrayBuffer(2)) as WithFloat16;
	for (let bits = 0; bits < 65_536; bits++) {
		view.setUint16(0, bits);
		const expected = view.getFloat16(0);
		if (!Object.is(halfToNumber(bits), expected)) assert.equal(halfToNumber(bits), expected, `bits ${bits}`);
		if (!Object.is(halfTable()[bits], expected)) assert.equal(halfTable()[bits], expected, `table at ${bits}`);
	}
});

test("subnormals, the largest number, infinity, NaN and minus zero are what IEEE 754 says", () => {
	assert.equal(halfToNumber(0x0001), 2 ** -24);
	assert.equal(halfToNumber(0x83ff), -1_023 * 2 ** -24);
	assert.equal(halfToNumber(0x7bff), 65_504);
	assert.equal(halfToNumber(0xfc00), Number.NEGATIVE_INFINITY);
	assert.ok(Number.isNaN(halfToNumber(0x7e00)));
	assert.ok(Object.is(halfToNumber(0x8000), -0));
});
