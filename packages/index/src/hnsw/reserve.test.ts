import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GRAPH } from "@nigh/kernels";
import { refusal } from "../refusal.test-support.ts";
import type { HnswGraph } from "./graph.ts";
import { build, checkGraph, create, imageOf, mixture, range, rowOf } from "./graphs.test-support.ts";
import { levelFor } from "./parameters.ts";
import { recordsFor } from "./reserve.ts";

const N = 2_000;
const D = 16;
const { rows: ROWS } = mixture(N + 200, D, 7);

/** Whatever other threads are told of where a graph is. */
function addresses(graph: HnswGraph): Record<string, number | undefined> {
	const words = graph.arena.u32(graph.address, GRAPH.bytes / 4);
	return {
		graph: graph.address,
		blocks: words[GRAPH.blocks / 4],
		vectors: words[GRAPH.vectors / 4],
		upper: words[GRAPH.upper / 4],
		upperOf: words[GRAPH.upperOf / 4],
		levels: words[GRAPH.levels / 4],
		origin: graph.codes?.origin,
		capacity: graph.capacity,
		records: graph.upper.capacity,
	};
}

describe("within what has been reserved nothing moves", () => {
	for (const codes of ["sq7", "none"] as const) {
		for (const [way, step] of [
			["one by one", 0],
			["37 at a time", 37],
			["all at once", N],
		] as const) {
			test(`${way}, codes ${codes}, and the graph is the one that comes without reserving`, async () => {
				const { index, graph } = create({ dimensions: D, metric: "l2", codes });
				const plain = create({ dimensions: D, metric: "l2", codes });
				index.reserve(N);
				const before = addresses(graph);
				assert.equal(before.capacity, N);
				assert.equal(index.room, N);
				for (let from = 0; from < N; from += Math.max(1, step)) {
					const labels = range(from, Math.min(N, from + Math.max(1, step)));
					assert.ok(index.fits(labels));
					const rows = ROWS.subarray(from * D, (from + labels.length) * D);
					for (const one of [index, plain.index]) {
						if (step === 0) one.insert(from, rows);
						else await one.insertMany(rows, { labels });
					}
					assert.deepEqual(addresses(graph), before);
				}
				assert.equal(index.room, 0);
				assert.ok(!index.fits([N]));
				checkGraph(graph, { connected: step !== 0 });
				assert.deepEqual(imageOf(index), imageOf(plain.index));
				index.insert(N, rowOf(ROWS, N, D));
				assert.ok(graph.capacity > N);
			});
		}
	}

	test("beside what is there already, removed places included", async () => {
		const { index, graph } = await build(ROWS.subarray(0, 500 * D), { dimensions: D, metric: "l2" });
		index.remove(range(100, 200));
		index.reserve(700);
		const before = addresses(graph);
		assert.equal(index.room, 300);
		await index.insertMany(ROWS.subarray(500 * D, 800 * D), { labels: range(500, 800) });
		assert.equal(index.room, 0);
		assert.deepEqual(addresses(graph), before);
		checkGraph(graph);
	});
});

describe("room for the links of upper layers", () => {
	test("is enough for levels of many seeds, numbers and level factors, and not much more than is used", () => {
		for (const mL of [0.01, 1 / Math.log(48), 1 / Math.log(16), 1 / Math.log(2), 10]) {
			for (const nodes of [1, 10, 1_000, 50_000]) {
				for (let seed = 0; seed < 8; seed++) {
					let used = 0;
					for (let label = 0; label < nodes; label++) used += levelFor(label, { seed, mL });
					const reserved = recordsFor(nodes, { mL });
					assert.ok(used <= reserved, `${used} of ${reserved}, mL ${mL}, ${nodes} nodes, seed ${seed}`);
					if (nodes === 50_000) assert.ok(reserved < 1.1 * used + 1_000, `${used} of ${reserved}, mL ${mL}`);
				}
			}
		}
	});

	test("that runs out first leaves room for fewer, and for labels by their levels", () => {
		const { index, graph } = create({ dimensions: D, metric: "l2", M: 2 });
		index.reserve(1_000, { from: 0, count: 100_000 });
		const levels = (label: number) => levelFor(label, graph.parameters);
		// Tall nodes alone: far from the levels that were reckoned with.
		const tall = [...range(0, 100_000)].filter((label) => levels(label) >= 6);
		let left = graph.upper.capacity;
		let before = index.room;
		for (const label of tall) {
			left -= levels(label);
			assert.equal(index.fits([label]), left >= 0);
			if (left < 0) break;
			index.insert(label, rowOf(ROWS, label % N, D));
			assert.ok(index.room < before);
			before = index.room;
		}
		assert.ok(left < 0 && index.room === 0 && index.size < 1_000);
		const flat = [...range(0, 100_000)].find((label) => levels(label) === 0) as number;
		assert.ok(index.fits([flat]));
	});
});

test("labels that are there already, or outside those that were reserved, do not fit", async () => {
	const { index } = await build(ROWS.subarray(0, 10 * D), { dimensions: D, metric: "l2" }, range(50, 60));
	index.reserve(20);
	assert.ok(index.fits(range(60, 70)));
	assert.ok(!index.fits(range(60, 71)));
	assert.ok(!index.fits([59]));
	assert.ok(!index.fits([70]) && !index.fits([49]));
	index.reserve(20, { from: 0, count: 100 });
	assert.ok(index.fits([49, 70, 99]) && !index.fits([100]));
	assert.ok(index.fits([]));
	refusal("INVALID_RECORD", () => index.fits("12" as unknown as number[]));
});

test("a reservation that cannot be is refused, and changes nothing", () => {
	const { index, graph } = create({ dimensions: D, metric: "l2", maxElements: 100 });
	const before = addresses(graph);
	for (const vectors of [0, -1, 1.5, 101, Number.NaN, "7" as unknown as number]) {
		assert.equal(refusal("INVALID_OPTION", () => index.reserve(vectors)).details.field, "vectors");
	}
	refusal("INVALID_OPTION", () => index.reserve(10, { from: -1, count: 10 }));
	refusal("INVALID_OPTION", () => index.reserve(10, { from: 4_294_967_290, count: 10 }));
	assert.deepEqual(addresses(graph), before);
	const large = create({ dimensions: D, metric: "l2" });
	refusal("MEMORY_LIMIT", () => large.index.reserve(2_000_000_000));
	large.index.insert(0, rowOf(ROWS, 0, D));
	assert.equal(large.index.size, 1);
});

test("what was reserved counts as memory, and compacting gives it back", async () => {
	const { index } = await build(ROWS.subarray(0, 100 * D), { dimensions: D, metric: "l2" });
	const before = index.memory().total;
	index.reserve(10_000);
	assert.ok(index.memory().total > before + 9_900 * (4 * D + 4));
	index.compact();
	assert.ok(index.memory().total < before + 10_200 * 4);
	index.dispose();
	assert.equal(index.arena.usedBytes, 0);
});

describe("codes that are held", () => {
	test("are learnt with the first rows and not again, until they are let go", async () => {
		const { index, graph } = create({ dimensions: D, metric: "l2" });
		index.holdCodes();
		assert.equal(index.codesAreStale(), false);
		await index.insertMany(ROWS.subarray(0, 300 * D));
		assert.equal(graph.codes?.trainedOn, 300);
		assert.equal(index.codesAreStale(), false);
		const unit = graph.codes?.unit;
		const origin = graph.arena.f32(graph.codes?.origin as number, D).slice();
		await index.insertMany(ROWS.subarray(300 * D, 1_000 * D).map((x) => 3 * x));
		index.insert(1_000, rowOf(ROWS, 1_000, D));
		index.optimize();
		assert.equal(graph.codes?.unit, unit);
		assert.deepEqual(graph.arena.f32(graph.codes?.origin as number, D), origin);
		assert.equal(index.codesAreStale(), true);
		index.holdCodes(false);
		assert.equal(index.optimize().retrained, true);
		assert.equal(index.codesAreStale(), false);
		assert.notEqual(graph.codes?.unit, unit);
	});

	test("are no matter to an index without codes", async () => {
		const { index } = await build(ROWS.subarray(0, 100 * D), { dimensions: D, metric: "l2", codes: "none" });
		index.holdCodes();
		assert.equal(index.codesAreStale(), false);
	});
});

test("few rows into a large graph take no memory beside what they are given, and a look at the whole graph comes seldom", async () => {
	const { index, graph } = await build(mixture(6_000, D, 3).rows, { dimensions: D, metric: "l2" });
	index.reserve(6_000 + 10 * 100);
	await index.insertMany(ROWS.subarray(0, 100 * D));
	const used = index.arena.usedBytes;
	for (let batch = 1; batch < 7; batch++) {
		await index.insertMany(ROWS.subarray(100 * batch * D, 100 * (batch + 1) * D));
		assert.equal(index.arena.usedBytes, used);
		assert.equal(graph.unchecked, 100 * (batch + 1));
	}
	await index.insertMany(ROWS.subarray(700 * D, 1_000 * D));
	assert.equal(graph.unchecked, 0);
	checkGraph(graph);
});
