import assert from "node:assert/strict";
import { test } from "node:test";
import { bitmapOf, randomNumbers, randomVector, unitVector } from "../../kernels.test-support.ts";
import { ELIGIBILITY, GRAPH, METRIC_CODES, NO_NODE, PAYLOADS, SCRATCH } from "../../layout.ts";
import { type GraphOptions, KINDS, type Row, TestGraph } from "./graph.test-support.ts";

const DIMENSIONS = 6;
const N = 300;
/** More labels than there are. */
const COVERED = 2_048;

function rowsFor({ payload, metric }: GraphOptions, n: number, seed: number): Row[] {
	const random = randomNumbers(seed);
	return Array.from({ length: n }, () => {
		if (payload === PAYLOADS.bits) return Uint8Array.from({ length: 16 }, () => 256 * random());
		const row = randomVector(random, DIMENSIONS);
		return metric === METRIC_CODES.cosine || metric === METRIC_CODES.ip ? unitVector(row) : row;
	});
}

interface Filtered {
	readonly graph: TestGraph;
	readonly eligibility: number;
	/** Nodes that may be answered. */
	readonly admitted: number[];
}

/** A graph of which nodes are let through and alive; labels lie apart from the blocks in every other. */
function filtered(kind: GraphOptions, isLet: (node: number) => boolean, areApart: boolean): Filtered {
	const graph = new TestGraph(rowsFor(kind, N, 1), kind);
	const { bench } = graph;
	const nodes = Array.from({ length: N }, (_, node) => node);
	const labels = nodes.map((node) => graph.labelOf(node));
	if (areApart) bench.write(graph.graph + GRAPH.labels, Uint32Array.of(bench.put(Uint32Array.from(labels))));
	const passed = new Set(labels.filter((_, node) => isLet(node)));
	const isDead = (label: number) => label % 7 === 0;
	const allow = bench.put(bitmapOf(COVERED, (label) => passed.has(label)));
	const born = bench.put(new Float64Array(COVERED).fill(3));
	const died = bench.put(Float64Array.from({ length: COVERED }, (_, label) => (isDead(label) ? 8 : Infinity)));
	const eligibility = bench.putWords(ELIGIBILITY, { allow, allowed: COVERED, born, died, dated: COVERED });
	bench.write(eligibility + ELIGIBILITY.reader, Float64Array.of(8));
	return { graph, eligibility, admitted: nodes.filter((node) => isLet(node) && !isDead(graph.labelOf(node))) };
}

const WIDE = { least: N, full: N, ef: N, widest: N };

for (const [name, kind] of Object.entries(KINDS)) {
	test(`${name}: a walk for half of the nodes or for few answers only what may be answered, and most of it`, () => {
		for (const [every, areApart] of [
			[2, true],
			[10, false],
			[16, true],
		] as const) {
			const { graph, eligibility, admitted } = filtered(kind, (node) => node % every === 1, areApart);
			const seeds = admitted.filter((_, i) => i % 2 === 0);
			const may = new Set(admitted.map((node) => graph.labelOf(node)));
			let [hits, wanted] = [0, 0];
			for (const query of rowsFor(kind, 8, 2)) {
				graph.ask(query);
				const truth = graph.scan(5, admitted);
				const farthest = truth.at(-1)?.key as number;
				for (const widths of [{ least: 9, full: 20, ef: 20, widest: 60 }, WIDE]) {
					const found = graph.searchMatching(5, widths, eligibility, seeds) ?? [];
					for (const { label } of found) assert.ok(may.has(label), `label ${label}`);
					hits += found.filter(({ key }) => key <= farthest).length;
					wanted += truth.length;
				}
			}
			// Few have gaps between them that two links do not cross.
			assert.ok(hits >= (every < 16 ? 0.9 : 0.85) * wanted, `every ${every}: ${hits} of ${wanted}`);
		}
	});
}

test("where all that matches lies far from the query, a walk that may grow finds more of it than one that may not", () => {
	const kind = KINDS["codes in the l2 form"];
	const rows = rowsFor(kind, N, 1) as Float32Array[];
	const { graph, eligibility, admitted } = filtered(kind, (node) => (rows[node]?.[0] as number) > 0.6, true);
	const found = (widest: number) => {
		let hits = 0;
		for (const query of rowsFor(kind, 30, 3) as Float32Array[]) {
			query[0] = -1;
			graph.ask(query);
			const farthest = graph.scan(5, admitted).at(-1)?.key as number;
			const answers = graph.searchMatching(5, { least: 5, full: 8, ef: 6, widest }, eligibility, admitted.slice(0, 2));
			hits += answers?.filter(({ key }) => key <= farthest).length ?? 0;
		}
		return hits;
	};
	const [narrow, wide] = [found(6), found(60)];
	assert.ok(wide > narrow && wide >= 0.95 * 150, `${narrow} and ${wide} of 150`);
});

test("keys are computed for what matches alone where that is little", () => {
	const kind = KINDS["float rows under l2"];
	const rows = rowsFor(kind, N, 1) as Float32Array[];
	const { graph, eligibility, admitted } = filtered(kind, (node) => (rows[node]?.[0] as number) > 0.8, true);
	const counted = () => graph.bench.u32(graph.scratch + SCRATCH.keysComputed, 1)[0] as number;
	const query = (rowsFor(kind, 1, 2)[0] as Float32Array).slice();
	query[0] = -1;
	graph.ask(query);
	const first = counted();
	graph.search(5, 5);
	const plain = counted() - first;
	graph.searchMatching(5, WIDE, eligibility, admitted);
	assert.ok(counted() - first - plain < plain + admitted.length, "the way down, and each match once");
});

test("an empty graph, and a raised abort word, end it before it starts", () => {
	const kind = KINDS["codes in the dot form"];
	const { graph, eligibility, admitted } = filtered(kind, (node) => node % 3 === 1, false);
	graph.ask(rowsFor(kind, 1, 2)[0] as Row);
	graph.bench.write(graph.abort, Uint32Array.of(1));
	assert.equal(graph.searchMatching(5, WIDE, eligibility, admitted), undefined);
	graph.bench.write(graph.abort, Uint32Array.of(0));
	assert.equal(graph.searchMatching(5, WIDE, eligibility, admitted)?.length, 5);
	graph.bench.write(graph.graph + GRAPH.entry, Uint32Array.of(NO_NODE));
	assert.deepEqual(graph.searchMatching(5, WIDE, eligibility, admitted), []);
});
