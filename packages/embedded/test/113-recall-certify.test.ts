// certify(): as far as queries and time go, on request.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CertifyOptions, CollectionSpec } from "@nigh/contract";
import { assertKept, clustered, Examined, measured, spreadOut, states, untilTold } from "./recall.test-support.ts";

const TARGET = 0.95;
const SPEC: CollectionSpec = { dimensions: 32, metric: "l2", recall: TARGET, index: { kind: "hnsw" } };

function small(t: TestContext, seed: number, spec = SPEC): Promise<Examined> {
	return Examined.filled(t, { spec, source: clustered(seed), records: 4_000 });
}

function draw(examined: Examined, count: number) {
	return Array.from({ length: count }, () => examined.source());
}

test("queries of one's own certify at once, and what was measured of each setting is told", async (t) => {
	const examined = await small(t, 41);
	const { collection } = examined;
	const parts: number[] = [];
	const report = await collection.certify({
		queries: draw(examined, 1_500),
		onProgress: (done, total) => void parts.push(done / total),
	});
	assert.deepEqual(
		parts,
		parts.toSorted((a, b) => a - b),
	);
	assert.equal(parts.at(-1), 1);
	assert.equal(report.cells.length, 1);
	assert.deepEqual(
		report.statements,
		report.cells.map(({ statement }) => statement),
	);
	const [cell] = report.cells;
	assert.ok(cell !== undefined);
	const { statement, setting } = cell;
	assert.deepEqual([statement.state, statement.basis, statement.target], ["certified", "queries", TARGET]);
	assert.deepEqual(statement.cell?.k, { from: 10, to: 10 });
	// The dearest first, and certified as far as the one that serves.
	const efs = cell.measured.map((each) => each.setting.ef as number);
	assert.deepEqual(
		efs,
		efs.toSorted((a, b) => b - a),
	);
	const certified = cell.measured.filter((each) => each.certified);
	assert.deepEqual(certified.at(-1)?.setting, setting);
	assert.deepEqual(cell.measured.slice(0, certified.length), certified);
	for (const { queries, mean, lowerBound } of cell.measured) {
		assert.ok(queries > 0 && queries <= 1_500 && lowerBound < mean && lowerBound >= 0 && mean <= 1);
	}
	for (const { mean } of certified) assert.ok(mean >= TARGET - 0.01);
	const later = await examined.check(500);
	assert.deepEqual(states(later), { certified: 500 });
	for (const { plan } of later) assert.equal(plan.ef, setting?.ef);
	assertKept(measured(later), TARGET, "certified by queries of one's own");
	// What bounds say of a setting, fresh queries confirm.
	const { lowerBound } = certified.at(-1) as { lowerBound: number };
	assertKept(measured(later), lowerBound, "the lower bound of what serves");
});

test("a budget of queries ends it, and the next call goes on from there", async (t) => {
	const examined = await small(t, 42);
	// Of searches with filters held-out vectors have told nothing: what is reported is what these queries have.
	const filter = { share: { $lt: 300 } };
	const measuredBy = async (options: CertifyOptions) => {
		const { cells, isComplete } = await examined.collection.certify(options);
		const cell = cells.find(({ statement }) => (statement.cell?.selectivity.from ?? 0) < 1);
		return { most: Math.max(...(cell?.measured ?? []).map(({ queries }) => queries)), isComplete };
	};
	const first = await measuredBy({ queries: draw(examined, 600), filter, maxQueries: 40 });
	assert.deepEqual(first, { most: 40, isComplete: false });
	const second = await measuredBy({ k: 10, maxQueries: 30 });
	// Between two calls it may go on by itself.
	assert.ok(second.most >= 70, `${second.most}`);
	const third = await measuredBy({ k: 10 });
	assert.ok(third.most > 70 && third.most >= second.most, `${third.most}`);
	assert.equal((await examined.cells(10, true))[0]?.state, "certified");
});

test("a budget of time ends it soon, and so does an AbortSignal: what was certified by then stays", async (t) => {
	const examined = await small(t, 43);
	const { collection } = examined;
	const { isComplete, durationMs } = await collection.certify({ queries: draw(examined, 8_000), maxMs: 1 });
	assert.equal(isComplete, false);
	assert.ok(durationMs >= 0);
	await assert.rejects(collection.certify({ signal: AbortSignal.abort() }), { code: "ABORTED" });
	const controller = new AbortController();
	const abort = (done: number, total: number) => {
		if (done > total / 8) controller.abort("enough");
	};
	await assert.rejects(
		collection.certify({ k: 10, maxQueries: 10_000, onProgress: abort, signal: controller.signal }),
		{
			code: "ABORTED",
		},
	);
	await untilTold(async () => (await examined.cells(10)).some(({ state }) => state === "certified"), "it is certified");
	const found = await examined.check(200);
	assert.deepEqual(states(found), { certified: 200 });
	assertKept(measured(found), TARGET, "after it was aborted");
});

test("a higher confidence, and one for all cells together, are told and need more queries", async (t) => {
	const examined = await small(t, 44);
	const { collection } = examined;
	const [usual] = (await collection.certify({ queries: draw(examined, 1_500) })).statements;
	assert.equal(usual?.confidence, 0.95);
	const [surer] = (await collection.certify({ k: 10, confidence: 0.99 })).statements;
	assert.ok(Math.abs((surer?.confidence as number) - 0.99) < 1e-9, `${surer?.confidence}`);
	assert.equal((await examined.search(1))[0]?.recall.confidence, surer?.confidence);
	// Two targets and two bands: four cells.
	await collection.certify({ queries: draw(examined, 1_500), k: 5, target: 0.9 });
	const together = await collection.certify({ familyWise: true });
	const cells = together.statements.length;
	assert.ok(cells > 1, `${cells} cells`);
	for (const { confidence, state } of together.statements) {
		if (state !== "certified") continue;
		assert.ok(Math.abs((confidence as number) - (1 - 0.05 / cells)) < 1e-9, `${confidence} of ${cells} cells`);
	}
	const later = await examined.check(300);
	assertKept(measured(later), TARGET, "certified with others");
});

test("queries of a filter certify searches with filters that match as much", async (t) => {
	const examined = await small(t, 45);
	const filter = { share: { $lt: 300 } };
	const { statements } = await examined.collection.certify({ queries: draw(examined, 700), filter, k: 10 });
	assert.deepEqual([statements[0]?.state, statements[0]?.cell?.selectivity], ["certified", { from: 0.2, to: 0.5 }]);
	const found = await examined.check(300, { below: 400 });
	assertKept(measured(found), TARGET, "filtered");
	for (const { recall } of found) assert.deepEqual(recall.cell?.selectivity, { from: 0.2, to: 0.5 });
});

test("where the graph cannot keep the recall, answers are exact, and health says how to build it anew", async (t) => {
	const spec: CollectionSpec = { ...SPEC, recall: 0.999, index: { kind: "hnsw", M: 2, efConstruction: 4 } };
	const examined = await Examined.filled(t, { spec, source: clustered(46), records: 3_000 });
	// Far from all records: their codes cannot tell them apart from there.
	examined.source = spreadOut(48, { spread: 3 });
	const { collection } = examined;
	const { cells, isComplete } = await collection.certify({ queries: draw(examined, 800) });
	assert.equal(isComplete, true);
	assert.deepEqual([cells[0]?.statement.state, cells[0]?.setting], ["uncertified", null]);
	assert.ok((cells[0]?.measured.length as number) > 0);
	for (const { recall, measured } of await examined.check(50)) assert.deepEqual([recall.state, measured], ["exact", 1]);
	const reason = (await collection.health()).reasons.find(({ code }) => code === "recall-unreachable");
	assert.ok(reason !== undefined);
	const [, M, efConstruction] = /rebuild\(\{ M: (\d+), efConstruction: (\d+) \}\)/.exec(reason.recommendation) ?? [];
	assert.ok(Number(M) > 2 && Number(efConstruction) > 4, reason.recommendation);
	// As it says.
	await collection.rebuild({ M: Number(M), efConstruction: Number(efConstruction) });
	const { effective } = await collection.stats();
	assert.equal(effective.index.parameters.M, Number(M));
	assert.ok(!(await collection.health()).reasons.some(({ code }) => code === "recall-unreachable"));
});

test("a collection that compares everything has nothing to certify", async (t) => {
	const examined = await Examined.filled(t, {
		spec: { ...SPEC, index: { kind: "flat" } },
		source: clustered(47),
		records: 300,
	});
	const { statements, isComplete, cells } = await examined.collection.certify({ queries: draw(examined, 10) });
	assert.deepEqual([statements[0]?.state, isComplete, cells[0]?.setting], ["exact", true, null]);
});

test("a collection that is declared exact has nothing to certify but what searches have asked for besides", async (t) => {
	const examined = await small(t, 49, { ...SPEC, recall: 1 });
	const { collection } = examined;
	for (const options of [{}, { queries: draw(examined, 20) }]) {
		const { statements, cells, isComplete } = await collection.certify(options);
		assert.deepEqual(
			statements.map(({ state, target, estimate }) => ({ state, target, estimate })),
			[{ state: "exact", target: 1, estimate: 1 }],
		);
		assert.deepEqual([cells[0]?.setting, isComplete], [null, true]);
	}
	const { statements } = await collection.certify({ queries: draw(examined, 600), target: 0.9 });
	assert.deepEqual([statements.length, statements[0]?.state], [1, "certified"]);
	const both = (await collection.certify()).statements.map(({ state, target }) => [state, target]);
	assert.deepEqual(both.slice(0, 2), [
		["exact", 1],
		["certified", 0.9],
	]);
});

test("no queries, and too many, are refused in words", async (t) => {
	const examined = await Examined.filled(t, { spec: SPEC, source: clustered(50), records: 10 });
	const { collection } = examined;
	await assert.rejects(collection.certify({ queries: [], filter: { share: 1 } }), {
		code: "INVALID_OPTION",
		message: /queries is an empty list: leave it out .*, or give some vectors/,
	});
	const vector = examined.source();
	await assert.rejects(collection.certify({ queries: Array.from({ length: 10_001 }, () => vector) }), {
		code: "INVALID_OPTION",
		message: /queries are 10,001 vectors; at most 10,000/,
	});
});
