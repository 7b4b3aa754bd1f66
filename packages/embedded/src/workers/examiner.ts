// The worker thread that finds out how good answers are: it compares searches with exact ones, and tells what may serve.
import { randomInt } from "node:crypto";
import { rmSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { randomFrom } from "@nigh/recall";
import { auditSearch } from "../examiner/audit.ts";
import { certifiedAmong, ExaminedCollection } from "../examiner/examined-collection.ts";
import { recallPath } from "../examiner/file.ts";
import { askByHeldOut } from "../examiner/held-out.ts";
import { matchesFrom } from "../examiner/matches.ts";
import type { Attachment, ExaminedSpec, ExaminerMethods, ExaminerNotes, HeldOutRequest } from "../examiner/messages.ts";
import { certifyOnDemand } from "../examiner/on-demand.ts";
import { HELD_OUT_MS, SAVE_AFTER_MS, SAVE_AUDITS_AFTER_MS } from "../examiner/parameters.ts";
import { restore, save } from "../examiner/saved.ts";
import type { Stratum } from "../examiner/stratum.ts";
import { Interrupted } from "../examiner/subject.ts";
import { vectorOf } from "../memory/rows.ts";
import { Searcher } from "../memory/searcher.ts";
import type { Audit } from "../recall/queries.ts";
import { openReader } from "../records/connection.ts";
import { RecordReader } from "../records/reader.ts";
import { failureCode } from "../watch/events.ts";
import { giveWay } from "./background.ts";
import { closedCollection } from "./closed-collection.ts";
import { collectGarbageSoon } from "./collect-garbage.ts";
import { HeldState } from "./held-state.ts";
import type { WorkerData } from "./messages.ts";
import { Service } from "./rpc.ts";
import { Task } from "./task.ts";
import { turn } from "./turn.ts";

const port = parentPort;
if (port === null) throw new Error("this module is a worker of @nigh/embedded");
giveWay();
const data = workerData as WorkerData;
const records = new RecordReader(openReader(data.records));
const caller = new Service<ExaminerNotes>(port);
const collections = new Map<number, ExaminedCollection>();
const random = randomFrom(randomInt(2 ** 32));

/** How far the clock of the thread that calls is ahead of this one's. */
let clockAhead = 0;
const now = () => Date.now() + clockAhead;
const around = { random, now, matchesOf: matchesFrom(records, new HeldState(data.records), now) };

/** Work that comes before what is done by itself: what somebody waits for, and audits, which are of a state that passes. */
const jobs: (() => Promise<void>)[] = [];
/** What another thread waits for, which has stopped its own work meanwhile. */
const urgent: (() => Promise<void>)[] = [];
const audits: { readonly key: number; readonly audit: Audit }[] = [];
/** The collection that is certified now. */
let busyKey: number | undefined;
/** Audits that wait at most: more would be of states that have passed. */
const MOST_AUDITS = 256;
let working = false;

/** Does one thing after the other until there is nothing to do: a searcher does one at a time. */
async function work(): Promise<void> {
	if (working) return;
	working = true;
	try {
		for (;;) {
			await turn();
			for (const collection of collections.values()) {
				if (!collection.settle()) continue;
				tell(collection);
				saveSoon(collection);
			}
			await doUrgent();
			const job = jobs.shift();
			if (job !== undefined) await job();
			else if (!(await certifyNext())) break;
		}
	} finally {
		working = false;
	}
	// What came in between its last look and now.
	if (jobs.length + urgent.length + audits.length > 0) void work();
}

function inTurn<T>(job: () => Promise<T>, queue = jobs): Promise<T> {
	return new Promise<T>((resolve, reject) => {
		queue.push(() => job().then(resolve, reject));
		void work();
	});
}

/** Certifies what is due by itself. Returns whether there was anything. */
async function certifyNext(): Promise<boolean> {
	for (const collection of collections.values()) {
		const stratum = collection.due;
		if (stratum === undefined) continue;
		await certify(collection, stratum);
		return true;
	}
	return false;
}

/** Whether somebody waits for this thread. */
function isWanted(): boolean {
	return jobs.length + urgent.length > 0;
}

async function certify(collection: ExaminedCollection, stratum: Stratum): Promise<void> {
	busyKey = collection.key;
	const start = performance.now();
	let queries = 0;
	const check = () => {
		if (collection.isOutdated || collection.isClosing || isWanted())
			throw new Interrupted("something else comes first");
	};
	try {
		await collection.certify(stratum, {
			maxQueries: Number.POSITIVE_INFINITY,
			check,
			onQuery: (done) => {
				queries = done;
			},
			between: doUrgent,
		});
	} catch (error) {
		if (!(error instanceof Interrupted)) {
			failed(collection, "nigh:certify", start, error);
			// It is tried again when more has come.
			collection.purge(stratum);
		} else if (!collection.isOutdated && !isWanted()) stratum.isPostponed = true;
	}
	busyKey = undefined;
	told(collection, start, queries);
}

/** Lets go of a collection: at once, unless it is just what is being asked, which ends first. */
function letGo(key: number, release: (collection: ExaminedCollection | undefined) => void): Promise<void> {
	const collection = collections.get(key);
	if (collection !== undefined) collection.isClosing = true;
	return inTurn(
		async () => {
			release(collections.get(key));
			collections.delete(key);
		},
		key === busyKey ? jobs : urgent,
	);
}

function told(collection: ExaminedCollection, start: number, queries: number): void {
	const { key } = collection;
	const { cells } = tell(collection);
	const durationMs = performance.now() - start;
	caller.tell("certified", { key, durationMs, cells: cells.length, certified: certifiedAmong(cells), queries });
	saveSoon(collection);
}

function tell(collection: ExaminedCollection) {
	const { table } = collection;
	caller.tell("served", table);
	return table;
}

function failed(
	{ key }: ExaminedCollection,
	event: "nigh:certify" | "nigh:audit",
	start: number,
	error: unknown,
): void {
	caller.tell("failed", { key, event, durationMs: performance.now() - start, error: failureCode(error) });
}

/** Does what does not wait for a certification to end. */
async function doUrgent(): Promise<void> {
	for (let next = urgent.shift(); next !== undefined; next = urgent.shift()) await next();
	await doAudits();
}

/** Does the audits that wait. What cannot be done is told: it is lost to the watch. */
async function doAudits(): Promise<void> {
	for (let next = audits.shift(); next !== undefined; next = audits.shift()) {
		const { key, audit } = next;
		const collection = collections.get(key);
		if (collection === undefined) continue;
		const start = performance.now();
		try {
			const found = await auditSearch(collection, audit, () => {});
			const durationMs = performance.now() - start;
			if (found === undefined) {
				caller.tell("failed", { key, event: "nigh:audit", durationMs, error: "UNAVAILABLE" });
				continue;
			}
			noteTime(collection, durationMs);
			caller.tell("audited", { key, durationMs, recall: found.recall, target: audit.target, alarmed: found.alarmed });
			if (found.alarmed) {
				tell(collection);
				// A certificate that is void must not be there again after a crash.
				saveNow(collection);
			} else saveSoon(collection, SAVE_AUDITS_AFTER_MS);
		} catch (error) {
			failed(collection, "nigh:audit", start, error);
		}
	}
}

/** Whoever draws audits is told what they take, once that is another than was known. */
function noteTime(collection: ExaminedCollection, ms: number): void {
	const before = collection.auditMs;
	collection.auditMs = before === 0 ? ms : before + (ms - before) / 8;
	if (collection.auditMs > 1.5 * collection.toldMs || collection.auditMs < collection.toldMs / 1.5) {
		collection.toldMs = collection.auditMs;
		tell(collection);
	}
}

const saving = new Map<number, { readonly timer: NodeJS.Timeout; readonly at: number }>();

function saveSoon(collection: ExaminedCollection, afterMs = SAVE_AFTER_MS): void {
	const { key } = collection;
	const at = performance.now() + afterMs;
	const known = saving.get(key);
	if (data.readOnly || (known !== undefined && known.at <= at)) return;
	clearTimeout(known?.timer);
	saving.set(key, { timer: setTimeout(() => saveNow(collection), afterMs), at });
}

/** What cannot be written is found out again the next time. */
function saveNow(collection: ExaminedCollection): void {
	clearTimeout(saving.get(collection.key)?.timer);
	saving.delete(collection.key);
	if (data.readOnly || !collection.isChanged) return;
	try {
		save(recallPath(data.snapshots, collection.key), data.databaseId, collection);
		collection.isChanged = false;
	} catch (error) {
		failed(collection, "nigh:certify", performance.now(), error);
	}
}

function collectionOf(key: number): ExaminedCollection {
	const collection = collections.get(key);
	if (collection !== undefined) return collection;
	throw closedCollection();
}

/** The collection of a generation, which may be the first that is known of it. */
function begin({ key, name, spec, generation, area }: Attachment | HeldOutRequest): ExaminedCollection {
	const collection = new ExaminedCollection(key, name, spec, new Searcher(generation, area), around);
	collections.set(key, collection);
	restore(recallPath(data.snapshots, key), data.databaseId, collection);
	if (collection.isChanged) saveSoon(collection);
	return collection;
}

/** Asks an index by vectors that wait outside of it. It may not serve yet, and the thread that builds it waits. */
async function examineHeldOut(request: HeldOutRequest): Promise<void> {
	const { key, generation, area, slots } = request;
	const task = new Task(request.task);
	// Who has given it up meanwhile has not waited, and what was to ask may have been taken in.
	if (!task.takeUp()) return;
	const known = collections.get(key);
	const collection = known ?? begin(request);
	const index = known === undefined ? collection.searcher : new Searcher(generation, area);
	const end = performance.now() + HELD_OUT_MS;
	const start = performance.now();
	const check = () => {
		if (task.isAborted || performance.now() >= end) throw new Interrupted("the index is wanted");
	};
	// Those of an index that is built are among its slots already; those of one that serves are in its tail.
	const waiting = slots.filter((slot) => slot < index.generation.mainEnd).length;
	try {
		await askByHeldOut(collection, index, vectorsAt(key, index, slots), check, waiting);
	} catch (error) {
		if (!(error instanceof Interrupted)) failed(collection, "nigh:certify", start, error);
	} finally {
		if (known !== undefined) index.close();
	}
	told(collection, start, slots.length);
}

/** What the user wrote, of records that are there still. */
function vectorsAt(key: number, { generation }: Searcher, slots: Uint32Array): (Float32Array | Uint8Array)[] {
	const labels = Array.from(slots, (slot) => generation.labels[slot] as number);
	const found = records.byLabels(key, labels, { metadata: false, vector: true });
	return found.flatMap((record) =>
		record?.vector === undefined ? [] : [vectorOf(record.vector, generation.handle.format)],
	);
}

/** What must not be kept any more is not on disk either. */
function respec(collection: ExaminedCollection, spec: ExaminedSpec): void {
	collection.respec(spec);
	saveSoon(collection);
}

caller.serve<ExaminerMethods>({
	attach(attachment) {
		const { key, generation, area, spec } = attachment;
		const known = collections.get(key);
		if (known === undefined) tell(begin(attachment));
		else {
			if (known.spec.recall !== spec.recall || known.spec.logQueries !== spec.logQueries) respec(known, spec);
			known.follow(new Searcher(generation, area));
		}
		void work();
		collectGarbageSoon();
	},
	detach: (key) =>
		letGo(key, (collection) => {
			if (collection === undefined) return;
			collection.settle();
			saveNow(collection);
			collection.close();
		}),
	drop: (key) =>
		letGo(key, (collection) => {
			clearTimeout(saving.get(key)?.timer);
			saving.delete(key);
			collection?.close();
			rmSync(recallPath(data.snapshots, key), { force: true });
		}),
	respec({ key, spec }) {
		const collection = collections.get(key);
		if (collection === undefined) return;
		respec(collection, spec);
		void work();
	},
	queries({ key, queries, now }) {
		clockAhead = now - Date.now();
		collections.get(key)?.keep(queries);
		void work();
	},
	audit({ key, audit, now }) {
		clockAhead = now - Date.now();
		audits.push({ key, audit });
		if (audits.length > MOST_AUDITS) {
			audits.shift();
			caller.tell("failed", { key, event: "nigh:audit", durationMs: 0, error: "UNAVAILABLE" });
		}
		void work();
	},
	certify: (request) =>
		inTurn(async () => {
			clockAhead = request.now - Date.now();
			const collection = collectionOf(request.key);
			const start = performance.now();
			let queries = 0;
			busyKey = request.key;
			try {
				return await certifyOnDemand(collection, request, doUrgent, () => queries++);
			} finally {
				busyKey = undefined;
				told(collection, start, queries);
			}
		}),
	heldOut: (request) => inTurn(() => examineHeldOut(request), urgent),
	tuned({ key, state }) {
		const collection = collectionOf(key);
		collection.tuned = state;
		collection.isChanged = true;
		saveSoon(collection);
	},
	sample: ({ key, most }) => collectionOf(key).sample(most),
});
