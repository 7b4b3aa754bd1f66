import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { adaptiveEf } from "@nigh/index";
import { distanceBetween, type Small, smallGeneration } from "./generations.test-support.ts";
import type { SlotQuery } from "./searcher.ts";

const DIMENSIONS = 8;
const N = 1_500;
/** Change numbers: everything is born at BORN, what dies does at DIED. */
const [BORN, DIED] = [1, 5];

function vectorOf(i: number): Float32Array {
	return Float32Array.from({ length: DIMENSIONS }, (_, d) => Math.fround(Math.sin(i * (d + 1))));
}

const all = Array.from({ length: N }, (_, slot) => slot);
const isDead = (slot: number) => slot % 10 === 4;

describe("a graph", () => {
	let small: Small;
	before(async () => {
		small = smallGeneration({ dimensions: DIMENSIONS, capacity: N, graph: true });
		for (const i of all) small.add(vectorOf(i), { born: BORN });
		await small.fold();
		for (const slot of all.filter(isDead)) small.generation.kill(slot, DIED);
		small.generation.publish(DIED);
	});

	/** Searches; checks that there are as many as are owed, each once, may be answered and is where it is said to be. */
	const check = (query: Partial<SlotQuery> & Pick<SlotQuery, "k">, members?: readonly number[]) => {
		const matches = members && { bitmap: small.bitmap(members), count: members.length, change: DIED };
		const asked = { vector: vectorOf(0.5), change: DIED, exact: false, ...query, matches };
		small.searcher.search(asked);
		const { slots, distances } = small.searcher;
		const alive = new Set((members ?? all).filter((slot) => asked.change < DIED || !isDead(slot)));
		assert.equal(slots.length, Math.min(asked.k, alive.size), "how many");
		assert.equal(new Set(slots).size, slots.length, "each once");
		slots.forEach((slot, i) => {
			assert.ok(alive.has(slot), `slot ${slot} may not be answered`);
			const distance = distanceBetween("l2", asked.vector, vectorOf(slot));
			assert.ok(Math.abs((distances[i] as number) - distance) <= 1e-5 * (1 + distance));
			assert.ok(i === 0 || (distances[i - 1] as number) <= (distances[i] as number), "ascending");
		});
		return small.searcher;
	};

	test("is walked as wide as the index says, as k needs, or as was asked, and says so", () => {
		const own = small.main?.readerSpec().ef as number;
		assert.deepEqual([check({ k: 5 }).widths, small.searcher.way], [{ ef: Math.max(own, 5) }, "index"]);
		assert.deepEqual(check({ k: 100 }).widths, { ef: Math.max(own, adaptiveEf(100)) });
		assert.deepEqual(check({ k: 5, ef: 33, isWidthAsked: true }).widths, { ef: 33 });
	});

	test("takes no notice of what only cells are asked for", () => {
		assert.deepEqual(check({ k: 5, nprobe: 1, rerank: 0, budget: 1, breadth: 0.5 }).widths, check({ k: 5 }).widths);
	});

	test("with a filter is walked through all where much matches, and few matches are compared one by one", () => {
		const most = all.filter((slot) => slot % 10 !== 0);
		const asked = check({ k: 5, ef: 20, isWidthAsked: true }, most);
		assert.deepEqual([asked.way, asked.widths], ["filtered-index", { ef: 20 }]);
		const few = check({ k: 5 }, all.slice(0, 40));
		assert.deepEqual([few.way, few.widths], ["filtered-scan", {}]);
		assert.equal(check({ k: 5, exact: true }, most).way, "filtered-scan");
		assert.deepEqual(check({ k: 5 }, []).slots, []);
	});

	test("is compared as a whole where that is asked for", () => {
		assert.deepEqual([check({ k: 700, exact: true }).way, small.searcher.widths], ["scan", {}]);
	});

	test("for who reads the state of before has what has died since, however many are asked for", () => {
		for (const k of [1_349, 1_350, 1_351, 1_450, N]) check({ k, change: BORN });
		for (const k of [1_349, 1_350, 1_351, N]) check({ k });
	});

	test("costs nothing to compare, unless everything is", () => {
		assert.equal(small.searcher.bytesCompared({ k: 5, exact: false }), 0);
		assert.equal(small.searcher.bytesCompared({ k: 5, exact: true }), N * DIMENSIONS * 4);
	});
});

test("of a graph that no walk gets around in, everything is compared instead of answering less", async () => {
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: 512, graph: true });
	for (let i = 0; i < 400; i++) small.add(vectorOf(i), { born: BORN });
	await small.fold();
	// Nothing of what there is but the farthest, of which a narrow walk knows nothing.
	const vector = vectorOf(0);
	const byDistance = Array.from({ length: 400 }, (_, slot) => slot).sort(
		(a, b) => distanceBetween("l2", vector, vectorOf(b)) - distanceBetween("l2", vector, vectorOf(a)),
	);
	const kept = new Set(byDistance.slice(0, 3));
	for (let slot = 0; slot < 400; slot++) if (!kept.has(slot)) small.generation.kill(slot, DIED);
	small.searcher.search({ vector, k: 10, change: DIED, exact: false });
	assert.deepEqual(new Set(small.searcher.slots), kept);
});
