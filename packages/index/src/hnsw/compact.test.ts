import assert from "node:assert/strict";
import { test } from "node:test";
import type { SearchOptions, VectorRows } from "../vector-index.ts";
import {
	build,
	checkGraph,
	create,
	cutOff,
	imageOf,
	mixture,
	range,
	recall,
	rowOf,
	shuffled,
	truthOf,
} from "./graphs.test-support.ts";
import { levelFor } from "./parameters.ts";

const N = 3_000;
const D = 32;
const { rows: ROWS } = mixture(N, D, 31);
const { rows: QUERIES } = mixture(100, D, 32);

for (const codes of ["none", "sq7"] as const) {
	test(`compacting gives up the places of removed nodes and their memory, and changes no answer, codes ${codes}`, async () => {
		const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2", codes });
		index.remove(shuffled(N, 1).subarray(0, 2_000));
		const answers = () => [10, 40, 200].map((ef) => index.searchMany(QUERIES, 10, { ef }));
		const before = answers();
		const { total } = index.memory();
		const bytes = imageOf(index).length;
		assert.deepEqual(index.compact(), { removedNodes: 2_000, optimizedConnections: 0, totalNodes: 1_000 });
		assert.deepEqual(answers(), before);
		assert.equal(graph.slots, 1_000);
		assert.equal(graph.freeNodes.length, 0);
		checkGraph(graph);
		assert.ok(index.memory().total < 0.5 * total, `${index.memory().total} of ${total}`);
		assert.ok(imageOf(index).length < 0.5 * bytes);
		assert.deepEqual(index.compact(), { removedNodes: 0, optimizedConnections: 0, totalNodes: 1_000 });
	});
}

test("what it gives back goes to the arena, and the graph grows again afterwards", async () => {
	const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2" });
	index.search(rowOf(QUERIES, 0, D), 10);
	const full = index.arena.usedBytes;
	index.remove(range(0, N).subarray(100));
	index.compact();
	assert.ok(index.arena.usedBytes < 0.1 * full, `${index.arena.usedBytes} of ${full}`);
	await index.insertMany(ROWS.subarray(100 * D), { labels: range(100, N) });
	checkGraph(graph);
	const search = (query: VectorRows, k: number, options: SearchOptions) => index.search(query, k, options);
	assert.ok(recall(search, truthOf(index), QUERIES, { ef: 80 }) >= 0.98);
	index.dispose();
	assert.equal(index.arena.usedBytes, 0);
});

test("upper links take no more room than the nodes that are left need", async () => {
	const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2", M: 2 });
	const needed = () => [...graph.nodes()].reduce((sum, node) => sum + graph.levelOf(node), 0);
	const levelOf = (label: number) => levelFor(label, graph.parameters);
	const gone = range(0, N).filter((label) => levelOf(label) === 2);
	index.remove(gone);
	// As many with one upper layer, so that gaps stay where no place is free.
	const labels = range(N, 10 * N).filter((label) => levelOf(label) === 1);
	await index.insertMany(ROWS.subarray(0, gone.length * D), { labels: labels.slice(0, gone.length) });
	assert.ok(graph.slots === N && graph.upper.used > needed());
	for (const more of [0, 700]) {
		index.remove(index.labels().subarray(0, more));
		index.compact();
		checkGraph(graph);
		assert.equal(graph.upper.used, needed());
		assert.equal(graph.upper.bytes, needed() * graph.upper.stride);
	}
});

test("nodes that nothing leads to are linked again, counted, and not dropped (check H-11)", async () => {
	const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2" });
	const lost = new Set([...graph.nodes()].filter((node) => node !== graph.entry).slice(0, 40));
	for (const node of lost) cutOff(graph, new Set([node]));
	index.remove([graph.labelOf(2_999)]);
	cutOff(graph, new Set([...lost].slice(0, 1)));
	const report = index.compact();
	assert.deepEqual(report, { removedNodes: 1, optimizedConnections: 1, totalNodes: N - 1 });
	checkGraph(graph);
});

test("an empty index, one of one vector and one that was emptied are compacted too", async () => {
	const { index, graph } = create({ dimensions: D, metric: "l2" });
	assert.deepEqual(index.compact(), { removedNodes: 0, optimizedConnections: 0, totalNodes: 0 });
	index.insert(3, rowOf(ROWS, 3, D));
	assert.deepEqual(index.compact(), { removedNodes: 0, optimizedConnections: 0, totalNodes: 1 });
	assert.equal(index.search(rowOf(ROWS, 3, D), 1)[0]?.label, 3);
	await index.insertMany(ROWS.subarray(0, 100 * D));
	index.remove(index.labels());
	assert.equal(index.compact().totalNodes, 0);
	checkGraph(graph);
	await index.insertMany(ROWS.subarray(0, 100 * D));
	checkGraph(graph);
	assert.equal(index.size, 100);
});
