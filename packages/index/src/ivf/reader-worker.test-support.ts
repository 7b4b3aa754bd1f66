import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import type { EngineName, WasmMemory } from "@nigh/kernels";
import { openIvfReader } from "./reader.ts";
import type { IvfReaderSpec } from "./reader-spec.ts";

/** What a reading thread is given. */
export interface ReaderTask {
	readonly memory: WasmMemory;
	readonly engine: EngineName;
	readonly spec: IvfReaderSpec;
	/** All rows that will ever be inserted, row i under label i: small whole numbers, so that float32 sums are exact. */
	readonly rows: Float32Array;
	readonly queries: Float32Array;
	/** Rounds of this reader, labels that may be there by now, labels that are certainly there, whether to stop: see {@link STATE}. */
	readonly state: Int32Array;
	/** Which of the rounds in `state` is its own. */
	readonly number: number;
	readonly k: number;
	readonly nprobe: number;
	/** A bitmap of the even labels. */
	readonly even: { readonly address: number; readonly covered: number };
}

export const STATE = { begun: 0, done: 1, stop: 2, rounds: 3 } as const;

/** What a reader answers to the queries once everything is in. */
export interface ReaderReport {
	readonly labels: Uint32Array;
	readonly distances: Float64Array;
	/** Searches that were under way while vectors were inserted. */
	readonly beside: number;
}

const port = parentPort;
if (port !== null) port.postMessage(read(workerData as ReaderTask));

function read(task: ReaderTask): ReaderReport {
	const { rows, queries, state, number, k, nprobe, even } = task;
	const reader = openIvfReader(task.memory, task.engine, task.spec);
	const d = task.spec.dimensions;
	const n = queries.length / d;
	const begun = () => Atomics.load(state, STATE.begun);

	/** Every answer must be one that can be there, at the distance that it has, nearer ones first and none twice. */
	function check(query: Float32Array, found: number): void {
		const most = begun();
		const seen = new Set<number>();
		for (let i = 0; i < found; i++) {
			const label = reader.labelAt(i);
			assert.ok(label < most, `label ${label} of ${most}`);
			assert.ok(!seen.has(label), `label ${label} twice`);
			seen.add(label);
			assert.equal(reader.distanceAt(i), distance(query, rows.subarray(label * d, (label + 1) * d)));
			if (i > 0) assert.ok(reader.distanceAt(i - 1) <= reader.distanceAt(i));
		}
	}

	let beside = 0;
	for (let round = 0; Atomics.load(state, STATE.stop) === 0; round++) {
		const done = Atomics.load(state, STATE.done);
		const query = queries.subarray((round % n) * d, ((round % n) + 1) * d);
		const found = reader.search(query, k, { nprobe });
		check(query, found);
		// Cells beyond those are looked into where they have too few.
		assert.ok(found >= Math.min(k, done));
		if (begun() > done) beside++;
		if (round % 16 === number) {
			runOut(reader.scan(query, k));
			check(query, reader.count);
			assert.ok(reader.count >= Math.min(k, done));
			reader.rankAllowed(query, k, { eligibility: { allow: even } });
			check(query, reader.count);
			for (let i = 0; i < reader.count; i++) assert.equal(reader.labelAt(i) % 2, 0);
			assert.ok(reader.count >= Math.min(k, Math.floor(done / 2)));
			if (done > 0) {
				// What was in before is found at distance 0: in the one cell that is nearest, by scan and by label.
				const label = (round * 7919) % done;
				const row = rows.subarray(label * d, (label + 1) * d);
				// All that codes tell of the cell is compared: what is asked is whether it is there.
				const everything = task.spec.parameters.kind === "ivf" ? {} : { rerank: 16_000 };
				assert.equal(reader.search(row, 1, { nprobe: 1, ...everything }), 1);
				assert.equal(reader.distanceAt(0), 0);
				assert.equal(reader.rank(row, [label], 1), 1);
				assert.deepEqual([reader.labelAt(0), reader.distanceAt(0)], [label, 0]);
				runOut(reader.scan(row, 1));
				assert.equal(reader.distanceAt(0), 0);
				const labels = Uint32Array.from({ length: 50 }, (_, i) => (label + i) % done);
				check(query, reader.rank(query, new Set(labels), k));
				assert.equal(reader.count, Math.min(k, new Set(labels).size));
			}
		}
		Atomics.add(state, STATE.rounds + number, 1);
	}
	const labels = new Uint32Array(n * k);
	const distances = new Float64Array(n * k);
	for (let i = 0; i < n; i++) {
		assert.equal(reader.search(queries.subarray(i * d, (i + 1) * d), k, { nprobe }), k);
		for (let j = 0; j < k; j++) {
			labels[i * k + j] = reader.labelAt(j);
			distances[i * k + j] = reader.distanceAt(j);
		}
	}
	return { labels, distances, beside };
}

function runOut(scan: Generator<number, number>): void {
	for (let step = scan.next(); !step.done; ) step = scan.next();
}

function distance(a: Float32Array, b: Float32Array): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
	return Math.sqrt(sum);
}
