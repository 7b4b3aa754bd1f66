import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Collection, ShareHandle } from "@nigh/contract";
import { createRandom, type Random } from "@nigh/contract/suite";
import { openFolder } from "@nigh/embedded";
import { DIMENSIONS, idOf, vectorFor } from "./records.ts";
import { BesideSearcher, parityOf, RECORDS, REPLACED, type Versioned } from "./search-beside.ts";
import { WriteLog } from "./write-log.ts";

/** Callers that search at the same time, and threads that do. */
const CALLERS = 3;
const THREADS = 2;

export interface BesideOptions {
	readonly seconds: number;
	readonly seed: number;
}

export interface BesideResult {
	writes: number;
	/** Of the callers of the writing thread, and of each other thread. */
	searches: number;
	readonly threadSearches: number[];
	readonly failures: string[];
}

/** What a searching thread is given. */
export interface ThreadData {
	readonly handle: ShareHandle;
	readonly log: WriteLog;
	readonly seed: number;
	/** 1: end. */
	readonly isOver: Int32Array;
}

export interface ThreadResult {
	readonly searches: number;
	readonly failure: string | undefined;
}

/**
 * One writer replaces records, a batch at a time, while callers and threads search. Every answer is compared, record by record, with what
 * the writes up to its change number have made.
 */
export async function searchBesideWrites({ seconds, seed }: BesideOptions): Promise<BesideResult> {
	const folder = mkdtempSync(join(tmpdir(), "nigh-beside-"));
	const database = await openFolder(folder, { threads: 1 });
	const collection: Collection<Versioned> = await database.collection("replaced", {
		dimensions: DIMENSIONS,
		metric: "l2",
		index: { kind: "hnsw", M: 6, efConstruction: 40 },
	});
	const result: BesideResult = { writes: 0, searches: 0, threadSearches: [], failures: [] };
	const log = new WriteLog();
	await write(collection, log, 0, RECORDS);
	const handle = await database.share();
	const until = performance.now() + seconds * 1_000;
	const goesOn = () => performance.now() < until && result.failures.length === 0;
	const replace = async () => {
		const random = createRandom(seed);
		while (goesOn()) {
			await replaceSome(collection, log, random);
			result.writes++;
			// Other work of the thread gets its turn too.
			if (result.writes % 50 === 0) await (result.writes % 100 === 0 ? collection.rebuild() : collection.optimize());
		}
	};
	const search = async (caller: number) => {
		const searcher = new BesideSearcher(collection, log, createRandom(seed + 1 + caller));
		while (goesOn()) {
			const failure = await searcher.search();
			if (failure !== undefined) result.failures.push(`seed ${seed}, after ${result.writes} writes: ${failure}`);
			result.searches++;
			await new Promise((resolve) => setImmediate(resolve));
		}
	};
	const threads = Array.from({ length: THREADS }, (_, i) => startThread(handle, log, seed + 100 + i));
	const callers = [replace(), ...Array.from({ length: CALLERS }, (_, caller) => search(caller))];
	await Promise.all(callers).catch((error) => result.failures.push(`seed ${seed}: ${error?.stack ?? error}`));
	await Promise.allSettled(callers);
	for (const thread of threads) {
		const { searches, failure } = await thread.end();
		result.threadSearches.push(searches);
		if (failure !== undefined) result.failures.push(`seed ${seed}, in a thread: ${failure}`);
	}
	await database.close();
	rmSync(folder, { recursive: true });
	return result;
}

/** A thread that searches beside the others until it is told to end. */
function startThread(handle: ShareHandle, log: WriteLog, seed: number) {
	const isOver = new Int32Array(new SharedArrayBuffer(4));
	const workerData: ThreadData = { handle, log, seed, isOver };
	const worker = new Worker(new URL("./beside-thread.ts", import.meta.url), { workerData });
	const answer = once(worker, "message") as Promise<[ThreadResult]>;
	return {
		async end(): Promise<ThreadResult> {
			Atomics.store(isOver, 0, 1);
			const [result] = await answer;
			await worker.terminate();
			return result;
		},
	};
}

function replaceSome(collection: Collection<Versioned>, log: WriteLog, random: Random): Promise<void> {
	const first = random.below(REPLACED);
	return write(collection, log, first, Math.min(REPLACED, first + 1 + random.below(60)));
}

/** Writes the records from `first` up to `end` as one batch. */
async function write(collection: Collection<Versioned>, log: WriteLog, first: number, end: number): Promise<void> {
	const version = log.begin(first, end);
	const records = Array.from({ length: end - first }, (_, i) => {
		const index = first + i;
		const id = idOf(index);
		const parity = parityOf(index, version);
		return { id, vector: vectorFor(id, version), metadata: { id, version, parity }, text: parity };
	});
	const { changeNumber } = await collection.upsert(records);
	log.acknowledge(changeNumber);
}
