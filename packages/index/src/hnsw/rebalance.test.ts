import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SearchOptions, VectorRows } from "../vector-index.ts";
import {
	build,
	checkGraph,
	create,
	cutOff,
	mixture,
	reachable,
	recall,
	rowOf,
	shuffled,
	truthOf,
} from "./graphs.test-support.ts";

const N = 2_000;
const D = 32;
const { rows: ROWS, clusters: CLUSTERS } = mixture(N, D, 41);
const { rows: QUERIES } = mixture(100, D, 42);

describe("rebalance links again whatever the entry point no longer leads to", () => {
	const cuts: Readonly<Record<string, (node: number, label: number) => boolean>> = {
		"one node": (node) => node === 77,
		"every node but the entry point": () => true,
		"a cluster": (_, label) => CLUSTERS[label] === 5,
		"half of the clusters": (_, label) => (CLUSTERS[label] as number) % 2 === 0,
	};
	for (const codes of ["none", "sq7"] as const) {
		for (const [name, isCut] of Object.entries(cuts)) {
			test(`${name}, together, codes ${codes}`, async () => {
				const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2", codes });
				const lost = new Set(
					[...graph.nodes()].filter((node) => node !== graph.entry && isCut(node, graph.labelOf(node))),
				);
				cutOff(graph, lost);
				const missing = N - reachable(graph).size;
				assert.equal(missing, lost.size);
				assert.ok(index.analyze().connectivityPercentage < 100);
				const { relinked, connectivity } = index.rebalance();
				assert.ok(relinked >= 1 && relinked <= missing, `${relinked} of ${missing}`);
				assert.equal(connectivity, 1);
				checkGraph(graph);
				assert.equal(index.analyze().connectivityPercentage, 100);
				assert.deepEqual(index.rebalance(), { relinked: 0, connectivity: 1 });
			});
		}

		test(`200 nodes, each by itself, which are found again then, codes ${codes}`, async () => {
			const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2", codes });
			const lost = [...shuffled(N, 1)].filter((node) => node !== graph.entry).slice(0, 200);
			for (const node of lost) cutOff(graph, new Set([node]));
			assert.ok(reachable(graph).size <= N - 200);
			assert.ok(index.rebalance().relinked > 0);
			checkGraph(graph);
			const found = lost.filter((node) => {
				const label = graph.labelOf(node);
				return index.search(rowOf(ROWS, label, D), 1, { ef: 80 })[0]?.label === label;
			});
			assert.ok(found.length >= 0.95 * lost.length, `${found.length} of ${lost.length}`);
			const search = (query: VectorRows, k: number, options: SearchOptions) => index.search(query, k, options);
			assert.ok(recall(search, truthOf(index), QUERIES, { ef: 80 }) >= 0.95);
		});
	}

	test("nodes without any link, where all lists are full", async () => {
		// With M 2 a list has 4 places, and all of these 100 vectors are equal.
		const { index, graph } = await build(new Float32Array(100 * 4).fill(1), { dimensions: 4, metric: "l2", M: 2 });
		checkGraph(graph);
		for (let round = 1; round < 100; round += 7) {
			const lost = new Set([...graph.nodes()].filter((node) => node !== graph.entry && node % 10 < round % 10));
			cutOff(graph, lost);
			for (const node of lost) graph.setLinks(node, 0, []);
			index.rebalance();
			checkGraph(graph);
		}
	});
});

test("an empty index and one of one vector have nothing to link", () => {
	const { index } = create({ dimensions: D, metric: "l2" });
	assert.deepEqual(index.rebalance(), { relinked: 0, connectivity: 1 });
	index.insert(0, rowOf(ROWS, 0, D));
	assert.deepEqual(index.rebalance(), { relinked: 0, connectivity: 1 });
});
