import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena } from "@nigh/kernels";
import { serial } from "./parallel.ts";

test("the serial Parallel runs every call on this thread before it resolves, in order", async () => {
	const arena = new Arena();
	const [rows, factors] = [arena.alloc(32), arena.alloc(16)];
	arena.f32(rows, 8).fill(1);
	arena.f32(factors, 4).set([1, 2, 3, 4]);
	assert.equal(serial.lanes, 1);
	await serial.run(arena, "scaleRow", [
		[rows, factors, 16],
		[rows + 16, factors, 16],
		[rows, factors, 16],
	]);
	assert.deepEqual([...arena.f32(rows, 8)], [1, 4, 9, 16, 1, 2, 3, 4]);
});
