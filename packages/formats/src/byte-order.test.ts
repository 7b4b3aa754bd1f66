import assert from "node:assert/strict";
import { endianness } from "node:os";
import { test } from "node:test";
import { fixByteOrder, HOST_IS_LITTLE_ENDIAN, swapBytes } from "./byte-order.ts";

test("the byte order of the host is the one the system states", () => {
	assert.equal(HOST_IS_LITTLE_ENDIAN, endianness() === "LE");
});

test("swapping turns numbers of the other byte order around, and leaves a remainder as it is", () => {
	const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
	swapBytes(bytes, 4);
	assert.deepEqual(bytes, Uint8Array.of(4, 3, 2, 1, 8, 7, 6, 5, 9, 10));
	const one = Uint8Array.of(1, 2);
	swapBytes(one, 1);
	assert.deepEqual(one, Uint8Array.of(1, 2));
});

test("fixed bytes of a little-endian file are the numbers of this host", () => {
	const values = new Float32Array(2);
	const view = new DataView(values.buffer);
	view.setFloat32(0, 1.5, true);
	view.setFloat32(4, -2, true);
	fixByteOrder(new Uint8Array(values.buffer), 4);
	assert.deepEqual(Array.from(values), [1.5, -2]);
});
