import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench, BUILDS, modules, randomNumbers, randomVector } from "../kernels.test-support.ts";
import { ELIGIBILITY, METRIC_CODES, PAYLOADS } from "../layout.ts";
import { KINDS, TestGraph } from "./graph/graph.test-support.ts";
import { createTwin } from "./twin.ts";

const PAGE = 65_536;

test("both builds import a memory alone and export what the twin offers, name by name", () => {
	const names = Object.keys(createTwin(new WebAssembly.Memory({ initial: 1 }))).sort();
	for (const build of BUILDS) {
		assert.deepEqual(WebAssembly.Module.imports(modules[build]), [{ module: "env", name: "memory", kind: "memory" }]);
		const functions = WebAssembly.Module.exports(modules[build]).filter(({ kind }) => kind === "function");
		assert.deepEqual(functions.map(({ name }) => name).sort(), names);
	}
});

test("a memory may grow between calls, shared or not", () => {
	for (const shared of [true, false]) {
		const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared });
		const twin = createTwin(memory);
		assert.equal(twin.sumOfSquares(0, 16), 0);
		memory.grow(2);
		new Float32Array(memory.buffer, 2 * PAGE, 2).set([3, 4]);
		assert.equal(twin.sumOfSquares(2 * PAGE, 16), 25);
		assert.equal(twin.normalizeRow(2 * PAGE, 16), 5);
		assert.deepEqual(Array.from(new Float32Array(memory.buffer, 2 * PAGE, 2)), [Math.fround(0.6), Math.fround(0.8)]);
	}
});

test("a view that a user's metric is given is of the grown memory", () => {
	const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
	const twin = createTwin(memory, { custom: (a, b) => (a[0] as number) + (b[0] as number), dimensions: 1 });
	assert.equal(twin.distance(METRIC_CODES.custom, 0, 16, 16), 0);
	memory.grow(1);
	new Float32Array(memory.buffer).set([1, 0, 0, 0, 2]);
	assert.equal(twin.distance(METRIC_CODES.custom, 0, 16, 16), 3);
});

test("rows above 2 GiB are read and written like those below, named by signed addresses or not", () => {
	const random = randomNumbers(3);
	const bench = new Bench({ start: 2 ** 31 - 1024, bytes: 2 * PAGE });
	bench.room(1024);
	const { base, stride } = bench.putRows(Array.from({ length: 9 }, () => randomVector(random, 20)));
	assert.ok(base >= 2 ** 31);
	const out = bench.room(36);
	const ids = bench.put(Uint32Array.from({ length: 9 }, (_, i) => 8 - i));
	bench.run("distanceMany", METRIC_CODES.l2, base, base, stride, stride, ids, 9, out);
	const keys = Array.from(bench.f32(out, 9));
	bench.run("distanceBlock", METRIC_CODES.l2, base | 0, base | 0, stride, stride, 9, out | 0);
	assert.deepEqual(Array.from(bench.f32(out, 9)), keys.toReversed());
	const pool = bench.room(24);
	assert.equal(bench.run("topk", out | 0, ids | 0, 9, 3, pool | 0, 0, 0), 3);
	const code = bench.room(64);
	bench.run("encodeRow", base | 0, base + stride, 10, stride, code | 0, 32);
	bench.run("encodeSigned", base | 0, stride, code | 0, 32);
	bench.run("checksum", base | 0, 9 * stride);
	bench.run("permuteRows", base | 0, stride, ids | 0, 9, bench.room(stride) | 0, bench.room(4) | 0);
});

test("a graph above 2 GiB is built and searched like one below", () => {
	const random = randomNumbers(4);
	const rows = Array.from({ length: 40 }, () => randomVector(random, 13));
	const high = new TestGraph(rows, { ...KINDS["codes in the dot form"], start: 2 ** 31 });
	const low = new TestGraph(rows, KINDS["codes in the dot form"]);
	for (const graph of [high, low]) graph.ask(rows[3] as Float32Array);
	assert.deepEqual(high.search(5, 20), low.search(5, 20));
});

const CUSTOM = { payload: PAYLOADS.custom, metric: METRIC_CODES.custom } as const;

function largestDifference(a: Float32Array, b: Float32Array): number {
	return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0);
}

test("a graph under a user's metric answers what an exact scan with that metric does", () => {
	const random = randomNumbers(6);
	const rows = Array.from({ length: 200 }, () => randomVector(random, 7));
	const graph = new TestGraph(rows, { ...CUSTOM, custom: largestDifference, dimensions: 7 });
	const reached = [...graph.depthsFrom(graph.entry).keys()];
	assert.ok(reached.length >= 190);
	for (let i = 0; i < 5; i++) {
		const query = randomVector(random, 7);
		graph.ask(query);
		const expected = reached
			.map((node) => ({
				key: Math.fround(largestDifference(query, rows[node] as Float32Array)),
				label: graph.labelOf(node),
			}))
			.sort((a, b) => a.key - b.key || a.label - b.label);
		assert.deepEqual(graph.search(10, 200), expected.slice(0, 10));
	}
});

test("a user's metric gets vectors of its dimensions, without the padding", () => {
	const bench = new Bench({ custom: (a, b) => a.length * 100 + b.length, dimensions: 5 });
	const { base, stride } = bench.putRows([new Float32Array(5), new Float32Array(5)]);
	assert.equal(bench.run("distance", METRIC_CODES.custom, base, base + stride, stride), 505);
});

test("a user's metric that returns NaN is refused with the reason", () => {
	const bench = new Bench({ custom: () => Number.NaN, dimensions: 2 });
	const { base, stride } = bench.putRows([new Float32Array(2)]);
	const out = bench.room(16);
	assert.throws(() => bench.run("distanceBlock", METRIC_CODES.custom, base, base, stride, stride, 1, out), {
		name: "RangeError",
		message: /returned NaN/,
	});
});

test("an abort word that is raised in the middle of a search ends it, eligible or not", () => {
	const random = randomNumbers(7);
	let calls = 0;
	let graph: TestGraph | undefined;
	const custom = (a: Float32Array, b: Float32Array) => {
		if (++calls === 100 && graph) graph.bench.write(graph.abort, Uint32Array.of(1));
		return largestDifference(a, b);
	};
	const rows = Array.from({ length: 200 }, () => randomVector(random, 4));
	graph = new TestGraph(rows, { ...CUSTOM, custom, dimensions: 4, batch: 1 });
	for (const eligibility of [0, graph.bench.putWords(ELIGIBILITY, {})]) {
		graph.bench.write(graph.abort, Uint32Array.of(0));
		graph.ask(rows[0] as Float32Array);
		calls = 0;
		assert.equal(graph.search(5, 200, 200, eligibility), undefined);
	}
});

test("metric 5 without a user's metric, and a user's metric without dimensions, are refused", () => {
	const memory = new WebAssembly.Memory({ initial: 1 });
	assert.throws(() => createTwin(memory).distance(METRIC_CODES.custom, 0, 0, 16), /was created without one/);
	for (const dimensions of [undefined, 0, 1.5, Number.NaN]) {
		assert.throws(() => createTwin(memory, { custom: () => 0, ...(dimensions === undefined ? {} : { dimensions }) }), {
			name: "RangeError",
			message: /"dimensions"/,
		});
	}
});
