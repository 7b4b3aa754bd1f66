import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { randomNumbers } from "../vectors.test-support.ts";
import { create, range, rowOf } from "./graphs.test-support.ts";
import { type ReaderReport, type ReaderTask, STATE } from "./reader-worker.test-support.ts";

const N = 5_000;
const D = 24;
const READERS = 2;
const K = 10;
const EF = 60;

/** Clusters of whole numbers from -60 to 60. */
function wholeRows(n: number, seed: number): Float32Array {
	const random = randomNumbers(seed);
	return Float32Array.from({ length: n * D }, (_, i) => {
		const cluster = Math.floor(i / D) % 20;
		return ((cluster * (i % D) * 31) % 80) - 40 + Math.floor(41 * random()) - 20;
	});
}

for (const codes of ["sq7", "none"] as const) {
	test(`threads that search while vectors are inserted get sound answers, and in the end the owner's, codes ${codes}`, async () => {
		const rows = wholeRows(N, 1);
		const queries = wholeRows(50, 2);
		const { index } = create({ dimensions: D, metric: "l2", codes, shared: true });
		index.reserve(N);
		const state = new Int32Array(new SharedArrayBuffer(4 * (STATE.rounds + READERS)));
		const reports = Array.from({ length: READERS }, (_, number) => {
			const { memory, engine } = index.arena;
			const task: ReaderTask = { memory, engine, spec: index.readerSpec(), rows, queries, state, number, k: K, ef: EF };
			const worker = new Worker(new URL("./reader-worker.test-support.ts", import.meta.url), { workerData: task });
			return once(worker, "message").then(([report]) => report as ReaderReport);
		});
		// A reader that fails must end the test, not leave it waiting.
		let failed = false;
		const all = Promise.all(reports);
		all.catch(() => {
			failed = true;
		});
		const roundsOf = (number: number) => Atomics.load(state, STATE.rounds + number);
		/** Waits until every reader has gone some rounds further. */
		const goOn = async (rounds: number) => {
			const from = Array.from({ length: READERS }, (_, number) => roundsOf(number) + rounds);
			while (!failed && from.some((least, number) => roundsOf(number) < least)) await setImmediate();
		};
		await goOn(3);
		for (let from = 0; from < N && !failed; ) {
			const to = Math.min(N, from + 1 + ((from * 13) % 211));
			Atomics.store(state, STATE.begun, to);
			if (to - from === 1) index.insert(from, rowOf(rows, from, D));
			else await index.insertMany(rows.subarray(from * D, to * D), { labels: range(from, to) });
			Atomics.store(state, STATE.done, to);
			from = to;
			await goOn(2);
		}
		Atomics.store(state, STATE.stop, 1);
		const expected = index.searchMany(queries, K, { ef: EF }).flat();
		for (const { labels, distances, beside } of await all) {
			assert.deepEqual(
				[...labels],
				expected.map(({ label }) => label),
			);
			assert.deepEqual(
				[...distances],
				expected.map(({ distance }) => distance),
			);
			assert.ok(beside > 0, "some searches ran while vectors were inserted");
		}
		assert.equal(index.room, 0);
	});
}
