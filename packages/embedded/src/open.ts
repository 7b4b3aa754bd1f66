import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Database, isNighError, NighError } from "@nigh/contract";
import { EmbeddedDatabase } from "./database.ts";
import { removeForeignRecall } from "./examiner/file.ts";
import { checkNotLost, checkThere, noteCreated, wasCreated } from "./folder/created.ts";
import { prepareFolder } from "./folder/layout.ts";
import { type Lock, takeLock } from "./folder/lock.ts";
import { makeTemporaryFolder, type TemporaryFolder } from "./folder/temporary.ts";
import { finishSwap } from "./maintenance/swap-records.ts";
import { type OpenOptions, settingsOf } from "./options.ts";
import { keysOf } from "./records/catalogue.ts";
import { openReader, openWriter } from "./records/connection.ts";
import { RecordReader } from "./records/reader.ts";
import { databaseId } from "./records/schema.ts";
import { removeForeignRows } from "./row-files/folder.ts";
import { removeForeign, removeTemporary } from "./snapshot/folder.ts";
import { Threads } from "./threads.ts";
import { publish } from "./watch/events.ts";

/** A database that is gone when it is closed. */
export const MEMORY = ":memory:";

/**
 * Opens a database: a folder, made where there is none, or `":memory:"` for one that is gone when it is closed (its records lie in a
 * temporary folder of the system meanwhile). One process writes; others open with `readOnly: true` at any time.
 *
 * @throws NighError `LOCKED` with the pid of the process that writes; `NOT_FOUND`, `READ_ONLY`, `INVALID_OPTION`; `NEWER_VERSION`;
 * `CORRUPT_RECORDS` where SQLite cannot read the records: `repairFolder` saves what can be saved.
 */
export async function openFolder(path: string, options: OpenOptions = {}): Promise<Database> {
	if (typeof path !== "string" || path.trim() === "" || path.includes("\0")) {
		throw new NighError("INVALID_OPTION", 'open takes the path of a folder, or ":memory:".', {
			field: "path",
			value: path,
		});
	}
	const isMemory = path === MEMORY;
	const settings = settingsOf(options, isMemory);
	const temporary: TemporaryFolder | undefined = isMemory ? makeTemporaryFolder() : undefined;
	let lock: Lock | undefined;
	let connection: DatabaseSync | undefined;
	let threads: Threads | undefined;
	const release = () => {
		lock?.release();
		temporary?.remove();
	};
	try {
		const { readOnly, create } = settings;
		const folder = temporary?.path ?? resolve(path);
		if (!create || readOnly) checkThere(folder, readOnly);
		const paths = prepareFolder(folder, { create, readOnly });
		lock = readOnly ? undefined : takeLock(paths.folder);
		if (!readOnly) {
			finishSwap(paths);
			checkNotLost(paths);
			// Lays out a new database before the threads look for it.
			openWriter(paths.records, settings.durability, { create: !wasCreated(paths) }).close();
			if (!isMemory) noteCreated(paths);
			removeTemporary(paths.snapshots);
		}
		checkNotLost(paths);
		connection = openReader(paths.records);
		if (!readOnly) removeLeftBehind(paths.snapshots, connection);
		let database: EmbeddedDatabase | undefined;
		threads = new Threads(
			{
				records: paths.records,
				snapshots: paths.snapshots,
				durability: settings.durability,
				readOnly,
				threads: settings.threads,
				databaseId: databaseId(connection),
			},
			{
				installed: (installed) => database?.install(installed),
				waiting: ({ key, waiting }) => database?.waiting(key, waiting),
				folded: ({ key, vectors, durationMs, tail }) =>
					publish("nigh:fold", () => ({
						collection: database?.nameOf(key) ?? "",
						durationMs,
						index: "hnsw",
						vectors,
						tail,
					})),
				snapshotted: ({ key, bytes, durationMs, change, vectors }) =>
					publish("nigh:snapshot", () => ({
						collection: database?.nameOf(key) ?? "",
						durationMs,
						index: "hnsw",
						bytes,
						vectors,
						changeNumber: change,
					})),
				failed: ({ key, event, ...failure }) =>
					publish(event, () => ({ collection: database?.nameOf(key) ?? "", ...failure })),
				unrecovered: ({ name, ...failure }) => publish("nigh:recover", () => ({ collection: name, ...failure })),
				recovered: ({ name, ...recovered }) => publish("nigh:recover", () => ({ collection: name, ...recovered })),
			},
			{
				served: (table) => database?.served(table),
				certified: ({ key, ...certified }) =>
					publish("nigh:certify", () => ({ collection: database?.nameOf(key) ?? "", ...certified })),
				audited: ({ key, ...audited }) =>
					publish("nigh:audit", () => ({ collection: database?.nameOf(key) ?? "", ...audited })),
				failed: ({ key, event, ...failure }) =>
					publish(event, () => ({ collection: database?.nameOf(key) ?? "", ...failure })),
			},
		);
		await threads.started();
		const core = {
			threads,
			settings,
			records: new RecordReader(connection),
			view: readOnly ? "process" : "writer",
		} as const;
		database = new EmbeddedDatabase(core, threads, { paths, connection, release });
		return database;
	} catch (error) {
		await threads?.end();
		connection?.close();
		release();
		throw error;
	}
}

/** Where the list of the collections is damaged, nobody knows what is left behind. */
function removeLeftBehind(snapshots: string, connection: DatabaseSync): void {
	let keys: ReadonlySet<number>;
	try {
		keys = keysOf(connection);
	} catch (error) {
		if (isNighError(error, "CORRUPT_RECORDS")) return;
		throw error;
	}
	removeForeign(snapshots, keys);
	removeForeignRows(snapshots, keys);
	removeForeignRecall(snapshots, keys);
}
