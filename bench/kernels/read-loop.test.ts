import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena } from "@nigh/kernels";
import { seeded } from "../sets/random.ts";
import { compileReadLoop, startReadLoop } from "./read-loop.ts";

const arena = new Arena();
const readLoop = startReadLoop(await compileReadLoop(), arena);
const WORDS = 4_096;
const base = arena.alloc(4 * WORDS);
const random = seeded(1);
const words = arena.u32(base, WORDS).map(() => random.uniform() * 2 ** 32);
arena.u32(base, WORDS).set(words);

function sum(from: number, count: number): number {
	return words.subarray(from, from + count).reduce((total, word) => (total + word) | 0, 0);
}

test("a range is read to its last byte, whatever its length", () => {
	for (const bytes of [0, 16, 240, 256, 272, 4_096, 4 * WORDS]) {
		assert.equal(readLoop.readRange(base, bytes), sum(0, bytes / 4), `${bytes} bytes`);
	}
});

test("every named row is read to its last byte, whatever the number and length of rows", () => {
	const ids = arena.alloc(4 * 16);
	for (const bytes of [16, 32, 48, 144, 512]) {
		for (const n of [0, 1, 3, 4, 5, 11]) {
			const stride = bytes + 16;
			const named = Uint32Array.from({ length: n }, () => random.uniform() * 30);
			arena.u32(ids, n).set(named);
			const expected = named.reduce((total, id) => (total + sum((id * stride) / 4, bytes / 4)) | 0, 0);
			assert.equal(readLoop.readRows(base, stride, bytes, ids, n), expected, `${n} rows of ${bytes} bytes`);
		}
	}
});
