import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { VectorIndex, VectorRows } from "../vector-index.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import {
	type Built,
	bitRows,
	build,
	checkGraph,
	mixture,
	pick,
	range,
	recall,
	rowOf,
	shuffled,
	truthOf,
} from "./graphs.test-support.ts";

const N = 5_000;
const D = 64;

const { rows: ROWS, clusters: CLUSTERS } = mixture(N, D, 21);
const { rows: MORE } = mixture(N, D, 22);
const { rows: QUERIES } = mixture(200, D, 23);

/**
 * After a removal: the graph is sound and connected, the count is right, nothing removed is answered, and recall@10 is at most 0.01 below
 * that of a graph built anew from the same vectors at the same ef, 20 and 40; at 40 it is at least 0.95 against a scan (check H-9).
 */
async function checkAfterwards(
	built: Built,
	size: number,
	{ queries = QUERIES, widths = [20, 40] }: { queries?: VectorRows; widths?: readonly number[] } = {},
): Promise<void> {
	const { index, graph } = built;
	assert.equal(index.size, size);
	checkGraph(graph);
	const { dimensions, metric } = index;
	const { M, efConstruction, ef } = graph.parameters;
	const codes = graph.codes === undefined ? "none" : "sq7";
	const labels = index.labels().sort();
	const length = metric === "hamming" ? dimensions / 8 : dimensions;
	const rows = metric === "hamming" ? new Uint8Array(size * length) : new Float32Array(size * length);
	labels.forEach((label, i) => {
		rows.set(index.vector(label) as Float32Array, i * length);
	});
	const fresh = await build(rows, { dimensions, metric, codes, M, efConstruction, ef }, labels);
	const truth = truthOf(index);
	const of = (one: VectorIndex, width: number) => {
		const found = recall(
			(query, k, options) => {
				const hits = one.search(query, k, options);
				for (const { label } of hits) assert.ok(index.has(label), `${label} has been removed`);
				return hits;
			},
			truth,
			queries,
			{ ef: width },
		);
		return found;
	};
	for (const width of widths) {
		const [mended, anew] = [of(index, width), of(fresh.index, width)];
		assert.ok(mended >= anew - 0.01, `ef ${width}: ${mended} after removing, ${anew} built anew`);
		if (width >= 40) assert.ok(mended >= 0.95, `ef ${width}: ${mended}`);
	}
	for (const one of [index, fresh.index, truth]) one.dispose();
}

/** Labels to remove, one call after the other. */
const REMOVALS: Readonly<Record<string, (built: Built) => readonly Uint32Array[]>> = {
	"30 % at random": () => [shuffled(N, 1).subarray(0, 0.3 * N)],
	"the oldest 50 %": () => [range(0, 0.5 * N)],
	"90 % at once": () => [shuffled(N, 2).subarray(0, 0.9 * N)],
	"90 % in nine calls": () => {
		const order = shuffled(N, 3);
		return Array.from({ length: 9 }, (_, i) => order.subarray((i * N) / 10, ((i + 1) * N) / 10));
	},
	"whole clusters at once": () => [range(0, N).filter((label) => (CLUSTERS[label] as number) % 3 === 0)],
	"whole clusters one by one": () =>
		[0, 3, 6, 9, 12, 15].map((cluster) => range(0, N).filter((label) => CLUSTERS[label] === cluster)),
	"the entry point": ({ graph }) => [Uint32Array.of(graph.labelOf(graph.entry))],
	"all nodes of the top layer": ({ graph }) => [labelsWhere(graph, (node) => graph.levelOf(node) === graph.topLevel)],
	"all nodes above layer 0": ({ graph }) => [labelsWhere(graph, (node) => graph.levelOf(node) > 0)],
	"all neighbours of the entry point": ({ graph }) => {
		const neighbours = new Set<number>();
		for (let layer = 0; layer <= graph.topLevel; layer++) {
			for (const node of graph.links(graph.entry, layer)) neighbours.add(node);
		}
		return [labelsWhere(graph, (node) => neighbours.has(node))];
	},
	"the entry point and all its neighbours": ({ graph }) => {
		const neighbours = new Set([graph.entry, ...graph.links(graph.entry, 0)]);
		return [labelsWhere(graph, (node) => neighbours.has(node))];
	},
};

function labelsWhere(graph: Built["graph"], is: (node: number) => boolean): Uint32Array {
	return Uint32Array.from([...graph.nodes()].filter(is), (node) => graph.labelOf(node));
}

for (const codes of ["none", "sq7"] as const) {
	describe(`a graph with codes ${codes} is as good as one built anew after removing`, () => {
		const whole = () => build(ROWS, { dimensions: D, metric: "l2", codes });

		for (const [name, removals] of Object.entries(REMOVALS)) {
			test(name, async () => {
				const built = await whole();
				let left = N;
				for (const labels of removals(built)) {
					assert.equal(built.index.remove(labels), labels.length);
					left -= labels.length;
					assert.equal(built.index.size, left);
					checkGraph(built.graph);
				}
				assert.ok(left < N);
				await checkAfterwards(built, left);
			});
		}

		test("10 % and inserting as many others, ten times, until all have been replaced", async () => {
			const built = await whole();
			const order = shuffled(N, 5);
			for (let round = 0; round < 10; round++) {
				const [from, to] = [(round * N) / 10, ((round + 1) * N) / 10];
				assert.equal(built.index.remove(order.subarray(from, to)), N / 10);
				checkGraph(built.graph);
				await built.index.insertMany(MORE.subarray(from * D, to * D), { labels: range(N + from, N + to) });
				checkGraph(built.graph);
				assert.equal(built.index.size, N);
				assert.equal(built.graph.slots, N, "the places of removed nodes are taken again");
			}
			assert.deepEqual(built.index.labels().sort(), range(N, 2 * N));
			await checkAfterwards(built, N);
		});

		test("10 % and inserting the same again, twenty times", async () => {
			const built = await whole();
			for (let round = 0; round < 20; round++) {
				const labels = shuffled(N, 30 + round).slice(0, N / 10);
				built.index.remove(labels);
				await built.index.insertMany(pick(ROWS, D, labels), { labels });
			}
			await checkAfterwards(built, N);
		});

		test("every label by giving it another vector", async () => {
			const built = await whole();
			await built.index.insertMany(MORE, { labels: range(0, N) });
			assert.equal(built.graph.slots, N);
			await checkAfterwards(built, N);
		});
	});
}

for (const metric of ["cosine", "l1"] as const) {
	test(`30 % at random may go under ${metric} as well`, async () => {
		const built = await build(ROWS, { dimensions: D, metric });
		built.index.remove(shuffled(N, 1).subarray(0, 0.3 * N));
		await checkAfterwards(built, 0.7 * N);
	});
}

test("30 % at random may go under ip as well", async () => {
	const built = await build(ROWS, { dimensions: D, metric: "ip" });
	built.index.remove(shuffled(N, 1).subarray(0, 0.3 * N));
	// Whether a narrow beam meets the few long vectors that answer most queries is a matter of luck: from one set of vectors to the next,
	// the difference at ef 20 was measured from 0.018 below to 0.001 above.
	await checkAfterwards(built, 0.7 * N, { widths: [40, 80] });
});

test("30 % at random may go under hamming as well", async () => {
	const built = await build(bitRows(N, 256, 1), { dimensions: 256, metric: "hamming" });
	built.index.remove(shuffled(N, 1).subarray(0, 0.3 * N));
	await checkAfterwards(built, 0.7 * N, { queries: bitRows(200, 256, 2) });
});

test("nothing but removing, down to one and to none: every step leaves a sound, connected graph, and the entry point is in it", async () => {
	for (const step of [1, 7]) {
		const { index, graph } = await build(ROWS.subarray(0, 400 * D), { dimensions: D, metric: "l2", M: 4 });
		const order = shuffled(400, 8);
		for (let from = 0; from < 400; from += step) {
			const gone = order.subarray(from, from + step);
			assert.equal(index.remove(gone), gone.length);
			checkGraph(graph);
			const left = order.subarray(from + step);
			assert.equal(index.size, left.length);
			if (left.length === 0) continue;
			const label = left[0] as number;
			assert.equal(index.search(rowOf(ROWS, label, D), 1, { ef: 50 })[0]?.label, label);
		}
		assert.deepEqual(index.search(rowOf(ROWS, 0, D), 1), []);
		index.insert(5, rowOf(ROWS, 5, D));
		checkGraph(graph);
		assert.equal(index.search(rowOf(ROWS, 5, D), 1)[0]?.label, 5);
	}
});

test("removing keeps the links of those that stay, and their lists full", async () => {
	const { index, graph } = await build(ROWS, { dimensions: D, metric: "l2" });
	const before = new Map([...graph.nodes()].map((node) => [graph.labelOf(node), graph.links(node, 0).length]));
	index.remove(shuffled(N, 1).subarray(0, 0.3 * N));
	let sum = 0;
	let was = 0;
	for (const node of graph.nodes()) {
		sum += graph.links(node, 0).length;
		was += before.get(graph.labelOf(node)) as number;
	}
	// Putting whole lists to the heuristic again, as this once did, left 0.54 of them.
	assert.ok(sum >= 0.85 * was, `${sum / was} of the links`);
});

test("removing and inserting for long takes no more and no more memory", async () => {
	const { index, graph } = await build(ROWS.subarray(0, 1_000 * D), { dimensions: D, metric: "l2" });
	const random = randomNumbers(4);
	const used: number[] = [];
	for (let round = 0; round < 30; round++) {
		const labels = range(0, 1_000).filter(() => random() < 0.2);
		index.remove(labels);
		await index.insertMany(pick(ROWS, D, labels), { labels });
		for (const label of labels.subarray(0, 20)) index.insert(label, rowOf(ROWS, label, D));
		used.push(index.arena.usedBytes);
	}
	assert.equal(graph.slots, 1_000);
	// Upper records of different lengths leave gaps of their own.
	assert.ok((used.at(-1) as number) <= 1.005 * (used[3] as number), used.join(", "));
});
