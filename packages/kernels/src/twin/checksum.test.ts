import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench } from "../kernels.test-support.ts";

/** From the published test vectors of XXH32 with seed 0. */
const VECTORS: readonly (readonly [string, number])[] = [
	["", 0x02cc5d05],
	["a", 0x550d7456],
	["abc", 0x32d153ff],
	["abcdefghijklmnopqrstuvwxyz", 0x63a14d5f],
	["Nobody inspects the spammish repetition", 0xe2293b2f],
];

for (const [text, hash] of VECTORS) {
	test(`the checksum of "${text}" is the published one`, () => {
		const bench = new Bench();
		const at = bench.put(new TextEncoder().encode(text));
		assert.equal(bench.run("checksum", at, text.length) >>> 0, hash);
	});
}

test("any bytes at any address give the same checksum in every engine, and another one when a bit is turned", () => {
	fc.assert(
		fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(15), fc.nat(), (bytes, offset, at) => {
			const bench = new Bench({ bytes: 65_536 });
			const room = bench.room(320);
			bench.write(room + offset, bytes);
			const before = bench.run("checksum", room + offset, bytes.length);
			const turned = bytes.slice();
			turned[at % bytes.length] = (turned[at % bytes.length] as number) ^ (1 << (at & 7));
			bench.write(room + offset, turned);
			assert.notEqual(bench.run("checksum", room + offset, bytes.length), before);
		}),
		{ numRuns: 100 },
	);
});
