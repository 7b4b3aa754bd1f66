// How a search is served by what is known of its recall, and what is kept of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UNFILTERED } from "@nigh/recall";
import type { CollectionCore } from "../core.ts";
import { smallGeneration } from "../memory/generations.test-support.ts";
import { Searcher } from "../memory/searcher.ts";
import { CollectionRecall } from "../recall/collection-recall.ts";
import type { Audit, DrawnQuery } from "../recall/queries.ts";
import { beams, cellFor, tableFor } from "../recall/served.test-support.ts";
import type { ServedCell } from "../recall/served.ts";
import { statementFor } from "../recall/statement.ts";
import { specOf } from "../spec.ts";
import type { Checked } from "./check-request.ts";
import { find, type Question } from "./find.ts";
import type { SearchState } from "./search-state.ts";

const N = 300;

/** A graph of records of which so much is known, and what of its searches goes to the examiner. */
async function known(cells: readonly ServedCell[], live = false) {
	const small = smallGeneration({ graph: true, dimensions: 8, capacity: N });
	const vectorOf = (n: number) => Float32Array.from({ length: 8 }, (_, d) => Math.sin(n * (d + 1.3)));
	for (let i = 0; i < N; i++) small.add(vectorOf(i));
	await small.fold();
	small.generation.publish(1);
	const handle = { ...small.handle, identity: { id: "first", offset: 0 } };
	const searcher = new Searcher(handle, small.area);
	const queries: DrawnQuery[] = [];
	const audits: Audit[] = [];
	const spec = await specOf({ dimensions: 8, metric: "l2", tuner: { live, epsilon: 1 } }, undefined);
	const sink = {
		queries: (some: readonly DrawnQuery[]) => void queries.push(...some),
		audit: (audit: Audit) => void audits.push(audit),
	};
	const recall = new CollectionRecall(spec.tuner, sink);
	recall.take(
		tableFor(
			cells.map((cell) => ({ ...cell, churn: N, vectors: N })),
			{ auditMs: 1e-6 },
		),
	);
	const core = { expire() {}, database: { view: "writer" }, recall, spec, searcher } as unknown as CollectionCore;
	const state = { searcher, change: 1 } as unknown as SearchState;
	const question = (more: Partial<Checked> = {}, about: Partial<Question> = {}): Question => {
		const request = { k: 10, exact: false, recall: 0.95, minScore: -Infinity, maxDistance: Infinity, ...more };
		return { request: request as unknown as Checked, vector: vectorOf(0.5), start: performance.now(), ...about };
	};
	const ask = async (asked: Question) => {
		const found = await find(core, asked, state);
		assert.ok(found !== undefined);
		recall.sampling.flush();
		const isExact = found.way === "scan" || found.way === "filtered-scan";
		return { ...found, statement: statementFor(found.service, asked.request.recall, isExact, found.change) };
	};
	return { recall, queries, audits, question, ask, generation: searcher.generation };
}

test("a search is as wide as what is certified for its recall, and is audited as that", async () => {
	const { ask, question, audits, queries } = await known([
		cellFor({ rungs: beams(60, 40) }),
		cellFor({ target: 0.99, rungs: beams(90) }),
	]);
	const usual = await ask(question());
	assert.deepEqual([usual.widths.ef, usual.statement.state], [40, "certified"]);
	const high = await ask(question({ recall: 0.987 }));
	assert.deepEqual([high.widths.ef, high.statement.cell?.target], [90, 0.99]);
	assert.deepEqual(
		audits.map(({ band, target, k, distances }) => [band, target, k, distances.length]),
		[
			[10, 0.95, 10, 10],
			[10, 0.99, 10, 10],
		],
	);
	assert.equal(queries.length, 2);
});

test("where nothing is certified, or it was refused or breached, everything is compared, and nothing is audited", async () => {
	for (const cells of [
		[],
		[cellFor({ state: "refused", rung: null, rungs: [] })],
		[cellFor({ state: "breached", rung: null, rungs: [], breach: { at: 1, audits: 9, mean: 0.5 } })],
	]) {
		const { ask, question, audits, queries } = await known(cells);
		const { way, statement } = await ask(question());
		assert.equal(way, "scan");
		assert.ok(["exact", "breached"].includes(statement.state));
		assert.deepEqual([audits.length, queries.length], [0, 1]);
	}
});

test("where too many are exact already, what is breached or refused is never told as certified", async () => {
	for (const state of ["refused", "breached"] as const) {
		const [widest] = beams(77);
		const cell = cellFor({ state, rung: null, rungs: [], ...(widest && { widest }) });
		const { ask, question, recall, audits } = await known([cell]);
		recall.exactRunning = 100;
		const { way, statement, widths } = await ask(question());
		assert.equal(way, "index");
		// As far as any that was measured: the usual width may be narrower than what was found wanting.
		assert.equal(widths.ef, 77);
		assert.equal(statement.state, state === "breached" ? "breached" : "uncertified");
		assert.deepEqual([statement.estimate, statement.confidence, audits.length], [null, null, 0]);
		assert.equal(recall.exactRunning, 100);
	}
});

test("one search is one query, however often it is answered until everything is of one state", async () => {
	const { ask, question, audits, queries } = await known([cellFor()]);
	const asked = question();
	for (let i = 0; i < 4; i++) await ask(asked);
	assert.deepEqual([queries.length, audits.length], [1, 1]);
	// Another with the same vector is another.
	await ask(question());
	assert.deepEqual([queries.length, audits.length], [2, 2]);
});

test("what nobody asks, and what asks for a record's own neighbours, is neither kept nor audited", async () => {
	const { ask, question, audits, queries } = await known([cellFor()]);
	await ask(question({}, { isTrial: true }));
	await ask(question({}, { isTrial: true, rung: null }));
	await ask(question({ id: "r7" }));
	assert.deepEqual([queries.length, audits.length], [0, 0]);
	// A width of the user's own, and an exact search, are none that a declared recall serves.
	const { statement } = await ask(question({ ef: 33 }));
	assert.equal(statement.state, "uncertified");
	await ask(question({ exact: true }));
	assert.deepEqual([queries.length, audits.length], [0, 0]);
	await ask(question());
	assert.equal(queries.length, 1);
});

test("between two bands of k both certificates are kept", async () => {
	const { ask, question, audits, queries } = await known([
		cellFor({ k: 10, rungs: beams(70) }),
		cellFor({ k: 100, rungs: beams(50) }),
	]);
	const { widths, statement } = await ask(question({ k: 20 }));
	assert.equal(widths.ef, 70);
	assert.deepEqual(statement.cell?.k, { from: 10, to: 100 });
	assert.deepEqual(queries[0]?.bands, [10, 100]);
	assert.deepEqual([audits[0]?.band, audits[0]?.k], [100, 20]);
});

test("the tuner searches with nothing that is not certified, also while it tries", async () => {
	const { ask, question, recall } = await known([cellFor({ rungs: beams(60, 50, 40, 30) })], true);
	const efs = new Set<number | undefined>();
	for (let i = 0; i < 60; i++) efs.add((await ask(question())).widths.ef);
	assert.deepEqual([...efs].sort(), [30, 40, 50]);
	recall.take(tableFor([cellFor({ rungs: beams(60), churn: N, vectors: N })]));
	for (let i = 0; i < 20; i++) assert.equal((await ask(question())).widths.ef, 60);
	assert.equal(UNFILTERED, -1);
});
