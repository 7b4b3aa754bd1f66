import assert from "node:assert/strict";
import { test } from "node:test";
import { murmur3 } from "./murmur3.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const whole = (bytes: Uint8Array, seed: number) => murmur3(bytes, 0, bytes.length, seed);

// The vectors that implementations are commonly checked with: every tail length, high bytes, signs, several seeds.
const VECTORS: readonly [bytes: Uint8Array | readonly number[], seed: number, hash: number][] = [
	[[], 0, 0],
	[[], 1, 0x514e28b7],
	[[], 0xffffffff, 0x81f16f39],
	[[0xff, 0xff, 0xff, 0xff], 0, 0x76293b50],
	[[0x21, 0x43, 0x65, 0x87], 0, 0xf55b516b],
	[[0x21, 0x43, 0x65, 0x87], 0x5082edee, 0x2362f9de],
	[[0x21, 0x43, 0x65], 0, 0x7e4a8634],
	[[0x21, 0x43], 0, 0xa0f7b07a],
	[[0x21], 0, 0x72661cf4],
	[[0, 0, 0, 0], 0, 0x2362f9de],
	[[0, 0, 0], 0, 0x85f0b427],
	[[0, 0], 0, 0x30f4c306],
	[[0], 0, 0x514e28b7],
	[utf8("aaaa"), 0x9747b28c, 0x5a97808a],
	[utf8("abc"), 0x9747b28c, 0xc84a62dd],
	[utf8("Hello, world!"), 0x9747b28c, 0x24884cba],
	[utf8("ππππππππ"), 0x9747b28c, 0xd58063c1],
	[utf8("The quick brown fox jumps over the lazy dog"), 0x9747b28c, 0x2fa826cd],
];

test("murmur3 gives the published values of MurmurHash3_x86_32", () => {
	for (const [bytes, seed, hash] of VECTORS) assert.equal(whole(Uint8Array.from(bytes), seed), hash);
});

test("murmur3 passes SMHasher's verification of MurmurHash3_x86_32", () => {
	const key = Uint8Array.from({ length: 256 }, (_, at) => at);
	const hashes = new DataView(new ArrayBuffer(4 * 256));
	for (let length = 0; length < 256; length++) {
		hashes.setUint32(4 * length, murmur3(key, 0, length, 256 - length), true);
	}
	assert.equal(whole(new Uint8Array(hashes.buffer), 0), 0xb0f57ee3);
});

test("murmur3 hashes only the bytes from start to end", () => {
	const bytes = utf8("some bytes before, The quick brown fox jumps over the lazy dog, some after");
	assert.equal(murmur3(bytes, 19, 19 + 43, 0x9747b28c), 0x2fa826cd);
});
