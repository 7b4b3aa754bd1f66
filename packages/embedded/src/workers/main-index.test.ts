import assert from "node:assert/strict";
import { test } from "node:test";
import { CELL_KINDS, NLIST_RULES } from "@nigh/contract";
import { createHnsw, createIvf, PQ_PROFILES } from "@nigh/index";
import { Arena } from "@nigh/kernels";
import type { IndexChoice } from "../records/catalogue.ts";
import { createMain, isOtherKind, mainIndexFor, mainSpec } from "./main-index.ts";
import { GRAPH_FROM, LEAST_CELLS, LEAST_GRAPH } from "./parameters.ts";

test("which index so many records have is what was chosen", () => {
	assert.equal(mainIndexFor({ kind: "flat" }, 10 ** 6), null);
	assert.equal(mainIndexFor({ kind: "auto" }, GRAPH_FROM - 1), null);
	assert.deepEqual(mainIndexFor({ kind: "auto" }, GRAPH_FROM), { kind: "hnsw" });
	assert.deepEqual(mainIndexFor({ kind: "auto", M: 7 }, GRAPH_FROM), { kind: "hnsw", M: 7 });
	assert.equal(mainIndexFor({ kind: "hnsw", M: 4 }, LEAST_GRAPH - 1), null);
	assert.deepEqual(mainIndexFor({ kind: "hnsw", M: 4, efConstruction: 50 }, LEAST_GRAPH), {
		kind: "hnsw",
		M: 4,
		efConstruction: 50,
	});
});

/** Records from which on there are cells: 39 for each that is asked for, and for each entry of a codebook. */
const LEAST: readonly (readonly [choice: IndexChoice, records: number])[] = [
	...CELL_KINDS.map((kind) => [{ kind }, LEAST_CELLS] as const),
	...NLIST_RULES.map((nlist) => [{ kind: "ivf", nlist }, LEAST_CELLS] as const),
	[{ kind: "ivf", nlist: 1 }, LEAST_CELLS],
	[{ kind: "ivf", nlist: 26 }, LEAST_CELLS],
	[{ kind: "ivf", nlist: 27, nprobe: 3 }, 39 * 27],
	[{ kind: "ivfrabitq", nlist: 200, bits: 8 }, 39 * 200],
	[{ kind: "ivfpq", bits: 4 }, LEAST_CELLS],
	[{ kind: "ivfpq", bits: 5 }, 39 * 32],
	[{ kind: "ivfpq", bits: 8, nlist: 10 }, 39 * 256],
	[{ kind: "ivfpq", bits: 4, nlist: 100 }, 39 * 100],
	[{ kind: "ivfpq", profile: "memory" }, 39 * 256],
	[{ kind: "ivfpq", profile: "accuracy" }, 39 * 256],
	[{ kind: "ivfpq", profile: "speed" }, 39 * 64],
	[{ kind: "ivfpq", profile: "speed", nlist: 90 }, 39 * 90],
	[{ kind: "ivfpq", profile: "memory", bits: 4, nlist: "adaptive" }, LEAST_CELLS],
	[{ kind: "ivfpq", profile: "memory", bits: 4 }, 39 * 100],
];

for (const [choice, least] of LEAST) {
	test(`${JSON.stringify(choice)} is trained from ${least} records on`, () => {
		assert.equal(mainIndexFor(choice, 0), null);
		assert.equal(mainIndexFor(choice, least - 1), null);
		assert.deepEqual(mainIndexFor(choice, least), choice, "just as it was asked for");
		assert.deepEqual(mainIndexFor(choice, 10 ** 7), choice);
	});
}

test("what a profile needs is what it stands for", () => {
	for (const [name, { bits, nlist }] of Object.entries(PQ_PROFILES)) {
		const profile = name as keyof typeof PQ_PROFILES;
		const least = Math.max(LEAST_CELLS, 39 * nlist, 39 * 2 ** bits);
		assert.equal(mainIndexFor({ kind: "ivfpq", profile }, least - 1), null, name);
		assert.notEqual(mainIndexFor({ kind: "ivfpq", profile }, least), null, name);
	}
});

test("what is made is of the kind that is wanted, and a reading thread is told which", () => {
	const format = { metric: "l2", dimensions: 32, weights: null } as const;
	const arena = () => new Arena({ shared: true });
	assert.equal(mainSpec(undefined), null);
	const graph = createMain(arena(), format, { kind: "hnsw", M: 5 });
	graph.reserve(10);
	assert.deepEqual([graph.kind, graph.effective().M, mainSpec(graph)?.kind], ["hnsw", 5, "hnsw"]);
	assert.equal(mainSpec(graph)?.reader.many, null);
	const { address: _, ...many } = mainSpec(graph, { many: { queries: 16 } })?.reader.many ?? {};
	assert.deepEqual(many, { queries: 16, k: 128 }, "a reader of many queries asks for the room");
	for (const kind of CELL_KINDS) {
		const cells = createMain(arena(), { ...format, weights: [...new Float32Array(32).fill(2)] }, { kind, nlist: 7 });
		assert.equal(cells.kind, kind);
		const { nlist, isTrained, weights } = cells.effective();
		assert.deepEqual([nlist, isTrained, (weights as number[])[0]], [7, false, 2]);
		assert.throws(() => mainSpec(cells), { code: "NOT_TRAINED" });
	}
});

test("an index of another kind is another, and the same kind with other parameters, or none, is not", () => {
	const arena = new Arena();
	const shape = { arena, metric: "l2", dimensions: 4 } as const;
	const graph = createHnsw(shape);
	const cells = createIvf({ ...shape, kind: "ivfpq" });
	assert.equal(isOtherKind(undefined, { kind: "ivf" }), false);
	assert.equal(isOtherKind(cells, null), false);
	assert.equal(isOtherKind(cells, { kind: "ivfpq", nlist: 9 }), false);
	assert.equal(isOtherKind(cells, { kind: "ivf" }), true);
	assert.equal(isOtherKind(cells, { kind: "hnsw" }), true);
	assert.equal(isOtherKind(graph, { kind: "ivfrabitq" }), true);
	assert.equal(isOtherKind(graph, { kind: "hnsw", M: 3 }), false);
});
