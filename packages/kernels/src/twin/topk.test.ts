import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench, bitmapOf } from "../kernels.test-support.ts";
import { ELIGIBILITY } from "../layout.ts";

interface Pair {
	readonly key: number;
	readonly id: number;
}

function pairsAt(bench: Bench, at: number, n: number): Pair[] {
	const keys = bench.f32(at, 2 * n);
	const ids = bench.u32(at, 2 * n);
	return Array.from({ length: n }, (_, i) => ({ key: keys[2 * i] as number, id: ids[2 * i + 1] as number }));
}

function sorted(pairs: readonly Pair[]): Pair[] {
	return pairs.toSorted((a, b) => a.key - b.key || a.id - b.id);
}

/** Few different keys, so that ties are common, and different ids up to the largest. */
const pairs = fc
	.uniqueArray(fc.oneof(fc.nat(60), fc.integer({ min: 2 ** 31 - 5, max: 2 ** 32 - 2 })), { maxLength: 60 })
	.chain((ids) =>
		fc
			.array(fc.integer({ min: -4, max: 4 }), { minLength: ids.length, maxLength: ids.length })
			.map((keys) => ids.map((id, i) => ({ id, key: (keys[i] as number) / 2 }))),
	);

test("the pool holds the k first of a sort by key and id, however the pairs are parted into calls", () => {
	fc.assert(
		fc.property(pairs, fc.integer({ min: 1, max: 12 }), fc.nat(60), (all, k, cut) => {
			const bench = new Bench({ bytes: 65_536 });
			const keys = bench.put(Float32Array.from(all, ({ key }) => key));
			const ids = bench.put(Uint32Array.from(all, ({ id }) => id));
			const pool = bench.room(8 * k);
			const first = Math.min(cut, all.length);
			let size = bench.run("topk", keys, ids, first, k, pool, 0, 0);
			size = bench.run("topk", keys + 4 * first, ids + 4 * first, all.length - first, k, pool, size, 0);
			assert.deepEqual(pairsAt(bench, pool, size), sorted(all).slice(0, k));
		}),
		{ numRuns: 150 },
	);
});

test("only ids that the bitmap holds and covers are kept", () => {
	fc.assert(
		fc.property(pairs, fc.integer({ min: 1, max: 12 }), fc.nat(70), fc.array(fc.boolean()), (all, k, covered, yes) => {
			const bench = new Bench({ bytes: 65_536 });
			const keys = bench.put(Float32Array.from(all, ({ key }) => key));
			const ids = bench.put(Uint32Array.from(all, ({ id }) => id));
			const pool = bench.room(8 * k);
			// One word more, all ones: what is not covered must not be read as allowed.
			const allow = bench.put(Uint32Array.of(...bitmapOf(96, (bit) => bit >= covered || yes[bit] === true)));
			const eligibility = bench.putWords(ELIGIBILITY, { allow, allowed: covered });
			const size = bench.run("topk", keys, ids, all.length, k, pool, 0, eligibility);
			const expected = sorted(all.filter(({ id }) => id < covered && yes[id] === true)).slice(0, k);
			assert.deepEqual(pairsAt(bench, pool, size), expected);
		}),
		{ numRuns: 100 },
	);
});

/** Which of the labels 0..n are kept under an eligibility. */
function kept(bench: Bench, n: number, eligibility: number): number[] {
	const keys = bench.room(4 * n);
	const ids = bench.put(Uint32Array.from({ length: n }, (_, i) => i));
	const pool = bench.room(8 * n);
	return pairsAt(bench, pool, bench.run("topk", keys, ids, n, n, pool, 0, eligibility)).map(({ id }) => id);
}

test("a label is alive from its birth on, until its death and not at it", () => {
	const bench = new Bench();
	const born = bench.put(Float64Array.of(5, 6, 7, 6, 6, 2 ** 53, 0));
	const died = bench.put(Float64Array.of(Infinity, Infinity, Infinity, 6, 7, Infinity, 6.5));
	const eligibility = bench.putWords(ELIGIBILITY, { born, died, dated: 7 });
	bench.write(eligibility + ELIGIBILITY.reader, Float64Array.of(6));
	assert.deepEqual(kept(bench, 9, eligibility), [0, 1, 4, 6]);
});

test("a label must be allowed and alive where both are asked", () => {
	const bench = new Bench();
	const born = bench.put(Float64Array.of(0, 0, 9, 0));
	const died = bench.put(new Float64Array(4).fill(Infinity));
	const allow = bench.put(bitmapOf(32, (bit) => bit !== 1));
	const eligibility = bench.putWords(ELIGIBILITY, { born, died, dated: 4, allow, allowed: 32 });
	assert.deepEqual(kept(bench, 8, eligibility), [0, 3]);
});

test("the last bit of a word and the first of the next are told apart", () => {
	const bench = new Bench();
	const allow = bench.put(bitmapOf(64, (bit) => bit === 31 || bit === 33));
	assert.deepEqual(kept(bench, 64, bench.putWords(ELIGIBILITY, { allow, allowed: 64 })), [31, 33]);
});

test("an eligibility of zeros admits everything", () => {
	const bench = new Bench();
	assert.deepEqual(kept(bench, 5, bench.putWords(ELIGIBILITY, {})), [0, 1, 2, 3, 4]);
});
