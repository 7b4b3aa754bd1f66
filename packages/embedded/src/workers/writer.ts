// The worker thread that writes: one connection to the records, and the slots that make what is committed visible.
import { parentPort, workerData } from "node:worker_threads";
import { NighError } from "@nigh/contract";
import {
	createCollection,
	dropCollection,
	findCollection,
	replaceSpec,
	type StoredSpec,
} from "../records/catalogue.ts";
import { openReader, openWriter } from "../records/connection.ts";
import { attachRecords, collectionsIn, copyCollections, detachRecords } from "../records/copy-in.ts";
import { mendRecords } from "../records/mend.ts";
import { RecordReader } from "../records/reader.ts";
import { asNighError } from "../records/sqlite-errors.ts";
import { RecordWriter } from "../records/writer.ts";
import { catchUp } from "./catch-up.ts";
import { collectGarbageSoon } from "./collect-garbage.ts";
import { compareSlots } from "./compare-slots.ts";
import { GroupCommit } from "./group-commit.ts";
import type {
	IndexForWriterMethods,
	OpenedCollection,
	RestoredCollection,
	RestoreRequest,
	SlotComparison,
	WorkerData,
	WriterForIndexMethods,
	WriterMethods,
	WriterNotes,
} from "./messages.ts";
import { Caller, Service } from "./rpc.ts";
import { checkDimensions, Writes } from "./writes.ts";
import { WrittenCollection } from "./written-collection.ts";

const data = workerData as WorkerData;
const port = parentPort;
if (port === null || data?.port === undefined) throw new Error("this module is a worker of @nigh/embedded");
const index = new Caller<IndexForWriterMethods>(data.port);
const caller = new Service<WriterNotes>(port);
const db = data.readOnly ? openReader(data.records) : openWriter(data.records, data.durability);
const reader = new RecordReader(db);
const writer = new RecordWriter(db);
const group = new GroupCommit(writer);
const writes = new Writes(writer, reader, group, tellIndexer);
const collections = new Map<number, WrittenCollection>();

/** The indexer looks for work when something has been published; nobody waits for it. */
function tellIndexer({ key }: WrittenCollection): void {
	index.call("written", key).catch(() => {});
}

function collectionOf(key: number): WrittenCollection {
	const collection = collections.get(key);
	if (collection === undefined) {
		throw new NighError("CLOSED", "the collection is closed or has been dropped: open it again");
	}
	collection.check();
	return collection;
}

async function open({ name, spec }: { name: string; spec: StoredSpec | undefined }): Promise<OpenedCollection> {
	const entry = findCollection(db, name) ?? (await create(name, spec));
	const known = collections.get(entry.key);
	if (known !== undefined) return { key: entry.key, spec: known.spec, change: known.change };
	const collection = new WrittenCollection(entry, {
		grow: () => {
			index.call("grow", entry.key).catch(() => {});
		},
		waiting: (waiting) => caller.tell("waiting", { key: entry.key, waiting }),
	});
	collections.set(entry.key, collection);
	try {
		if (entry.spec.dimensions !== null) await beginIndex(collection, entry.spec.dimensions);
	} catch (error) {
		collections.delete(entry.key);
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
	dimensions: number,
	begin: "open" | "reopen" = "open",
): Promise<void> {
	const { key, name, spec, records, change } = collection;
	const opened = await index.call(begin, { key, name, spec, dimensions, records, change });
	collection.begin(opened);
	await catchUp(reader, collection, opened);
	// One that has taken over meanwhile has been told of already.
	if (collection.generation?.handle.number === opened.generation.number) {
		caller.tell("installed", { key, generation: opened.generation, areas: opened.areas });
	}
	tellIndexer(collection);
}

/** The first vector tells the dimensions of a collection that was made without. */
async function fixDimensions(collection: WrittenCollection, dimensions: number): Promise<void> {
	if (collection.spec.dimensions === null) {
		const spec = { ...collection.spec, dimensions };
		const fixing =
			collection.fixing ??
			group.run({
				apply: () => replaceSpec(db, collection.key, spec),
				show: async () => {
					collection.spec = spec;
					await beginIndex(collection, dimensions);
				},
			});
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
			await catchUp(reader, collection, { change: collection.change, fromLabel: collection.nextLabel });
		}
	});
}

function reindex(key: number): Promise<void> {
	return group.between(async () => {
		const collection = collections.get(key);
		if (collection === undefined || collection.spec.dimensions === null) return;
		collection.recover(reader.state(key));
		await beginIndex(collection, collection.spec.dimensions, "reopen");
	});
}

/** One after the other: two at a time would both take in what is new. */
function refresh(key: number): Promise<{ change: number; changed: boolean }> {
	return group.between(async () => {
		const collection = collectionOf(key);
		const before = collection.change;
		if (collection.generation !== undefined) {
			await catchUp(reader, collection, { change: before, fromLabel: collection.nextLabel });
			tellIndexer(collection);
		} else await lookForDimensions(collection);
		return { change: collection.change, changed: collection.change !== before };
	});
}

/** Another process may have written the first vector since. */
async function lookForDimensions(collection: WrittenCollection): Promise<void> {
	const entry = findCollection(db, collection.name);
	if (entry === undefined || entry.key !== collection.key || entry.spec.dimensions === null) return;
	collection.spec = entry.spec;
	collection.recover(entry);
	await beginIndex(collection, entry.spec.dimensions);
}

new Service<WriterNotes>(port).serve<WriterMethods>({
	open,
	compare,
	restore,
	reindex,
	mend: () => group.between(async () => mendRecords(db)),
	async respec({ key, spec }) {
		const collection = collectionOf(key);
		await group.run({ apply: () => replaceSpec(db, key, spec), show: async () => {} });
		collection.spec = spec;
		await index.call("respec", { key, spec });
	},
	async close(key) {
		await group.settled();
		collections.get(key)?.close();
		collections.delete(key);
		await index.call("close", key);
	},
	async drop(name) {
		const entry = findCollection(db, name);
		if (entry === undefined) return false;
		await group.run({ apply: () => dropCollection(db, entry.key), show: async () => {} });
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
		const tombstones = await group.run({
			apply: () => writer.giveUpTombstones(collection.key, through),
			show: async () => {},
		});
		writer.optimizeText(key);
		const { before, after } = writer.reclaim();
		return { tombstones, bytes: before - after };
	},
	refresh,
	async end() {
		await group.settled();
		emptyWal();
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
		caller.tell("installed", installed);
		collectGarbageSoon();
		return true;
	},
	freed: (key) => collections.get(key)?.wake(),
});
