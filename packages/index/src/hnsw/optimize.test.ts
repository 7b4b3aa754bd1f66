import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SearchOptions, VectorRows } from "../vector-index.ts";
import {
	build,
	checkGraph,
	create,
	imageOf,
	mixture,
	recall,
	rowOf,
	shuffled,
	truthOf,
} from "./graphs.test-support.ts";

const N = 3_000;
const D = 32;
const { rows: ROWS } = mixture(N, D, 51);
const { rows: QUERIES } = mixture(150, D, 52);

describe("optimize", () => {
	for (const metric of ["l2", "cosine", "ip", "l1"] as const) {
		test(`changes no answer without codes: labels, distances and their order, ${metric}`, async () => {
			const { index, graph } = await build(ROWS, { dimensions: D, metric, codes: "none" });
			const answers = () => [10, 40, 200].map((ef) => index.searchMany(QUERIES, 10, { ef }));
			const before = answers();
			assert.deepEqual(index.optimize(), { totalNodes: N, relinked: 0, retrained: false });
			assert.deepEqual(answers(), before);
			checkGraph(graph);
		});
	}

	test("costs no recall with codes, also where they are learned anew, within 0.01", async () => {
		// One by one, so that the codes were learned from half of the vectors or fewer.
		const { index, graph } = create({ dimensions: D, metric: "l2", codes: "sq7" });
		for (let label = 0; label < N; label++) index.insert(label, rowOf(ROWS, label, D));
		index.rebalance();
		const search = (query: VectorRows, k: number, options: SearchOptions) => index.search(query, k, options);
		const truth = truthOf(index);
		const measure = () => recall(search, truth, QUERIES, { ef: 40 });
		const before = measure();
		index.optimize();
		assert.ok(measure() >= before - 0.01, `${measure()} after, ${before} before`);
		checkGraph(graph);
	});

	test("puts the nodes into breadth-first order from the entry point", async () => {
		const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2" });
		index.optimize();
		assert.equal(graph.entry, 0);
		let next = 1;
		for (let node = 0; node < N; node++) {
			for (const other of graph.links(node, 0)) {
				assert.ok(other <= next, `node ${node} leads to ${other} before ${next} has been named`);
				if (other === next) next++;
			}
		}
		assert.equal(next, N);
	});

	test("makes no image larger, closes the gaps of removed nodes, and does nothing the second time", async () => {
		for (const codes of ["none", "sq7"] as const) {
			const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2", codes });
			const whole = imageOf(index).length;
			index.optimize();
			assert.ok(imageOf(index).length <= whole);
			index.remove(shuffled(N, 1).subarray(0, 1_000));
			const { total } = index.memory();
			assert.equal(index.optimize().totalNodes, 2_000);
			assert.equal(graph.slots, 2_000);
			assert.equal(graph.capacity, 2_000);
			checkGraph(graph);
			assert.ok(imageOf(index).length < 0.7 * whole);
			assert.ok(index.memory().total < total);
			const image = imageOf(index);
			assert.deepEqual(index.optimize(), { totalNodes: 2_000, relinked: 0, retrained: false });
			assert.equal(Buffer.compare(imageOf(index), image), 0);
		}
	});

	test("is for an empty index and one of one vector as well", () => {
		const { index } = create({ dimensions: D, metric: "l2" });
		assert.deepEqual(index.optimize(), { totalNodes: 0, relinked: 0, retrained: false });
		index.insert(0, rowOf(ROWS, 0, D));
		assert.equal(index.optimize().totalNodes, 1);
		assert.equal(index.search(rowOf(ROWS, 0, D), 1)[0]?.label, 0);
	});
});
