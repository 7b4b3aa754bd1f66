import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { LabelSet } from "@nigh/kernels";
import { range, rowOf } from "../hnsw/graphs.test-support.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import type { IvfOptions } from "./create-file.ts";
import { createIvf } from "./ivf.ts";
import { type ReaderReport, type ReaderTask, STATE } from "./reader-worker.test-support.ts";

const N = 4_000;
const D = 32;
const READERS = 2;
const K = 10;
const NPROBE = 4;

/** Clusters of whole numbers from -60 to 60. */
function wholeRows(n: number, seed: number): Float32Array {
	const random = randomNumbers(seed);
	return Float32Array.from({ length: n * D }, (_, i) => {
		const cluster = Math.floor(i / D) % 20;
		return ((cluster * (i % D) * 31) % 80) - 40 + Math.floor(41 * random()) - 20;
	});
}

const KINDS: readonly Pick<IvfOptions, "kind" | "codes" | "bits">[] = [
	{ kind: "ivf", codes: "sq7" },
	{ kind: "ivf", codes: "none" },
	{ kind: "ivfpq", bits: 4 },
	{ kind: "ivfpq", bits: 6 },
	{ kind: "ivfrabitq", bits: 1 },
];

for (const options of KINDS) {
	test(`threads that search while vectors are inserted get sound answers, and in the end the owner's, ${JSON.stringify(options)}`, async () => {
		const rows = wholeRows(N, 1);
		const queries = wholeRows(50, 2);
		const index = createIvf({ ...options, dimensions: D, metric: "l2", nlist: 30, shared: true });
		await index.train(rows);
		index.reserve(N);
		const even = new LabelSet(
			index.arena,
			range(0, N).filter((label) => label % 2 === 0),
		);
		const state = new Int32Array(new SharedArrayBuffer(4 * (STATE.rounds + READERS)));
		const reports = Array.from({ length: READERS }, (_, number) => {
			const { memory, engine } = index.arena;
			const bitmap = { address: even.address, covered: even.covered };
			const asked = { k: K, nprobe: NPROBE, even: bitmap };
			const task: ReaderTask = { memory, engine, spec: index.readerSpec(), rows, queries, state, number, ...asked };
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
		const expected = index.searchMany(queries, K, { nprobe: NPROBE }).flat();
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
