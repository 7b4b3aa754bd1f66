import assert from "node:assert/strict";
import { test } from "node:test";
import { graphLadder } from "./graph.ts";
import { isSameRung } from "./rungs.ts";
import { widths } from "./widths.ts";

test("a graph's rungs are beams from the dearest to k, never narrower", () => {
	assert.deepEqual(
		graphLadder({ k: 10, dearest: 160 }),
		widths(10, 160).map((ef) => ({ kind: "graph", ef })),
	);
	assert.deepEqual(graphLadder({ k: 100, dearest: 60 }), [{ kind: "graph", ef: 100 }]);
});

test("rungs are the same where they ask for the same search", () => {
	assert.ok(isSameRung({ kind: "graph", ef: 10 }, { kind: "graph", ef: 10 }));
	assert.ok(!isSameRung({ kind: "graph", ef: 10 }, { kind: "graph", ef: 11 }));
	assert.ok(!isSameRung({ kind: "graph", ef: 10, patience: 5 }, { kind: "graph", ef: 10 }));
	assert.ok(!isSameRung({ kind: "graph", ef: 10 }, { kind: "cells", nprobe: 10 }));
	const cells = { kind: "cells", nprobe: 5, rerank: 50, budget: 1_000 } as const;
	assert.ok(isSameRung(cells, { ...cells, arm: "ivf_conservative" }));
	for (const other of [{ nprobe: 6 }, { rerank: 51 }, { budget: 999 }])
		assert.ok(!isSameRung(cells, { ...cells, ...other }));
	assert.ok(!isSameRung(cells, { kind: "graph", ef: 5 }));
});
