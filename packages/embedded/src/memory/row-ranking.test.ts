import assert from "node:assert/strict";
import { test } from "node:test";
import { ELIGIBILITY } from "@nigh/kernels";
import fc from "fast-check";
import { type DiskGeneration, diskGeneration, KINDS, vectorsFor } from "./disk-generation.test-support.ts";
import { distanceBetween } from "./generations.test-support.ts";
import { RowRanking } from "./row-ranking.ts";
import { RowMaker } from "./rows.ts";
import { writeEligibility } from "./tail-scan.ts";

const N = 1_100;

function rowsOf({ owned, rowBytes }: DiskGeneration, slots: Uint32Array): Uint8Array {
	const rows = owned.rows?.read(slots) as Uint8Array;
	assert.equal(rows.length, slots.length * rowBytes);
	return rows;
}

function begin(small: DiskGeneration, query: Float32Array) {
	const { owned, format } = small;
	const { generation, areas } = owned;
	new Uint8Array(generation.handle.memory.buffer, areas.caller.query).set(new RowMaker(format).row(query));
	const ranking = new RowRanking(generation, areas.caller);
	ranking.begin();
	const eligibility = (bitmap?: number, change = 1) => writeEligibility(generation, areas.caller, { change, bitmap });
	const answers = () =>
		Array.from({ length: ranking.found }, (_, i) => ({ slot: ranking.slotAt(i), key: ranking.keyAt(i) }));
	return { ranking, eligibility, answers };
}

/** Slots in the exact order. */
function sorted({ vectors, format }: DiskGeneration, query: Float32Array, slots: Iterable<number>): number[] {
	const distance = (slot: number) => distanceBetween(format.metric, query, vectors[slot] as Float32Array);
	return [...slots]
		.map((slot) => [distance(slot), slot] as const)
		.sort(([a], [b]) => a - b)
		.map(([, slot]) => slot);
}

test("of any slots, in any order and parts, the k nearest are those of an exact sort, for every metric", async (t) => {
	assert.ok(ELIGIBILITY.bytes > 0);
	for (const metric of ["l2", "cosine", "ip"] as const) {
		const small = await diskGeneration(t, KINDS[0] as (typeof KINDS)[number], { metric, seed: 5 });
		const queries = vectorsFor(64, 32, 9);
		const property = fc.property(
			fc.nat(63),
			fc.integer({ min: 1, max: 300 }),
			fc.uniqueArray(fc.nat(N - 1), { maxLength: 400 }),
			fc.nat(400),
			(q, k, chosen, cut) => {
				const query = queries[q] as Float32Array;
				const { ranking, eligibility, answers } = begin(small, query);
				const slots = Uint32Array.from(chosen);
				for (const part of [slots.subarray(0, cut), slots.subarray(cut)]) {
					ranking.add(part, rowsOf(small, part), k, eligibility());
				}
				const expected = sorted(small, query, chosen).slice(0, k);
				const found = answers();
				assert.equal(found.length, expected.length);
				// The kernels compute in float32, so that neighbours as near as each other may change places.
				const distance = (slot: number) => distanceBetween(metric, query, small.vectors[slot] as Float32Array);
				for (const [i, { slot, key }] of found.entries()) {
					assert.ok(
						Math.abs(distance(slot) - distance(expected[i] as number)) <= 1e-4 * (1 + Math.abs(distance(slot))),
					);
					if (i > 0) assert.ok(key >= (found[i - 1]?.key as number));
				}
				assert.equal(new Set(found.map(({ slot }) => slot)).size, found.length);
			},
		);
		fc.assert(property, { numRuns: 60 });
	}
});

test("more rows than there is room for at a time", async (t) => {
	// 8 KiB a row: 128 of them are ranked at a time.
	const small = await diskGeneration(t, { kind: "ivf", storage: "disk", nlist: 4 }, { dimensions: 2_048 });
	assert.ok(small.owned.areas.caller.stagedRows < N, `${small.owned.areas.caller.stagedRows} rows at a time`);
	const query = vectorsFor(1, 2_048, 3)[0] as Float32Array;
	const { ranking, eligibility, answers } = begin(small, query);
	const slots = Uint32Array.from({ length: N }, (_, i) => N - 1 - i);
	ranking.add(slots, rowsOf(small, slots), 10, eligibility());
	assert.deepEqual(
		answers().map(({ slot }) => slot),
		sorted(small, query, slots).slice(0, 10),
	);
});

test("blocks give what the same slots one by one give, bit by bit", async (t) => {
	const small = await diskGeneration(t, KINDS[2] as (typeof KINDS)[number]);
	const query = vectorsFor(1, 32, 8)[0] as Float32Array;
	const { ranking, eligibility, answers } = begin(small, query);
	const slots = Uint32Array.from({ length: 700 }, (_, i) => 100 + i);
	ranking.add(slots, rowsOf(small, slots), 50, eligibility());
	const expected = answers();
	const again = begin(small, query);
	for (const [from, n] of [
		[100, 1],
		[101, 500],
		[601, 199],
	] as const) {
		const block = slots.subarray(from - 100, from - 100 + n);
		again.ranking.addBlock(from, n, (into) => into.set(rowsOf(small, block)), 50, again.eligibility());
	}
	assert.deepEqual(again.answers(), expected);
});

test("what may not be answered is not: what has died, what is born later, what a filter leaves out", async (t) => {
	const small = await diskGeneration(t, KINDS[0] as (typeof KINDS)[number]);
	const { generation, areas } = small.owned;
	const query = small.vectors[10] as Float32Array;
	const slots = Uint32Array.from({ length: N }, (_, i) => i);
	const order = sorted(small, query, slots);
	const [first, second, third] = order as [number, number, number];
	generation.kill(first, 3);
	generation.born[second] = 5;
	const at = (change: number, bitmap?: number) => {
		const { ranking, eligibility, answers } = begin(small, query);
		ranking.add(slots, rowsOf(small, slots), 1, eligibility(bitmap, change));
		return answers()[0]?.slot;
	};
	assert.deepEqual([at(2), at(3), at(5)], [first, third, second]);
	const words = new Uint32Array(generation.handle.memory.buffer, areas.caller.bitmaps, areas.caller.bitmapBytes / 4);
	for (const slot of [order[7] as number, order[9] as number])
		words[slot >>> 5] = (words[slot >>> 5] as number) | (1 << (slot & 31));
	assert.equal(at(5, areas.caller.bitmaps), order[7]);
});
