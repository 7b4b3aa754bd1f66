import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AbortFlag, LabelSet } from "@nigh/kernels";
import { type Parallel, serial } from "../parallel.ts";
import { refusal, rejection } from "../refusal.test-support.ts";
import type { ParallelSearchOptions } from "../vector-index.ts";
import { bitRows, build, mixture, rowOf, takingTurns } from "./graphs.test-support.ts";

const N = 2_000;
const D = 32;
const { rows: ROWS } = mixture(N, D, 7);
/** More than are handed out at a time. */
const { rows: QUERIES } = mixture(1_100, D, 8);

/** One lane that waits in its first call until it may go on. */
function waiting(): { parallel: Parallel; started: Promise<void>; goOn: () => void } {
	const gate = Promise.withResolvers<void>();
	const begun = Promise.withResolvers<void>();
	const parallel: Parallel = {
		lanes: 1,
		async run(arena, kernel, args) {
			begun.resolve();
			await gate.promise;
			await serial.run(arena, kernel, args);
		},
	};
	return { parallel, started: begun.promise, goOn: () => gate.resolve() };
}

describe("searchParallel answers what searchMany does, in the order of the queries", () => {
	for (const codes of ["sq7", "none"] as const) {
		for (const metric of ["l2", "cosine", "ip"] as const) {
			test(`under ${metric}, codes ${codes}, on one lane and on three that take turns`, async () => {
				const { index } = await build(ROWS, { dimensions: D, metric, codes, shared: true });
				for (const [k, ef] of [
					[10, 40],
					[1, 1],
					[50, 60],
				] as const) {
					const expected = index.searchMany(QUERIES, k, { ef });
					assert.deepEqual(await index.searchParallel(QUERIES, k, { ef }), expected);
					assert.deepEqual(await index.searchParallel(QUERIES, k, { ef, parallel: takingTurns(3) }), expected);
				}
			});
		}
	}

	test("under hamming", async () => {
		const { index } = await build(bitRows(500, 64, 1), { dimensions: 64, metric: "hamming", shared: true });
		const queries = bitRows(60, 64, 2);
		const answers = await index.searchParallel(queries, 10, { parallel: takingTurns(2) });
		assert.deepEqual(answers, index.searchMany(queries, 10));
	});

	test("where only some labels may be answered, few or many, and where the search is exact", async () => {
		const { index } = await build(ROWS, { dimensions: D, metric: "l2", shared: true });
		const queries = QUERIES.subarray(0, 30 * D);
		const allow = (below: number) =>
			new LabelSet(
				index.arena,
				Array.from({ length: below }, (_, label) => label),
			);
		const cases: ParallelSearchOptions[] = [{ allow: allow(5) }, { allow: allow(700) }, { exact: true }];
		for (const options of cases) {
			const answers = await index.searchParallel(queries, 10, { ...options, parallel: takingTurns(2) });
			assert.deepEqual(answers, index.searchMany(queries, 10, options));
			assert.ok(answers.every((hits) => hits.length === (options === cases[0] ? 5 : 10)));
		}
	});

	test("where a walk finds fewer than there are: what nothing leads to is answered all the same", async () => {
		const { index, graph } = await build(ROWS.subarray(0, 200 * D), { dimensions: D, metric: "l2", shared: true });
		for (const node of graph.nodes()) {
			for (let layer = graph.levelOf(node); layer >= 0; layer--) graph.setLinks(node, layer, []);
		}
		const answers = await index.searchParallel(QUERIES.subarray(0, 5 * D), 10, { parallel: takingTurns(2) });
		assert.deepEqual(answers, index.searchMany(QUERIES.subarray(0, 5 * D), 10, { exact: true }));
	});

	test("of no queries, and of an empty index", async () => {
		const { index } = await build(ROWS.subarray(0, D), { dimensions: D, metric: "l2" });
		assert.deepEqual(await index.searchParallel(new Float32Array(0), 3), []);
		index.remove([0]);
		assert.deepEqual(await index.searchParallel(QUERIES.subarray(0, 2 * D), 3), [[], []]);
	});
});

describe("while searchParallel runs", () => {
	test("other searches answer, writes are refused with LOCKED, and afterwards they are not", async () => {
		const { index } = await build(ROWS, { dimensions: D, metric: "l2" });
		const row = rowOf(QUERIES, 0, D);
		const expected = index.searchMany(QUERIES, 5);
		const { parallel, started, goOn } = waiting();
		const searching = index.searchParallel(QUERIES, 5, { parallel });
		await started;
		for (const write of [() => index.insert(7, row), () => index.remove([1]), () => index.optimize()]) {
			assert.match(refusal("LOCKED", write).message, /searchParallel is still running/);
		}
		await rejection("LOCKED", index.insertMany(row));
		assert.deepEqual(index.search(row, 5), expected[0]);
		assert.deepEqual(await index.searchParallel(row, 5), [expected[0]]);
		goOn();
		assert.deepEqual(await searching, expected);
		index.insert(7, row);
		assert.equal(index.search(row, 1)[0]?.label, 7);
	});

	test("a set of labels may change or go: what counts is how it was at the call, and all memory is given back", async () => {
		const { index } = await build(ROWS, { dimensions: D, metric: "l2" });
		index.search(rowOf(QUERIES, 0, D), 5);
		const before = index.arena.usedBytes;
		const half = Array.from({ length: N / 2 }, (_, label) => label);
		const allow = new LabelSet(index.arena, half);
		const expected = index.searchMany(QUERIES, 5, { allow });
		const filtered = index.arena.usedBytes;
		const { parallel, started, goOn } = waiting();
		const searching = index.searchParallel(QUERIES, 5, { parallel, allow });
		await started;
		for (const label of half) allow.delete(label);
		allow.add(1_000_000).dispose();
		// Over what the set has left, and over where it would have been moved to.
		const taken = index.arena.alloc(200_000);
		index.arena.u8(taken, 200_000).fill(255);
		goOn();
		assert.deepEqual(await searching, expected);
		index.arena.free(taken);
		assert.ok(index.arena.usedBytes <= filtered && before <= filtered);
	});

	test("disposing lets it answer, and gives the memory back when it has", async () => {
		const { index } = await build(ROWS, { dimensions: D, metric: "l2" });
		const expected = index.searchMany(QUERIES.subarray(0, 9 * D), 5);
		const { parallel, started, goOn } = waiting();
		const searching = index.searchParallel(QUERIES.subarray(0, 9 * D), 5, { parallel });
		await started;
		index.dispose();
		assert.ok(index.arena.usedBytes > 0);
		await rejection("CLOSED", index.searchParallel(QUERIES, 5));
		goOn();
		assert.deepEqual(await searching, expected);
		assert.equal(index.arena.usedBytes, 0);
	});

	test("a raised abort flag ends it with ABORTED, and a failing lane with its failure; memory is given back", async () => {
		const { index } = await build(ROWS, { dimensions: D, metric: "l2" });
		index.search(rowOf(QUERIES, 0, D), 5);
		const before = index.arena.usedBytes;
		const abort = new AbortFlag(index.arena);
		const withFlag = index.arena.usedBytes;
		const { parallel, started, goOn } = waiting();
		const searching = index.searchParallel(QUERIES, 5, { parallel, abort });
		await started;
		abort.raise();
		goOn();
		await rejection("ABORTED", searching);
		assert.equal(index.arena.usedBytes, withFlag);
		abort.dispose();
		const broken: Parallel = { lanes: 1, run: () => Promise.reject(new Error("no thread")) };
		await assert.rejects(index.searchParallel(QUERIES, 5, { parallel: broken }), /no thread/);
		assert.equal(index.arena.usedBytes, before);
		index.insert(7, rowOf(QUERIES, 0, D));
	});
});

test("it is refused what searchMany is, several lanes over unshared memory, and beside a running insertMany", async () => {
	const { index } = await build(ROWS.subarray(0, 100 * D), { dimensions: D, metric: "l2" });
	await rejection("INVALID_OPTION", index.searchParallel(QUERIES, 0));
	await rejection("INVALID_OPTION", index.searchParallel(QUERIES, 5, { ef: 4 }));
	await rejection("INVALID_OPTION", index.searchParallel(QUERIES, 5, { lanes: 2 } as ParallelSearchOptions));
	await rejection("DIMENSION_MISMATCH", index.searchParallel(QUERIES.subarray(0, D + 1), 5));
	await rejection("INVALID_OPTION", index.searchParallel(QUERIES, 5, { parallel: takingTurns(2) }));
	const { parallel, started, goOn } = waiting();
	const inserting = index.insertMany(QUERIES, { parallel });
	await started;
	await rejection("LOCKED", index.searchParallel(QUERIES, 5));
	goOn();
	await inserting;
});
