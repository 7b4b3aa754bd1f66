// The worker thread that owns the indexes: takes tails in, builds generations, writes and reads snapshots.
import { parentPort, workerData } from "node:worker_threads";
import { NighError } from "@nigh/contract";
import { type Parallel, serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { createPool, type ThreadPool } from "@nigh/threads";
import type { VectorFormat } from "../memory/generation.ts";
import { allocateArea } from "../memory/reader-area.ts";
import { vectorBytes } from "../memory/rows.ts";
import { removeOlder } from "../snapshot/folder.ts";
import { analyzeIndex, checkGraph, memoryOf, stateOf } from "./index-report.ts";
import { IndexedCollection, type IndexerSurroundings } from "./indexed-collection.ts";
import type {
	IndexerMethods,
	IndexerNotes,
	IndexForWriterMethods,
	WorkerData,
	WriterForIndexMethods,
} from "./messages.ts";
import { emptyGeneration, type Owned } from "./next-generation.ts";
import { LEAST_WAIT_MS } from "./parameters.ts";
import { Caller, Service } from "./rpc.ts";
import { discardSnapshots, keepNewest, oldestSnapshot, recoverSnapshot, saveSnapshot } from "./snapshots.ts";
import { turn } from "./turn.ts";

const data = workerData as WorkerData;
const port = parentPort;
if (port === null || data?.port === undefined) throw new Error("this module is a worker of @nigh/embedded");
const writer = new Caller<WriterForIndexMethods>(data.port);
const caller = new Service<IndexerNotes>(port);
const collections = new Map<number, IndexedCollection>();

let parallel: Parallel = serial;
/** Started beside everything else: what arrives at a port before its methods are served would be lost. */
const pool: Promise<ThreadPool | undefined> =
	data.threads > 1 ? createPool({ threads: data.threads }) : Promise.resolve(undefined);
pool.then(
	(threads) => {
		parallel = threads ?? serial;
	},
	// This thread does the work alone.
	() => {},
);

const around: IndexerSurroundings = {
	get parallel() {
		return parallel;
	},
	install: (installed, { oldSlots, fromSlot }) => writer.call("install", { installed, oldSlots, fromSlot }),
	freed: (key) => void writer.call("freed", key).catch(() => {}),
	folded: (key, vectors, durationMs, tail) => caller.tell("folded", { key, vectors, durationMs, tail }),
	keepsSnapshots: !data.readOnly,
	saveSnapshot: async (collection) => {
		if (data.readOnly) return;
		if (collection.owned.main === undefined) return discardSnapshots(data, collection);
		const { bytes, durationMs, change } = await saveSnapshot(data, collection);
		caller.tell("snapshotted", { key: collection.key, bytes, durationMs, change, vectors: collection.snapshotMain });
	},
	keepNewest: async (collection) => {
		if (!data.readOnly) await keepNewest(data, collection);
	},
};

/** Work that somebody waits for; it comes before what is done in the background. */
const jobs: (() => Promise<void>)[] = [];
let working = false;
/** Something has happened while it was working: there may be more to do than was seen. */
let isStale = false;
let timer: NodeJS.Timeout | undefined;

/** Does one thing after the other until there is nothing to do. */
async function work(): Promise<void> {
	isStale = true;
	if (working) return;
	working = true;
	clearTimeout(timer);
	try {
		for (let wait = 0; wait === 0 || isStale; ) {
			isStale = false;
			const job = jobs.shift();
			if (job !== undefined) {
				await job();
				wait = 0;
			} else wait = await workInBackground();
			await turn();
		}
	} finally {
		working = false;
	}
}

/** Does the next chore. Returns 0 to go on, or how long there is nothing to do. */
async function workInBackground(): Promise<number> {
	let wait = Number.POSITIVE_INFINITY;
	for (const collection of collections.values()) {
		const next = collection.chore(performance.now());
		if (next === undefined) continue;
		if ("wait" in next) {
			wait = Math.min(wait, next.wait);
			continue;
		}
		try {
			await collection.run(next.chore);
		} catch (error) {
			collection.fault(next.chore, error);
		}
		letOthersComeFirst(collection);
		return 0;
	}
	if (wait < Number.POSITIVE_INFINITY) timer = setTimeout(work, Math.max(LEAST_WAIT_MS, wait));
	return Number.POSITIVE_INFINITY;
}

/** One that always has something to do must not keep the others waiting for ever. */
function letOthersComeFirst(collection: IndexedCollection): void {
	const { key } = collection;
	if (collections.get(key) !== collection) return;
	collections.delete(key);
	collections.set(key, collection);
}

/** Runs a job in its turn. */
function inTurn<T>(job: () => Promise<T>): Promise<T> {
	return new Promise<T>((resolve, reject) => {
		jobs.push(() => job().then(resolve, reject));
		void work();
	});
}

function collectionOf(key: number): IndexedCollection {
	const collection = collections.get(key);
	if (collection !== undefined) return collection;
	throw new NighError("CLOSED", "the collection is closed or has been dropped: open it again");
}

type OpenRequest = Parameters<IndexForWriterMethods["open"]>[0];

function formatOf({ spec, dimensions }: OpenRequest): VectorFormat {
	const { metric, weights } = spec;
	return { metric, dimensions, weights: weights === null ? null : [...weights] };
}

/** One that keeps everything in its tail: the index is built aside when the records are in. */
function emptyFor(request: OpenRequest, number: number): Owned {
	const format = formatOf(request);
	return emptyGeneration(number, format, rowBytes(vectorBytes(format)), request.records, null);
}

function begin({ key, name, spec }: OpenRequest, owned: Owned): IndexedCollection {
	const collection = new IndexedCollection(key, name, spec, owned, around);
	collections.set(key, collection);
	return collection;
}

new Service(data.port).serve<IndexForWriterMethods>({
	open: (request) =>
		inTurn(async () => {
			const start = performance.now();
			const { key, name, spec, records, change } = request;
			const recovered = await recoverSnapshot(data, { key, name, change, records }, formatOf(request), spec);
			const { owned, problems, damaged } = recovered;
			const collection = begin(request, owned ?? emptyFor(request, 1));
			for (const problem of problems) collection.problems.set(problem.code, problem);
			collection.damaged = damaged;
			collection.oldestSnapshot = oldestSnapshot(data.snapshots, key);
			if (owned !== undefined) {
				collection.snapshotChange = recovered.change;
				collection.snapshotMain = owned.generation.mainEnd;
				collection.snapshotAt = performance.now();
			}
			caller.tell("recovered", {
				name,
				from: owned === undefined ? "records" : "snapshot",
				damaged: damaged.length,
				changes: change - recovered.change,
				vectors: owned?.generation.mainEnd ?? 0,
				durationMs: performance.now() - start,
			});
			return { ...collection.installed, change: recovered.change, fromLabel: recovered.fromLabel };
		}),
	reopen: (request) =>
		inTurn(async () => {
			const { key } = request;
			const number = collections.get(key)?.generation.handle.number ?? 0;
			const collection = begin(request, emptyFor(request, number + 1));
			discardSnapshots(data, collection);
			return { ...collection.installed, change: 0, fromLabel: 0 };
		}),
	close: (key) =>
		inTurn(async () => {
			const collection = collections.get(key);
			collections.delete(key);
			if (collection?.isWorthSaving !== true) return;
			// Without one, opening takes longer: no reason for closing to fail.
			await around.saveSnapshot(collection).catch(() => {});
		}),
	drop: (key) =>
		inTurn(async () => {
			collections.delete(key);
			removeOlder(data.snapshots, key, 0);
		}),
	respec: ({ key, spec }) => {
		const collection = collections.get(key);
		if (collection !== undefined) collection.spec = spec;
	},
	grow: (key) => {
		const collection = collections.get(key);
		if (collection !== undefined) collection.mustGrow = true;
		void work();
	},
	written: (key) => {
		const collection = collections.get(key);
		if (collection === undefined) return;
		collection.writtenAt = performance.now();
		void work();
	},
});

caller.serve<IndexerMethods>({
	optimize: ({ key, fresh, index }) =>
		inTurn(async () => {
			const collection = collectionOf(key);
			await collection.optimize({ fresh, index });
			return stateOf(collection);
		}),
	snapshot: ({ key, damaged }) =>
		inTurn(async () => {
			const collection = collectionOf(key);
			collection.damaged = [...new Set([...collection.damaged, ...damaged])];
			await collection.snapshotNow();
		}),
	analyze: (key) => inTurn(async () => analyzeIndex(collectionOf(key))),
	check: (key) => inTurn(async () => checkGraph(collectionOf(key))),
	memory: (key) => memoryOf(collectionOf(key)),
	state: (key) => stateOf(collectionOf(key)),
	area: async ({ key, reader, generation: least }) => {
		// While threads share out an insert, nothing may be taken of the memory. A generation is told of before it is known here.
		const mustWait = ({ owned, generation }: IndexedCollection) =>
			owned.main?.isInserting === true || generation.handle.number < least;
		while (mustWait(collectionOf(key))) await turn();
		const { owned, generation, installed } = collectionOf(key);
		return { installed, area: allocateArea(owned.arena, reader, generation.size, owned.main?.readerSpec() ?? null) };
	},
	close: () => inTurn(async () => (await pool.catch(() => undefined))?.close()),
});
