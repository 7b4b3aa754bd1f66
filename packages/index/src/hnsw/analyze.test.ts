import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { build, checkGraph, create, cutOff, mixture, rowOf } from "./graphs.test-support.ts";

const N = 2_000;
const D = 32;
const { rows: ROWS, clusters: CLUSTERS } = mixture(N, D, 61);

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describe("analyze (check H-12)", () => {
	test("finds nothing wrong in a graph that was built, filled on and thinned out", async () => {
		const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2" });
		index.remove(index.labels().subarray(0, 500));
		const {
			connectivityPercentage,
			reachablePairsPercentage,
			averagePathLength,
			danglingLinks,
			issues,
			recommendation,
		} = index.analyze();
		assert.equal(connectivityPercentage, 100);
		assert.ok(reachablePairsPercentage >= 95 && reachablePairsPercentage <= 100);
		assert.ok(averagePathLength > 1 && averagePathLength <= 10);
		assert.equal(danglingLinks, 0);
		assert.deepEqual(issues, []);
		assert.match(recommendation, /Nothing/);
		checkGraph(graph);
	});

	test("counts layers and degrees as they are", async () => {
		const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2", M: 6 });
		const { nodes, layers, degree } = index.analyze();
		assert.equal(nodes, N);
		assert.equal(sum(layers), N);
		assert.equal(sum(degree.histogram), N);
		const all = [...graph.nodes()];
		layers.forEach((count, layer) => {
			assert.equal(count, all.filter((node) => graph.levelOf(node) === layer).length);
		});
		assert.equal(layers.length, graph.topLevel + 1);
		const degrees = all.map((node) => graph.links(node, 0).length);
		assert.equal(degree.min, Math.min(...degrees));
		assert.equal(degree.max, Math.max(...degrees));
		assert.ok(Math.abs(degree.mean - sum(degrees) / N) < 1e-9);
		assert.equal(degree.histogram.length, 13);
		degree.histogram.forEach((count, links) => {
			assert.equal(count, degrees.filter((number) => number === links).length);
		});
	});

	test("says how many nodes were cut off, and what mends it", async () => {
		const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2" });
		const lost = new Set([...graph.nodes()].filter((node) => node !== graph.entry).slice(0, 15));
		for (const node of lost) cutOff(graph, new Set([node]));
		const { connectivityPercentage, danglingLinks, issues, recommendation } = index.analyze();
		assert.equal(connectivityPercentage, (100 * (N - 15)) / N);
		assert.equal(danglingLinks, 0);
		assert.equal(issues.length, 1);
		assert.match(issues[0] as string, /99\.25 % of the nodes can be reached/);
		assert.match(recommendation, /rebalance\(\)/);
		index.rebalance();
		assert.deepEqual(index.analyze().issues, []);
	});

	test("notices pairs without a path in a graph that is cut in two", async () => {
		const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2" });
		const half = new Set([...graph.nodes()].filter((node) => (CLUSTERS[graph.labelOf(node)] as number) % 2 === 0));
		cutOff(graph, half);
		cutOff(graph, new Set([...graph.nodes()].filter((node) => !half.has(node))));
		const { connectivityPercentage, reachablePairsPercentage, issues } = index.analyze();
		assert.ok(connectivityPercentage > 40 && connectivityPercentage < 60);
		assert.ok(reachablePairsPercentage > 20 && reachablePairsPercentage < 80);
		assert.equal(issues.length, 2);
	});

	test("notices long paths: a graph that is one chain", async () => {
		const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2" });
		const order = [graph.entry, ...[...graph.nodes()].filter((node) => node !== graph.entry)];
		order.forEach((node, i) => {
			graph.setLinks(node, 0, [order[(i + 1) % N] as number]);
		});
		const { connectivityPercentage, reachablePairsPercentage, averagePathLength, issues, recommendation } =
			index.analyze();
		assert.equal(connectivityPercentage, 100);
		assert.equal(reachablePairsPercentage, 100);
		assert.ok(averagePathLength > 0.3 * N && averagePathLength < 0.7 * N);
		assert.match(issues.join(), /average path/);
		assert.match(recommendation, /larger M/);
	});

	test("counts links to free places, beyond the last place and to nodes that do not reach the layer, and reads nothing there", async () => {
		const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2" });
		index.remove([graph.labelOf(100), graph.labelOf(200)]);
		const nodes = [...graph.nodes()];
		const [first, second, tall, low] = [
			nodes[0] as number,
			nodes[1] as number,
			nodes.find((node) => graph.levelOf(node) === 1) as number,
			nodes.find((node) => graph.levelOf(node) === 0) as number,
		];
		graph.setLinks(first, 0, [...graph.links(first, 0).slice(0, 5), 100, 200]);
		graph.setLinks(second, 0, [...graph.links(second, 0).slice(0, 5), 4_000_000_000]);
		graph.setLinks(tall, 1, [low]);
		const { danglingLinks, connectivityPercentage, reachablePairsPercentage, issues, recommendation } = index.analyze();
		assert.equal(danglingLinks, 4);
		assert.ok(connectivityPercentage > 99 && connectivityPercentage <= 100);
		assert.ok(reachablePairsPercentage > 90 && reachablePairsPercentage <= 100);
		assert.match(issues.join(), /4 links point to places without a node/);
		assert.match(recommendation, /Build the index again/);
	});

	test("an empty index and one of one vector are in order", () => {
		const { index } = create({ dimensions: D, metric: "l2", M: 4 });
		const empty = index.analyze();
		assert.deepEqual(
			{ ...empty, degree: { ...empty.degree, histogram: sum(empty.degree.histogram) } },
			{
				nodes: 0,
				connectivityPercentage: 100,
				reachablePairsPercentage: 100,
				averagePathLength: 0,
				layers: [],
				degree: { min: 0, mean: 0, max: 0, histogram: 0 },
				danglingLinks: 0,
				issues: [],
				recommendation: "Nothing to do.",
			},
		);
		index.insert(0, rowOf(ROWS, 0, D));
		const single = index.analyze();
		assert.equal(single.nodes, 1);
		assert.equal(sum(single.layers), 1);
		assert.equal(single.connectivityPercentage, 100);
		assert.deepEqual(single.degree, { min: 0, mean: 0, max: 0, histogram: [1, 0, 0, 0, 0, 0, 0, 0, 0] });
		assert.deepEqual(single.issues, []);
	});
});
