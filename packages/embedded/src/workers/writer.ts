// The worker thread that writes: one connection to the records, and the slots that make what is committed visible.
import { parentPort, workerData } from "node:worker_threads";
import { NighError } from "@nigh/contract";
import type { Generation } from "../memory/generation.ts";
import {
	type CatalogueEntry,
	chosenIndex,
	createCollection,
	dropCollection,
	findCollection,
	noCollection,
	replaceSpec,
	type StoredSpec,
} from "../records/catalogue.ts";
import { openReader, openWriter } from "../records/connection.ts";
import { attachRecords, collectionsIn, copyCollections, detachRecords } from "../records/copy-in.ts";
import { mendRecords } from "../records/mend.ts";
import { RecordReader } from "../records/reader.ts";
import { asNighError } from "../records/sqlite-errors.ts";
import { RecordWriter } from "../records/writer.ts";
import { newestSavedAt } from "../snapshot/newest.ts";
import { catchUp } from "./catch-up.ts";
import { closedCollection } from "./closed-collection.ts";
import { collectGarbageSoon } from "./collect-garbage.ts";
import { compareSlots } from "./compare-slots.ts";
import { endedThread } from "./ended-thread.ts";
import { GroupCommit } from "./group-commit.ts";
import { HeldState } from "./held-state.ts";
import type {
	IndexForWriterMethods,
	IndexOpened,
	Installed,
	OpenedCollection,
	RestoredCollection,
	RestoreRequest,
	SlotComparison,
	WorkerData,
	WriterForIndexMethods,
	WriterMethods,
	WriterNotes,
} from "./messages.ts";
import { isOutgrown } from "./outgrown.ts";
import { Caller, errorOf, Service } from "./rpc.ts";
import { stateReads } from "./state-reads.ts";
import { checkDimensions, Writes } from "./writes.ts";
import { WrittenCollection } from "./written-collection.ts";

const data = workerData as WorkerData;
const port = parentPort;
if (port === null || data?.port === undefined) throw new Error("this module is a worker of @nigh/embedded");
const index = new Caller<IndexForWriterMethods>(data.port, { ended: endedThread("indexer") });
const caller = new Service<WriterNotes>(port);
const db = data.readOnly ? openReader(data.records) : openWriter(data.records, data.durability);
const reader = new RecordReader(db);
/** For catching up with another process: everything that is taken in belongs to one state. */
const held = new HeldState(data.records, (work) => void group.between(work));
const writer = new RecordWriter(db);
const group = new GroupCommit(writer);
const writes = new Writes(writer, reader, group, tellIndexer);
const collections = new Map<number, WrittenCollection>();
/** Collections that are being built anew from their records. */
const reindexing = new Map<number, Promise<void>>();
/** The newest generation of those that are being brought up to the records: it is told of when it has all of them, and is searched from then on. */
const followed = new Map<number, Installed>();

// Without an indexer nobody makes room: who waits for some is told, and who would have to.
data.port.on("close", () => {
	const reason = endedThread("indexer")();
	for (const collection of collections.values()) collection.fail(reason);
});

/** The indexer looks for work when something has been published; nobody waits for it. */
function tellIndexer({ key }: WrittenCollection): void {
	index.call("written", key).catch(() => {});
}

function generationOf(key: number, number: number): Generation | undefined {
	const generation = collections.get(key)?.generation;
	return generation?.handle.number === number ? generation : undefined;
}

function collectionOf(key: number): WrittenCollection {
	const collection = collections.get(key);
	if (collection === undefined) throw closedCollection();
	collection.check();
	return collection;
}

async function open({ name, spec }: { name: string; spec: StoredSpec | undefined }): Promise<OpenedCollection> {
	const entry = findCollection(db, name) ?? (await create(name, spec));
	const known = collections.get(entry.key);
	if (known !== undefined) return { key: entry.key, spec: known.spec, change: known.change };
	const collection = new WrittenCollection(entry, {
		grow: (room) => index.call("grow", { key: entry.key, room }),
		waiting: (waiting) => caller.tell("waiting", { key: entry.key, waiting }),
		awaited: () => void index.call("awaited", entry.key).catch(() => {}),
		mend: () => reindexOnce(entry.key),
	});
	collections.set(entry.key, collection);
	try {
		if (data.readOnly) await inOneState(entry.key, (state) => load(collection, state));
		else await beginIndex(collection, entry);
	} catch (error) {
		collections.delete(entry.key);
		await index.call("abandon", entry.key).catch(() => {});
		throw error;
	}
	return { key: entry.key, spec: collection.spec, change: collection.change };
}

function create(name: string, spec: StoredSpec | undefined) {
	if (spec !== undefined) return group.run({ apply: () => createCollection(db, name, spec), show: async () => {} });
	throw new NighError(
		"NOT_FOUND",
		`there is no collection ${JSON.stringify(name)}: give a spec, at least {}, to create it`,
		{ field: "name", value: name },
	);
}

/** Makes the first generation (or, to `reopen`, one that owes nothing to those before), and brings it up to what the records say. */
async function beginIndex(
	collection: WrittenCollection,
	entry: CatalogueEntry,
	begin: "open" | "reopen" = "open",
	source: RecordReader = reader,
): Promise<void> {
	const { dimensions } = entry.spec;
	if (dimensions !== null) await follow(collection, await index.call(begin, { ...entry, dimensions }), source);
}

/** Begins with a generation, and brings it up to what the records say. */
async function follow(collection: WrittenCollection, opened: IndexOpened, source = reader): Promise<void> {
	const { key, generation, areas } = opened;
	collection.begin(opened);
	collection.savedAt = opened.savedAt;
	followed.set(key, { key, generation, areas, choice: chosenIndex(collection.spec) });
	try {
		await catchUp(source, collection, opened);
		caller.tell("installed", followed.get(key) as Installed);
	} finally {
		followed.delete(key);
	}
	// Whoever waited for room in the one before looks for it in this one.
	collection.wake();
	tellIndexer(collection);
}

/** The first vector tells the dimensions of a collection that was made without. */
async function fixDimensions(collection: WrittenCollection, dimensions: number): Promise<void> {
	if (collection.spec.dimensions === null) {
		const fixing = collection.fixing ?? firstIndex(collection, dimensions);
		collection.fixing = fixing;
		try {
			await fixing;
		} finally {
			// Where it has failed, the next write tries again.
			if (collection.fixing === fixing) collection.fixing = undefined;
		}
	}
	checkDimensions(collection.spec.dimensions, dimensions);
}

/** Memory comes first: where there is none, nothing is written, not even the dimensions. */
async function firstIndex(collection: WrittenCollection, dimensions: number): Promise<void> {
	const { key, name, records, change } = collection;
	// As it is at each of these moments: another spec may be given meanwhile.
	const spec = () => ({ ...collection.spec, dimensions });
	const opened = await index.call("open", {
		key,
		name,
		spec: spec(),
		dimensions,
		records,
		change,
		reclaimedThrough: 0,
	});
	collection.begin(opened);
	await group.run({
		key,
		apply: () => replaceSpec(db, key, spec()),
		show: async () => {
			collection.spec = spec();
			await follow(collection, opened);
		},
	});
}

/** Puts another spec in the place of a collection's. */
async function respec({ key, spec: given }: { key: number; spec: StoredSpec }): Promise<StoredSpec> {
	const collection = collectionOf(key);
	// Whether that succeeds or not: it is told to whoever wrote.
	await collection.fixing?.catch(() => {});
	const { dimensions } = collection.spec;
	if (given.dimensions !== null) checkDimensions(dimensions, given.dimensions);
	const spec = { ...given, dimensions: dimensions ?? given.dimensions };
	await group.run({
		key,
		apply: () => replaceSpec(db, key, spec),
		show: async () => {
			collection.spec = spec;
		},
	});
	await index.call("respec", { key, spec });
	return spec;
}

/** Everything in one transaction, so that what is taken in is there in full or not at all. Writers wait meanwhile. */
function restore({ path, overwrite }: RestoreRequest): Promise<readonly RestoredCollection[]> {
	return group.between(async () => {
		const entries = collectionsIn(path);
		attachRecords(db, path);
		let copied: readonly RestoredCollection[];
		try {
			writer.begin();
			copied = copyCollections(db, entries, overwrite);
			writer.commit();
		} catch (error) {
			writer.rollback();
			throw asNighError(error, `restoring ${path}`);
		} finally {
			detachRecords(db);
		}
		const replaced = copied.flatMap((each) => each.replaced ?? []);
		for (const key of replaced) await forget(key);
		if (replaced.length > 0) writer.reclaim();
		return copied;
	});
}

/** Lets go of a collection that is not in the catalogue any more. */
async function forget(key: number): Promise<void> {
	writer.forget(key);
	collections.get(key)?.close();
	collections.delete(key);
	await index.call("drop", key);
}

function compare({ key, now }: { key: number; now: number }): Promise<SlotComparison> {
	return group.between(async () => {
		for (;;) {
			const collection = collectionOf(key);
			const comparison = compareSlots(reader, collection, now);
			if (comparison !== undefined) return comparison;
			// Another process has written since the last refresh.
			await held.during((state) => catchUpTo(state, key));
		}
	}, key);
}

function reindex(key: number): Promise<void> {
	return group.between(async () => {
		const collection = collections.get(key);
		if (collection === undefined || collection.spec.dimensions === null) return;
		const entry = entryOf(collection, reader);
		const { failure, generation } = collection;
		collection.recover(entry);
		try {
			await beginIndex(collection, entry, "reopen");
		} catch (error) {
			if (failure !== undefined || collection.generation !== generation) collection.tear(error);
			throw error;
		}
	}, key);
}

/** Several may find the same damage before it is mended. */
function reindexOnce(key: number): Promise<void> {
	const running = reindexing.get(key) ?? reindex(key).finally(() => reindexing.delete(key));
	reindexing.set(key, running);
	return running;
}

/** Catches up with another process in one state of it, one after the other: two at a time would both take in what is new. */
function inOneState<T>(key: number, work: (state: RecordReader) => Promise<T>): Promise<T> {
	return group.between(() => held.during(work), key);
}

/** Brings the memory to the state that is read, and tells its change. */
async function catchUpTo(state: RecordReader, key: number): Promise<number> {
	const collection = collectionOf(key);
	const { generation, change, nextLabel, isTorn } = collection;
	// Of what has gone since, tombstones are missing: it would be found for ever.
	const isTooOld = () => change < entryOf(collection, state).reclaimedThrough;
	const mayGoOn = generation !== undefined && !isTorn && !isTooOld() && !isFollowed(collection, state);
	if (!mayGoOn || !(await goOn(collection, state, { change, fromLabel: nextLabel }))) await load(collection, state);
	return collection.change;
}

/** Takes in what is new. `false`: the index has no room for it, and another has to come from a snapshot. */
async function goOn(
	collection: WrittenCollection,
	state: RecordReader,
	position: Parameters<typeof catchUp>[2],
): Promise<boolean> {
	collection.isTorn = true;
	try {
		await catchUp(state, collection, position);
	} catch (error) {
		if (isOutgrown(error)) return false;
		throw error;
	}
	collection.isTorn = false;
	tellIndexer(collection);
	return true;
}

/** Whether there is another snapshot than the one that an index began with that is due to be laid out anew. Each is looked for once. */
function isFollowed(collection: WrittenCollection, state: RecordReader): boolean {
	if (!collection.isOutgrown) return false;
	const savedAt = newestSavedAt(data, collection.key, entryOf(collection, state).change);
	if (savedAt === undefined || savedAt === collection.savedAt || savedAt === collection.lookedFor) return false;
	collection.lookedFor = savedAt;
	return true;
}

/**
 * Begins from the newest snapshot that the state goes on from, else from its records alone, whatever there was. Until it is there, searches go
 * on in what they have.
 */
async function load(collection: WrittenCollection, state: RecordReader): Promise<void> {
	const entry = entryOf(collection, state);
	collection.isTorn = true;
	collection.spec = entry.spec;
	await beginIndex(collection, entry, "open", state);
	collection.isTorn = false;
	collectGarbageSoon();
}

/** @throws NighError `NOT_FOUND` where another process has dropped it, though there may be another of its name. */
function entryOf({ key, name }: WrittenCollection, state: RecordReader): CatalogueEntry {
	const entry = state.entry(name);
	if (entry?.key !== key) throw noCollection(key);
	return entry;
}

new Service<WriterNotes>(port).serve<WriterMethods>({
	open,
	compare,
	restore,
	reindex,
	failure: (key) => collections.get(key)?.failure?.message ?? null,
	mend: () => group.between(async () => mendRecords(db)),
	respec,
	async close(key) {
		await group.settled(key);
		// First, so that what fails leaves it open.
		await index.call("close", key);
		collections.get(key)?.close();
		collections.delete(key);
	},
	async drop(name) {
		const entry = findCollection(db, name);
		if (entry === undefined) return false;
		await group.run({ key: entry.key, apply: () => dropCollection(db, entry.key), show: async () => {} });
		await forget(entry.key);
		writer.reclaim();
		return true;
	},
	async upsert({ key, dimensions, ...what }) {
		const collection = collectionOf(key);
		await fixDimensions(collection, dimensions);
		return writes.upsert(collection, what);
	},
	async update({ key, rows, now }) {
		return writes.update(collectionOf(key), rows, now);
	},
	async delete({ key, ...what }) {
		return writes.delete(collectionOf(key), what);
	},
	async prune({ key, ...what }) {
		return writes.prune(collectionOf(key), what);
	},
	async reclaim({ key, through }) {
		const collection = collectionOf(key);
		const given = await group.run({
			key,
			apply: () => writer.giveUpTombstones(collection.key, through),
			show: async () => {},
		});
		writer.optimizeText(key);
		writer.reclaim();
		return given;
	},
	refresh: (key) =>
		inOneState(key, async (state) => {
			const before = collectionOf(key).change;
			const change = await catchUpTo(state, key);
			return { change, changed: change !== before };
		}),
	...stateReads({ latest: reader, held, generationOf }),
	hold: (key) => held.hold((state) => catchUpTo(state, key)),
	async end() {
		await group.settled();
		emptyWal();
		held.close();
		db.close();
	},
});

/** Everything into the one file: others still have it open, so SQLite would leave its WAL as it is. */
function emptyWal(): void {
	if (data.readOnly) return;
	try {
		db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
	} catch {
		// It stays beside the file, and what is in it is read on opening.
	}
}

new Service(data.port).serve<WriterForIndexMethods>({
	async install({ installed, oldSlots, fromSlot }) {
		const collection = collections.get(installed.key);
		if (collection?.install(installed, oldSlots, fromSlot) !== true) return false;
		if (followed.has(installed.key)) followed.set(installed.key, installed);
		else caller.tell("installed", installed);
		collectGarbageSoon();
		return true;
	},
	freed: (key) => collections.get(key)?.wake(),
	stalled: ({ key, reason }) => collections.get(key)?.stall(errorOf(reason)),
	outgrown(key) {
		const collection = collections.get(key);
		if (collection !== undefined) collection.isOutgrown = true;
	},
	reindex: reindexOnce,
});
