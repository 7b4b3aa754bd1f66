import assert from "node:assert/strict";
import { test } from "node:test";
import { chiSquare } from "../chi-square.test-support.ts";
import { randomFrom } from "../random.ts";
import { Reservoir } from "./reservoir.ts";

test("each item is in it with probability size / n, wherever it came in the stream", () => {
	const [size, stream, runs] = [10, 50, 20_000];
	const random = randomFrom(7);
	const kept = new Float64Array(stream);
	for (let run = 0; run < runs; run++) {
		const reservoir = new Reservoir<number>(size, random);
		for (let item = 0; item < stream; item++) reservoir.offer(item);
		for (const item of reservoir.items) kept[item] = (kept[item] as number) + 1;
	}
	// Counts of one run are tied together (they sum to 10), which makes the statistic smaller: (1 - 10 / 50) of a chi-square of 49.
	const statistic = chiSquare(kept, (runs * size) / stream) / (1 - size / stream);
	assert.ok(statistic < 49 + 5 * Math.sqrt(2 * 49), `${statistic}`);
});

test("pairs of items are in it together as often as any other pair", () => {
	const random = randomFrom(8);
	const runs = 30_000;
	const pairs = new Map<string, number>();
	for (let run = 0; run < runs; run++) {
		const reservoir = new Reservoir<number>(2, random);
		for (let item = 0; item < 6; item++) reservoir.offer(item);
		const pair = reservoir.items.toSorted().join();
		pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
	}
	assert.equal(pairs.size, 15);
	assert.ok(chiSquare(pairs.values(), runs / 15) < 14 + 5 * Math.sqrt(2 * 14));
});

test("tells what it has put out: what went in and did not come out is in it", () => {
	const reservoir = new Reservoir<number>(5, randomFrom(9));
	const held = new Set<number>();
	for (let item = 0; item < 200; item++) {
		held.add(item);
		const out = reservoir.offer(item);
		assert.equal(out === undefined, item < 5);
		if (out !== undefined) assert.ok(held.delete(out));
		assert.deepEqual(new Set(reservoir.items), held);
		assert.equal(reservoir.seen, item + 1);
	}
	reservoir.clear();
	assert.deepEqual([reservoir.items, reservoir.seen], [[], 0]);
	assert.equal(reservoir.offer(1), undefined);
});
