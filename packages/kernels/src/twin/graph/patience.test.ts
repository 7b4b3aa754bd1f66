import assert from "node:assert/strict";
import { test } from "node:test";
import { bitmapOf, randomNumbers, randomVector, unitVector } from "../../kernels.test-support.ts";
import { ELIGIBILITY, EXPANDED_TOGETHER, GRAPH, METRIC_CODES, PAYLOADS, SCRATCH } from "../../layout.ts";
import { type GraphOptions, KINDS, type Row, TestGraph } from "./graph.test-support.ts";

const DIMENSIONS = 7;
const N = 300;
const K = 3;
const DEPTH = 6;
/** More expansions than a walk over so few nodes has. */
const ENDLESS = 10_000;

function rowsFor({ payload, metric }: GraphOptions, n: number, seed: number): Row[] {
	const random = randomNumbers(seed);
	return Array.from({ length: n }, () => {
		if (payload === PAYLOADS.bits) return Uint8Array.from({ length: 32 }, () => 256 * random());
		const row = randomVector(random, DIMENSIONS);
		return metric === METRIC_CODES.cosine || metric === METRIC_CODES.ip ? unitVector(row) : row;
	});
}

/** Every third label may be answered. */
function thirdOf({ bench }: TestGraph): number {
	return bench.putWords(ELIGIBILITY, { allow: bench.put(bitmapOf(2_048, isThird)), allowed: 2_048 });
}

function isThird(label: number): boolean {
	return label % 3 === 0;
}

/** Keys computed and nodes expanded by what is run. */
function counted({ bench, scratch }: TestGraph, run: () => void): { keys: number; expanded: number } {
	bench.write(scratch + SCRATCH.keysComputed, Uint32Array.of(0, 0));
	run();
	const [keys, expanded] = bench.u32(scratch + SCRATCH.keysComputed, 2) as unknown as [number, number];
	return { keys, expanded };
}

for (const [name, kind] of Object.entries(KINDS)) {
	test(`${name}: a patience that is never spent changes nothing, a smaller one never looks at more, and the smallest at less`, () => {
		const graph = new TestGraph(rowsFor(kind, N, 1), kind);
		for (const eligibility of [0, thirdOf(graph)]) {
			for (const ef of [DEPTH, 40, N]) {
				let [least, most] = [0, 0];
				for (const query of rowsFor(kind, 5, 2)) {
					graph.ask(query);
					const search = (patience: number) => graph.search(K, ef, DEPTH, eligibility, patience);
					const without = counted(graph, () => search(0));
					assert.deepEqual(search(ENDLESS), search(0));
					assert.deepEqual(
						counted(graph, () => search(ENDLESS)),
						without,
					);
					let last = 0;
					for (const patience of [1, 2, 5, 10, 20, 50]) {
						const { keys } = counted(graph, () => search(patience));
						assert.ok(keys >= last && keys <= without.keys, `${keys} keys, then ${last} of ${without.keys}`);
						if (patience === 1) least += keys;
						last = keys;
					}
					most += without.keys;
				}
				assert.ok(least < most || ef === DEPTH, `ef ${ef}: ${least} of ${most} keys`);
			}
		}
	});

	test(`${name}: the least patience leaves as many answers as were asked for, and only such as may be`, () => {
		const graph = new TestGraph(rowsFor(kind, N, 1), kind);
		const eligibility = thirdOf(graph);
		for (const query of rowsFor(kind, 5, 2)) {
			graph.ask(query);
			assert.equal(graph.search(DEPTH, 40, DEPTH, 0, 1)?.length, DEPTH);
			const found = graph.search(DEPTH, 40, DEPTH, eligibility, 1) ?? [];
			assert.equal(found.length, DEPTH);
			for (const { label } of found) assert.ok(isThird(label), `label ${label}`);
		}
	});

	test(`${name}: many searches in one call have the patience of single ones`, () => {
		const graph = new TestGraph(rowsFor(kind, N, 1), kind);
		const queries = rowsFor(kind, 5, 2);
		const single = queries.map((query) => {
			graph.ask(query);
			return graph.search(K, 60, DEPTH, 0, 4);
		});
		assert.deepEqual(graph.searchRange(queries, K, 60, DEPTH, 4), single);
	});
}

/** The nearest node to the query that a greedy walk down the upper layers comes to. */
function start(graph: TestGraph, keys: ReadonlyMap<number, number>): number {
	const keyOf = (node: number) => keys.get(node) as number;
	let current = graph.entry;
	for (let layer = graph.bench.u32(graph.graph + GRAPH.topLevel, 1)[0] as number; layer > 0; layer--) {
		for (let next = current; ; current = next) {
			for (const link of graph.links(current, layer)) if (keyOf(link) < keyOf(next)) next = link;
			if (next === current) break;
		}
	}
	return current;
}

/** How many nodes a walk of the beam's definition expands. */
function expansions(graph: TestGraph, keys: ReadonlyMap<number, number>, ef: number, patience: number): number {
	const from = start(graph, keys);
	const met = new Set([from]);
	const expanded = new Set<number>();
	let pool = [from];
	for (let idle = 0; idle < patience; ) {
		const waiting = pool.filter((node) => !expanded.has(node));
		const batch = waiting.slice(0, pool.length < ef ? 1 : EXPANDED_TOGETHER);
		if (batch.length === 0) break;
		const links = batch.flatMap((node) => graph.links(node));
		const best = pool.slice(0, DEPTH);
		pool = [...pool, ...new Set(links.filter((link) => !met.has(link)))]
			.sort((a, b) => (keys.get(a) as number) - (keys.get(b) as number))
			.slice(0, ef);
		for (const node of batch) expanded.add(node);
		for (const link of links) met.add(link);
		const isSame = best.length === DEPTH && best.every((node, i) => node === pool[i]);
		idle = isSame ? idle + batch.length : 0;
	}
	return expanded.size;
}

test("it ends when so many expansions in a row have left the best as they were, once there are that many", () => {
	const kind = KINDS["float rows under l2"];
	const graph = new TestGraph(rowsFor(kind, N, 1), kind);
	const nodes = Array.from({ length: N }, (_, node) => node);
	const nodeOf = new Map(nodes.map((node) => [graph.labelOf(node), node]));
	for (const ef of [30, 60, N]) {
		const lengths = new Set<number>();
		for (const query of rowsFor(kind, 8, 2)) {
			graph.ask(query);
			const keys = new Map(graph.scan(N, nodes).map(({ key, label }) => [nodeOf.get(label) as number, key]));
			assert.equal(new Set(keys.values()).size, N, "no two are equally far");
			for (const patience of [1, 3, 8, 20]) {
				const { expanded } = counted(graph, () => graph.search(K, ef, DEPTH, 0, patience));
				assert.equal(expanded, expansions(graph, keys, ef, patience), `ef ${ef}, patience ${patience}`);
				lengths.add(expanded);
			}
		}
		assert.ok(lengths.size > 5, `${lengths.size} different lengths`);
	}
});

/** The same of a walk for eligible nodes, which has room for all of them. */
function expansionsFor(
	graph: TestGraph,
	keys: ReadonlyMap<number, number>,
	may: (node: number) => boolean,
	patience: number,
): number {
	const met = new Set([start(graph, keys)]);
	const expanded = new Set<number>();
	const nearest = (isListed: (node: number) => boolean) =>
		[...met].filter(isListed).sort((a, b) => (keys.get(a) as number) - (keys.get(b) as number));
	for (let idle = 0; idle < patience; ) {
		const next = nearest((node) => !expanded.has(node))[0];
		if (next === undefined) break;
		const best = nearest(may).slice(0, DEPTH);
		expanded.add(next);
		for (const link of graph.links(next)) met.add(link);
		const now = nearest(may);
		const isSame = best.length === DEPTH && best.every((node, i) => node === now[i]);
		if (!isSame) idle = 0;
		else if (may(next)) idle++;
	}
	return expanded.size;
}

test("where not all may be answered, only expansions of what may be count", () => {
	const kind = KINDS["float rows under l2"];
	const graph = new TestGraph(rowsFor(kind, N, 1), kind);
	const eligibility = thirdOf(graph);
	const nodes = Array.from({ length: N }, (_, node) => node);
	const nodeOf = new Map(nodes.map((node) => [graph.labelOf(node), node]));
	const lengths = new Set<number>();
	for (const query of rowsFor(kind, 8, 2)) {
		graph.ask(query);
		const keys = new Map(graph.scan(N, nodes).map(({ key, label }) => [nodeOf.get(label) as number, key]));
		for (const patience of [1, 3, 8, 20]) {
			const { expanded } = counted(graph, () => graph.search(K, N, DEPTH, eligibility, patience));
			const expected = expansionsFor(graph, keys, (node) => isThird(graph.labelOf(node)), patience);
			assert.equal(expanded, expected, `patience ${patience}`);
			lengths.add(expanded);
		}
	}
	assert.ok(lengths.size > 5, `${lengths.size} different lengths`);
});
