import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench, bitmapOf, randomNumbers, randomVector, unitVector } from "../../kernels.test-support.ts";
import { ELIGIBILITY, FREE_LEVEL, GRAPH, METRIC_CODES, NO_NODE, PAYLOADS, SCRATCH } from "../../layout.ts";
import { type GraphOptions, KINDS, type Row, TestGraph } from "./graph.test-support.ts";

const DIMENSIONS = 13;

/** Rows for a kind of graph; every twelfth is the same one. */
function rowsFor({ payload, metric }: GraphOptions, n: number, seed: number): Row[] {
	const random = randomNumbers(seed);
	const rows: Row[] = Array.from({ length: n }, () => {
		if (payload === PAYLOADS.bits) return Uint8Array.from({ length: 32 }, () => 256 * random());
		const row = randomVector(random, DIMENSIONS);
		return metric === METRIC_CODES.cosine || metric === METRIC_CODES.ip ? unitVector(row) : row;
	});
	return rows.map((row, i) => (i % 12 === 0 ? (rows[0] as Row) : row));
}

function makeGraph(kind: GraphOptions, n = 220): { graph: TestGraph; queries: Row[] } {
	return { graph: new TestGraph(rowsFor(kind, n, 1), kind), queries: rowsFor(kind, 6, 2) };
}

/** Every link leads to a node that is on that layer, to another one, once, and no list is over its bound. */
function assertSound(graph: TestGraph, gone: (node: number) => boolean = () => false): void {
	for (const { node, layer, links } of graph.lists()) {
		if (gone(node)) continue;
		assert.ok(links.length <= (layer === 0 ? graph.degree0 : graph.degree));
		assert.equal(new Set(links).size, links.length);
		for (const link of links) assert.ok(link !== node && graph.level(link) >= layer && !gone(link));
	}
}

function isGone(node: number): boolean {
	return node % 4 === 1;
}

/** Removes a quarter of the nodes, mends with room for so many candidates, and checks the lists and the bitmap of the mended. */
function assertRepaired(graph: TestGraph, room: number): void {
	const { bench, n } = graph;
	const before = new Map(graph.lists().map(({ node, layer, links }) => [`${node}/${layer}`, links]));
	const removed = bench.put(bitmapOf(n, isGone));
	const mended = bench.room(4 * Math.ceil(n / 32));
	const cursor = bench.room(4);
	bench.run("repairRange", graph.graph, graph.scratch, removed, mended, room, n, cursor);
	assertSound(graph, isGone);
	const expected = new Set<number>();
	for (const { node, layer } of graph.lists()) {
		if (!isGone(node) && before.get(`${node}/${layer}`)?.some(isGone)) expected.add(node);
	}
	for (const { node, layer, links } of graph.lists()) {
		if (isGone(node)) continue;
		const kept = (before.get(`${node}/${layer}`) as number[]).filter((link) => !isGone(link));
		assert.deepEqual(links.slice(0, kept.length), kept, "links to nodes that stay are kept");
	}
	assert.deepEqual(
		bench.u32(mended, Math.ceil(n / 32)),
		bitmapOf(n, (node) => expected.has(node)),
	);
}

for (const [name, kind] of Object.entries(KINDS)) {
	test(`${name}: what is built is a sound graph, and it is the same in every engine`, () => {
		const { graph } = makeGraph(kind);
		assertSound(graph);
		assert.ok(graph.depthsFrom(graph.entry).size >= 0.9 * graph.n, `${graph.depthsFrom(graph.entry).size} are reached`);
		assert.ok(graph.lists().some(({ layer, links }) => layer > 1 && links.length > 0));
	});

	test(`${name}: a search with a beam as wide as the graph answers what an exact scan does`, () => {
		const { graph, queries } = makeGraph(kind);
		const reached = [...graph.depthsFrom(graph.entry).keys()];
		for (const query of queries) {
			graph.ask(query);
			assert.deepEqual(graph.search(10, graph.n), graph.scan(10, reached));
		}
	});

	test(`${name}: a narrow beam finds most of the nearest, and eligibility admits none but its own`, () => {
		const { graph, queries } = makeGraph(kind);
		const { bench } = graph;
		const nodes = Array.from({ length: graph.n }, (_, node) => node);
		const allow = bench.put(bitmapOf(2048, (label) => label % 5 < 2));
		const born = bench.put(new Float64Array(2048).fill(3));
		const died = bench.put(Float64Array.from({ length: 2048 }, (_, label) => (label % 7 === 0 ? 8 : Infinity)));
		const eligibility = bench.putWords(ELIGIBILITY, { allow, allowed: 2048, born, died, dated: 2048 });
		bench.write(eligibility + ELIGIBILITY.reader, Float64Array.of(8));
		const reached = [...graph.depthsFrom(graph.entry).keys()];
		const admitted = reached.filter((node) => graph.labelOf(node) % 5 < 2 && graph.labelOf(node) % 7 !== 0);
		let hits = 0;
		for (const query of queries) {
			graph.ask(query);
			const expected = graph.scan(5, nodes).at(-1)?.key as number;
			hits += graph.search(5, 30)?.filter(({ key }) => key <= expected).length ?? 0;
			assert.deepEqual(graph.search(8, graph.n, graph.n, eligibility), graph.scan(8, admitted));
			for (const { label } of graph.search(5, 8, 6, eligibility) ?? []) {
				assert.ok(label % 5 < 2 && label % 7 !== 0);
			}
		}
		assert.ok(hits >= 20, `${hits} of 30`);
	});

	test(`${name}: many searches in one call answer what single ones do, and -1 each where the abort word is raised`, () => {
		const { graph, queries } = makeGraph(kind);
		const single = queries.map((query) => {
			graph.ask(query);
			return graph.search(5, 20);
		});
		assert.deepEqual(graph.searchRange(queries, 5, 20), single);
		graph.bench.write(graph.abort, Uint32Array.of(1));
		assert.deepEqual(
			graph.searchRange(queries, 5, 20),
			queries.map(() => undefined),
		);
	});

	test(`${name}: after a repair nothing leads to what was removed, and what changed is named`, () => {
		for (const room of [60, 12]) assertRepaired(makeGraph(kind).graph, room);
	});
}

test("a new node's links are nearest first, none nearer to one before it than to the node, but for the half of doubles", () => {
	for (const kind of [KINDS["float rows under l2"], KINDS["float rows under l1"]]) {
		// One batch alone: the links of nodes 1.. have not been through the links back.
		const graph = new TestGraph(rowsFor(kind, 60, 4), { ...kind, batch: 1 });
		const node = 59;
		const links = graph.links(node);
		assert.ok(links.length > 1);
		links.forEach((link, i) => {
			const key = graph.keyOf(node, link);
			assert.ok(i === 0 || graph.keyOf(node, links[i - 1] as number) <= key);
			for (const earlier of links.slice(0, i)) assert.ok(graph.keyOf(link, earlier) >= key);
		});
		const doubles = links.filter((link, i) => links.slice(0, i).some((earlier) => graph.keyOf(link, earlier) === 0));
		assert.ok(2 * doubles.length <= graph.degree);
	}
});

test("mending fills no list with more doubles than half, beside those that it had", () => {
	const random = randomNumbers(5);
	const double = randomVector(random, DIMENSIONS);
	const rows = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? double : randomVector(random, DIMENSIONS)));
	const graph = new TestGraph(rows, KINDS["float rows under l2"]);
	const doublesOf = (links: readonly number[]) =>
		links.filter((link, i) => links.slice(0, i).some((earlier) => graph.keyOf(link, earlier) === 0)).length;
	const before = new Map(graph.lists().map(({ node, layer, links }) => [`${node}/${layer}`, links]));
	assertRepaired(graph, 60);
	let filled = 0;
	for (const { node, layer, links } of graph.lists()) {
		if (isGone(node)) continue;
		const kept = (before.get(`${node}/${layer}`) as number[]).filter((link) => !isGone(link));
		const most = Math.floor((layer === 0 ? graph.degree0 : graph.degree) / 2);
		assert.ok(doublesOf(links) <= Math.max(most, doublesOf(kept)), `node ${node}, layer ${layer}`);
		if (doublesOf(links) > doublesOf(kept) && doublesOf(kept) > 0) filled++;
	}
	assert.ok(filled > 0, "some lists with doubles were given more");
});

test("in a graph of nothing but doubles no list is cut off from the rest", () => {
	const row = new Float32Array(DIMENSIONS).fill(0.5);
	const graph = new TestGraph(new Array(60).fill(row), { ...KINDS["float rows under l2"], batch: 1 });
	assertSound(graph);
	for (const { node, layer, links } of graph.lists()) {
		if (layer === 0) assert.ok(links.length > 0, `node ${node}`);
	}
	graph.ask(row);
	assert.deepEqual(graph.search(5, 60), graph.scan(5, [...graph.depthsFrom(graph.entry).keys()]));
});

test("the first of equal distances are those of the smallest labels that the beam found", () => {
	const kind = KINDS["float rows under l2"];
	const { graph } = makeGraph(kind);
	graph.ask(rowsFor(kind, 1, 1)[0] as Row);
	const doubles = (graph.search(30, graph.n) ?? []).filter(({ key }) => key === 0).map(({ label }) => label);
	assert.ok(doubles.length > 5);
	assert.deepEqual(
		doubles,
		doubles.toSorted((a, b) => a - b),
	);
});

test("re-ranking looks at no more of a coded pool than its depth", () => {
	const { graph, queries } = makeGraph(KINDS["codes in the l2 form"]);
	graph.ask(queries[1] as Row);
	assert.equal(graph.search(20, 50, 7)?.length, 7);
	assert.equal(graph.search(20, 50, 50)?.length, 20);
});

test("an empty graph answers with nothing", () => {
	const { graph, queries } = makeGraph(KINDS["float rows under l2"], 3);
	graph.bench.write(graph.graph + GRAPH.entry, Uint32Array.of(NO_NODE));
	graph.ask(queries[0] as Row);
	assert.deepEqual(graph.search(3, 10), []);
});

test("a raised abort word ends a search before it starts, eligible or not, and a lowered one lets it run", () => {
	const { graph, queries } = makeGraph(KINDS["codes in the dot form"]);
	const eligibility = graph.bench.putWords(ELIGIBILITY, {});
	graph.ask(queries[0] as Row);
	graph.bench.write(graph.abort, Uint32Array.of(1));
	assert.equal(graph.search(3, 10), undefined);
	assert.equal(graph.search(3, 10, 10, eligibility), undefined);
	graph.bench.write(graph.abort, Uint32Array.of(0));
	assert.equal(graph.search(3, 10)?.length, 3);
});

test("keys and expansions are counted", () => {
	const { graph, queries } = makeGraph(KINDS["float rows under l2"]);
	graph.bench.write(graph.scratch + SCRATCH.keysComputed, Uint32Array.of(0, 0));
	graph.ask(queries[0] as Row);
	graph.search(1, graph.n);
	const [keys, expanded] = graph.bench.u32(graph.scratch + SCRATCH.keysComputed, 2) as unknown as [number, number];
	assert.equal(expanded, graph.depthsFrom(graph.entry).size);
	assert.ok(keys >= expanded);
});

test("a lane takes only what is left behind the cursor", () => {
	const kind = KINDS["float rows under l2"];
	const { graph } = makeGraph(kind, 40);
	const nodes = graph.bench.put(Uint32Array.from({ length: 20 }, (_, i) => i));
	const cursor = graph.bench.put(Uint32Array.of(16));
	const before = graph.lists().filter(({ node }) => node < 16);
	graph.bench.run("insertRange", graph.graph, graph.scratch, 10, nodes, 20, cursor);
	assert.deepEqual(
		graph.lists().filter(({ node }) => node < 16),
		before,
	);
	assert.ok((graph.bench.u32(cursor, 1)[0] as number) >= 20);
});

test("breadth-first search gives every node its distance in links, and goes on from another source", () => {
	const { graph } = makeGraph(KINDS["float rows under l2"]);
	const { bench, n } = graph;
	const depths = bench.put(new Uint16Array(n).fill(0xffff));
	const queue = bench.room(4 * n);
	const truth = graph.depthsFrom(graph.entry);
	let reached = bench.run("bfs", graph.graph, graph.scratch, graph.entry, depths, queue, 0);
	assert.equal(reached, truth.size);
	assert.deepEqual(Array.from(bench.u32(queue, reached)), [...truth.keys()]);
	for (const [node, depth] of truth) assert.equal(new Uint16Array(bench.buffer, depths, n)[node], depth);
	assert.equal(bench.run("bfs", graph.graph, graph.scratch, graph.entry, depths, queue, reached), reached);
	for (let node = 0; node < n; node++) {
		reached = bench.run("bfs", graph.graph, graph.scratch, node, depths, queue, reached);
	}
	assert.deepEqual(
		Array.from(bench.u32(queue, n)).sort((a, b) => a - b),
		Array.from({ length: n }, (_, i) => i),
	);
	assert.equal(reached, n);
});

test("rows are permuted in place as a copy would be", () => {
	for (const n of [1, 2, 31, 64, 97]) {
		const random = randomNumbers(n);
		const order = Uint32Array.from(
			Array.from({ length: n }, (_, i) => ({ i, by: n % 2 ? random() : -i })).sort((a, b) => a.by - b.by),
			({ i }) => i,
		);
		const bench = new Bench();
		const rows = Uint32Array.from({ length: 3 * n }, (_, i) => i);
		const base = bench.put(rows);
		bench.run("permuteRows", base, 12, bench.put(order), n, bench.room(12), bench.room(4 * Math.ceil(n / 32)));
		const expected = Array.from(order).flatMap((from) => [3 * from, 3 * from + 1, 3 * from + 2]);
		assert.deepEqual(Array.from(bench.u32(base, 3 * n)), expected);
	}
});

test("renumbering the nodes changes no answer", () => {
	const kind = KINDS["codes in the l2 form"];
	const { graph, queries } = makeGraph(kind);
	const { bench, n } = graph;
	const answers = () =>
		queries.map((query) => {
			graph.ask(query);
			return graph.search(10, n);
		});
	const before = answers();
	const order = Array.from({ length: n }, (_, i) => (i * 37 + 5) % n);
	const newNode = new Uint32Array(n);
	order.forEach((from, to) => {
		newNode[from] = to;
	});
	const orderAt = bench.put(Uint32Array.from(order));
	const tables = [
		[graph.blocks, graph.blockStride],
		[graph.vectors, graph.vectorBytes],
		[graph.upperOf, 4],
	] as const;
	for (const [base, stride] of tables) {
		bench.run("permuteRows", base, stride, orderAt, n, bench.room(stride), bench.room(32));
	}
	const levels = new Uint8Array(bench.buffer, graph.levels, n).slice();
	bench.write(
		graph.levels,
		Uint8Array.from(order, (from) => levels[from] as number),
	);
	const entry = newNode[graph.entry] as number;
	bench.run("remapLinks", graph.graph, graph.scratch, bench.put(newNode), n);
	bench.write(graph.graph + GRAPH.entry, Uint32Array.of(entry));
	assert.deepEqual(answers(), before);
	assertSound(graph);
});

test("free places are passed over when links are mended or renamed", () => {
	const { graph } = makeGraph(KINDS["float rows under l2"], 50);
	const { bench } = graph;
	const isFree = (node: number) => node === 49;
	const removed = bench.put(bitmapOf(50, isFree));
	bench.run("repairRange", graph.graph, graph.scratch, removed, bench.room(8), 60, 50, bench.room(4));
	bench.write(graph.levels + 49, Uint8Array.of(FREE_LEVEL));
	bench.run("remapLinks", graph.graph, graph.scratch, bench.put(Uint32Array.from({ length: 50 }, (_, i) => i)), 50);
	bench.run("repairRange", graph.graph, graph.scratch, bench.room(8), bench.room(8), 60, 50, bench.room(4));
	assertSound(graph, isFree);
});
