// The worker thread that owns the indexes: takes tails in, builds generations, writes and reads snapshots.
import { rmSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { type Parallel, serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { createPool, type ThreadPool } from "@nigh/threads";
import { recallPath } from "../examiner/file.ts";
import { EXAMINER } from "../examiner/messages.ts";
import { TOGETHER, TOGETHER_K } from "../examiner/parameters.ts";
import type { VectorFormat } from "../memory/generation.ts";
import { allocateArea, BITMAPS, type ReaderArea, ReaderAreas } from "../memory/reader-area.ts";
import { vectorBytes } from "../memory/rows.ts";
import { withinMemory } from "../memory/within-memory.ts";
import { chosenIndex } from "../records/catalogue.ts";
import { removeUnused } from "../row-files/folder.ts";
import { removeOlder } from "../snapshot/folder.ts";
import type { PaceOptions } from "../snapshot/pace.ts";
import { failureCode } from "../watch/events.ts";
import { giveWay } from "./background.ts";
import { ROWS_DAMAGED } from "./chores.ts";
import { closedCollection } from "./closed-collection.ts";
import { isWorthSaving } from "./due.ts";
import { analyzeIndex, checkGraph, memoryOf, stateOf } from "./index-report.ts";
import { IndexedCollection, type IndexerSurroundings } from "./indexed-collection.ts";
import type { RowPlace } from "./kept-rows.ts";
import { mainSpec } from "./main-index.ts";
import { mostFirstRows } from "./memory-plan.ts";
import type {
	IndexerMethods,
	IndexerNotes,
	IndexForWriterMethods,
	IndexOpened,
	WorkerData,
	WriterForIndexMethods,
} from "./messages.ts";
import { emptyGeneration, type Owned } from "./next-generation.ts";
import { LEAST_WAIT_MS } from "./parameters.ts";
import { Caller, failureOf, Service } from "./rpc.ts";
import {
	discardSnapshots,
	keepNewest,
	oldestSnapshot,
	recoverSnapshot,
	removeUnusedRows,
	saveSnapshot,
} from "./snapshots.ts";
import { Task } from "./task.ts";
import { turn } from "./turn.ts";

const data = workerData as WorkerData;
const port = parentPort;
if (port === null || data?.port === undefined) throw new Error("this module is a worker of @nigh/embedded");
giveWay();
const writer = new Caller<WriterForIndexMethods>(data.port);
const caller = new Service<IndexerNotes>(port);
const collections = new Map<number, IndexedCollection>();
const areas = new ReaderAreas();

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
	placeOf,
	install: (installed, { oldSlots, fromSlot }) => writer.call("install", { installed, oldSlots, fromSlot }),
	freed: (key) => void writer.call("freed", key).catch(() => {}),
	stalled: (key, error) => void writer.call("stalled", { key, reason: failureOf(error) }).catch(() => {}),
	outgrown: (key) => void writer.call("outgrown", key).catch(() => {}),
	reindex: (key) => writer.call("reindex", key),
	folded: (key, vectors, durationMs, tail) => caller.tell("folded", { key, vectors, durationMs, tail }),
	foldFailed: (key, durationMs, error) =>
		caller.tell("failed", { key, event: "nigh:fold", durationMs, error: failureCode(error) }),
	examine: (collection, index, slots, task) => examined(collection, index, slots, task),
	unexamined: (collection, generation, error) => {
		if (!collection.noteUnexamined(generation, error)) return;
		const { key } = collection;
		caller.tell("failed", { key, event: "nigh:certify", durationMs: 0, error: failureCode(error) });
	},
	isAwaited: (key) => jobs.some(({ optimized }) => optimized !== key),
	keepsSnapshots: !data.readOnly,
	saveSnapshot: async (collection, task) => {
		if (data.readOnly) return;
		if (collection.owned.main === undefined) return discardSnapshots(data, collection);
		const { key } = collection;
		const start = performance.now();
		try {
			const { bytes, durationMs, change } = await saveSnapshot(data, collection, task && paceOf(task));
			caller.tell("snapshotted", { key, bytes, durationMs, change, vectors: collection.snapshotMain });
		} catch (error) {
			const durationMs = performance.now() - start;
			caller.tell("failed", { key, event: "nigh:snapshot", durationMs, error: failureCode(error) });
			throw error;
		}
	},
	keepNewest: async (collection) => {
		if (!data.readOnly) await keepNewest(data, collection);
	},
};

/** Examinations under way, by their tickets: what resolves them. */
const examinations = new Map<number, () => void>();
let lastTicket = 0;

/** Has the thread that calls see to it that the examiner asks an index. */
function examined(
	collection: Pick<IndexedCollection, "key" | "name" | "spec" | "noteExaminable">,
	owned: Owned,
	slots: Uint32Array,
	task: Task,
): Promise<void> {
	const area = areaOf(owned, EXAMINER);
	collection.noteExaminable();
	const { key, name } = collection;
	const { recall, logQueries } = collection.spec;
	const generation = owned.generation.handle;
	const spec = { recall, logQueries };
	const ticket = ++lastTicket;
	const { promise, resolve } = Promise.withResolvers<void>();
	examinations.set(ticket, resolve);
	caller.tell("heldOut", { ticket, request: { key, name, spec, generation, area, slots, task: task.words } });
	return promise;
}

/** The examiner alone answers many queries at once, and has the matches of one filter at a time. */
const FOR_EXAMINER = { many: { queries: TOGETHER, k: TOGETHER_K }, bitmaps: 1 } as const;

/** What a reading thread has in a generation. */
function areaOf({ arena, main, generation }: Owned, reader: number): ReaderArea {
	const { handle, live } = generation;
	const { many, bitmaps } = reader === EXAMINER ? FOR_EXAMINER : { many: undefined, bitmaps: BITMAPS };
	const spec = () => mainSpec(main, many === undefined ? {} : { many });
	const allocate = () => withinMemory(live, () => allocateArea(arena, reader, handle, spec(), bitmaps));
	// What is searched for comes to it several times a second.
	return reader === EXAMINER ? areas.ofOnce(generation, reader, allocate) : areas.of(generation, reader, allocate);
}

function placeOf(key: number): RowPlace {
	const { snapshots: folder, records, databaseId, readOnly } = data;
	return { folder, key, databaseId, records, readOnly };
}

function paceOf(task: Task): PaceOptions {
	const yieldNow = async () => {
		await turn();
		task.check();
	};
	return { yieldNow, onProgress: (done, total) => task.advance(done, total) };
}

interface Job {
	run(): Promise<void>;
	/** What may end it early. */
	readonly task?: Task;
	/** The collection whose index it waits for to be as good as it can be. */
	readonly optimized?: number;
}

/** Work that somebody waits for; it comes before what is done in the background. */
const jobs: Job[] = [];
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
				await job.run();
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
function inTurn<T>(job: () => Promise<T>, about: Omit<Job, "run"> = {}): Promise<T> {
	return new Promise<T>((resolve, reject) => {
		jobs.push({ run: () => job().then(resolve, reject), ...about });
		void work();
	});
}

/** Those that are not wanted any more do not wait for their turn to be told so, which is the first thing they are. */
function abandon(): void {
	for (const job of jobs.splice(0)) {
		if (job.task?.isAborted === true) void job.run();
		else jobs.push(job);
	}
}

function collectionOf(key: number): IndexedCollection {
	const collection = collections.get(key);
	if (collection !== undefined) return collection;
	throw closedCollection();
}

type OpenRequest = Parameters<IndexForWriterMethods["open"]>[0];

function formatOf({ spec, dimensions }: OpenRequest): VectorFormat {
	const { metric, weights } = spec;
	return { metric, dimensions, weights: weights === null ? null : [...weights] };
}

/** One that keeps what comes in its tail: the index is built aside when the records are in, or enough of them. */
function emptyFor(request: OpenRequest, number: number): Owned {
	const { spec, records } = request;
	const format = formatOf(request);
	const most = mostFirstRows({ choice: chosenIndex(spec), spec, format }, records);
	return emptyGeneration(number, format, rowBytes(vectorBytes(format)), records, null, most);
}

/** The number of the generation that comes next: readers tell by it that another has taken over. */
function nextNumber(key: number): number {
	return (collections.get(key)?.generation.handle.number ?? 0) + 1;
}

/** What there was before gives its files back; who reads in it has them open. */
function begin({ key, name, spec, records }: OpenRequest, owned: Owned): IndexedCollection {
	letGo(key);
	const collection = new IndexedCollection(key, name, spec, owned, around);
	collection.expected = records;
	collections.set(key, collection);
	return collection;
}

function letGo(key: number): void {
	collections.get(key)?.owned.rows?.close();
	collections.delete(key);
}

/** Begins with the newest snapshot that is sound, else empty. */
async function open(request: OpenRequest): Promise<IndexOpened> {
	const start = performance.now();
	const { key, name, spec, change } = request;
	try {
		const number = nextNumber(key);
		const recovered = await recoverSnapshot(data, request, formatOf(request), spec, number);
		const { owned, problems, damaged } = recovered;
		const collection = begin(request, owned ?? emptyFor(request, number));
		for (const problem of problems) collection.problems.set(problem.code, problem);
		collection.damaged = damaged;
		collection.oldestSnapshot = oldestSnapshot(data.snapshots, key);
		if (owned !== undefined) {
			collection.snapshotChange = recovered.change;
			collection.built = recovered.built;
			collection.plannedMB = recovered.plannedMB;
			collection.snapshotMain = owned.generation.mainEnd;
		}
		// What a session before appended and did not come to save.
		if (!data.readOnly) removeUnusedRows(data, collection);
		caller.tell("recovered", {
			name,
			from: owned === undefined ? "records" : "snapshot",
			damaged: damaged.length,
			changes: change - recovered.change,
			vectors: owned?.generation.mainEnd ?? 0,
			durationMs: performance.now() - start,
		});
		const { fromLabel, savedAt } = recovered;
		return { ...collection.installed, change: recovered.change, fromLabel, savedAt };
	} catch (error) {
		caller.tell("unrecovered", { name, durationMs: performance.now() - start, error: failureCode(error) });
		throw error;
	}
}

new Service(data.port).serve<IndexForWriterMethods>({
	open: (request) => inTurn(() => open(request)),
	reopen: (request) =>
		inTurn(async () => {
			const { key, records } = request;
			const damaged = collections.get(key)?.problems.get(ROWS_DAMAGED);
			const collection = begin(request, emptyFor(request, nextNumber(key)));
			// Until the index is there again.
			if (damaged !== undefined && collection.wanted(records) !== null) collection.problems.set(ROWS_DAMAGED, damaged);
			// Those of another process are its own affair.
			if (!data.readOnly) discardSnapshots(data, collection);
			return { ...collection.installed, change: 0, fromLabel: 0 };
		}),
	close: (key) =>
		inTurn(async () => {
			const collection = collections.get(key);
			collections.delete(key);
			// Without one, opening takes longer: no reason for closing to fail.
			if (collection !== undefined && isWorthSaving(collection)) await around.saveSnapshot(collection).catch(() => {});
			collection?.owned.rows?.close();
		}),
	abandon: (key) => inTurn(async () => letGo(key)),
	drop: (key) =>
		inTurn(async () => {
			letGo(key);
			removeOlder(data.snapshots, key, 0);
			removeUnused(data.snapshots, key, new Set());
			// Also where no examiner runs that would.
			rmSync(recallPath(data.snapshots, key), { force: true });
		}),
	respec: ({ key, spec }) => {
		collections.get(key)?.respec(spec);
		// It may ask for another index.
		void work();
	},
	grow: ({ key, room }) => inTurn(async () => collections.get(key)?.makeRoom(room)),
	written: (key) => {
		const collection = collections.get(key);
		if (collection === undefined) return;
		collection.writtenAt = performance.now();
		collection.expected = 0;
		void work();
	},
	awaited: () => void work(),
});

caller.serve<IndexerMethods>({
	async optimize({ key, fresh, index, task: words }) {
		const task = new Task(words);
		// One that is to be built anew all the same is half of the work.
		collections.get(key)?.follow(task, fresh ? 0.5 : 0.9);
		// What is built anew all the same need not be asked about before.
		const about = fresh || index !== undefined ? { task } : { task, optimized: key };
		const renew = () =>
			inTurn(async () => {
				const collection = collectionOf(key);
				await collection.optimize({ fresh, index, task });
				return stateOf(collection);
			}, about);
		try {
			return await renew();
		} catch (error) {
			if (collections.get(key)?.hasLost(error) !== true) throw error;
		}
		// Between two turns: the writer asks for one.
		await writer.call("reindex", key);
		return renew();
	},
	abandon,
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
		const collection = collectionOf(key);
		const { owned, installed } = collection;
		if (reader !== EXAMINER) return { installed, area: areaOf(owned, reader) };
		try {
			const area = areaOf(owned, reader);
			collection.noteExaminable();
			return { installed, area };
		} catch (error) {
			around.unexamined(collection, owned.generation, error);
			throw error;
		}
	},
	examined(ticket) {
		examinations.get(ticket)?.();
		examinations.delete(ticket);
	},
	certified: ({ key, identity, churn }) => collections.get(key)?.noteExamined(identity, churn),
	close: () => inTurn(async () => (await pool.catch(() => undefined))?.close()),
});
