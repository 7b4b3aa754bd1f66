import type { DatabaseSync } from "node:sqlite";
import {
	type BackupOptions,
	type BackupReport,
	type CallOptions,
	type Capabilities,
	type Collection,
	type CollectionSpec,
	checkCollectionName,
	checkOptions,
	type Database,
	type DatabaseHealth,
	isNighError,
	type Metadata,
	NighError,
	type ProgressOptions,
	type RepairReport,
	type RestoreOptions,
	type RestoreReport,
	type ShareHandle,
	type VerifyReport,
} from "@nigh/contract";
import { CAPABILITIES } from "./capabilities.ts";
import type { DatabaseCore } from "./core.ts";
import { readTable, recallPath } from "./examiner/file.ts";
import { folderBytes } from "./files/folder-bytes.ts";
import type { FolderPaths } from "./folder/layout.ts";
import { backup } from "./maintenance/backup.ts";
import type { Maintained } from "./maintenance/maintained.ts";
import { repair } from "./maintenance/repair.ts";
import { restore } from "./maintenance/restore.ts";
import { verify } from "./maintenance/verify.ts";
import { OpenCollections } from "./open-collections.ts";
import { checkPath } from "./options.ts";
import { Pending } from "./pending.ts";
import type { ServedTable } from "./recall/served.ts";
import { type CatalogueEntry, findCollection, listCollections } from "./records/catalogue.ts";
import { databaseId } from "./records/schema.ts";
import { ShareHost } from "./share/host.ts";
import type { Threads } from "./threads.ts";
import { checkAborted } from "./verbs/check-aborted.ts";
import { databaseHealth } from "./verbs/health.ts";
import { prune } from "./verbs/prune.ts";
import { tellingFailure } from "./watch/events.ts";
import type { Installed } from "./workers/messages.ts";

/** What an open database holds besides its core. */
export interface Holdings {
	readonly paths: FolderPaths;
	/** The calling thread's own connection, for reading. */
	readonly connection: DatabaseSync;
	/** Gives up the lock, and removes what is temporary. */
	release(): void;
}

/** A database in a folder. */
export class EmbeddedDatabase implements Database {
	readonly capabilities: Capabilities = CAPABILITIES;
	readonly #core: DatabaseCore;
	readonly #threads: Threads;
	readonly #holdings: Holdings;
	readonly #maintained: Maintained;
	readonly #collections: OpenCollections;
	/** Work on the whole database that closing waits for. */
	readonly #works = new Pending();
	#host: ShareHost | undefined;
	#pruning: NodeJS.Timeout | undefined;
	#closing: Promise<void> | undefined;

	constructor(core: DatabaseCore, threads: Threads, holdings: Holdings) {
		this.#core = core;
		this.#threads = threads;
		this.#holdings = holdings;
		const { snapshots } = holdings.paths;
		this.#collections = new OpenCollections(core, holdings.connection, {
			diskBytes: () => this.#diskBytes(),
			examiner: threads.examiner,
			tableOf: (key) => readTable(recallPath(snapshots, key), databaseId(holdings.connection), key),
		});
		this.#maintained = {
			core,
			paths: holdings.paths,
			opened: () => this.#collections.cores,
			databaseId: () => databaseId(holdings.connection),
			names: () => listCollections(holdings.connection).map(({ name }) => name),
			stored: () => listCollections(holdings.connection),
			visiting: (name, work) => this.#collections.visiting(name, work),
			replacing: (names, work) => this.#collections.replacing(names, work),
		};
		const { pruneEveryMs, readOnly } = core.settings;
		if (pruneEveryMs > 0 && !readOnly) {
			this.#pruning = setInterval(() => void this.#pruneAll(), pruneEveryMs);
			this.#pruning.unref();
		}
	}

	async collection<M extends Metadata = Metadata>(name: string, spec?: CollectionSpec): Promise<Collection<M>> {
		this.#checkOpen();
		checkCollectionName(name);
		const { collection } = await this.#collections.open(name, spec);
		return collection as unknown as Collection<M>;
	}

	async collections(): Promise<string[]> {
		this.#checkOpen();
		return listCollections(this.#holdings.connection).map(({ name }) => name);
	}

	async drop(name: string, options: CallOptions = {}): Promise<boolean> {
		this.#checkWritable();
		checkCollectionName(name);
		checkOptions(options, ["signal"], "drop");
		checkAborted(options.signal);
		return this.#collections.drop(name);
	}

	async backup(destination: string, options: BackupOptions = {}): Promise<BackupReport> {
		this.#checkOpen();
		checkPath("destination", destination);
		return this.#works.track(backup(this.#maintained, destination, options));
	}

	async restore(source: string, options: RestoreOptions = {}): Promise<RestoreReport> {
		this.#checkWritable();
		checkPath("source", source);
		return this.#works.track(restore(this.#maintained, source, options));
	}

	async verify(options: ProgressOptions = {}): Promise<VerifyReport> {
		this.#checkOpen();
		return this.#works.track(verify(this.#maintained, options));
	}

	async repair(options: ProgressOptions = {}): Promise<RepairReport> {
		this.#checkWritable();
		return this.#works.track(repair(this.#maintained, options));
	}

	async health(): Promise<DatabaseHealth> {
		this.#checkOpen();
		return databaseHealth(this.#core, this.#collections.cores, () => listCollections(this.#holdings.connection));
	}

	async share(): Promise<ShareHandle> {
		this.#checkOpen();
		this.#host ??= new ShareHost({
			threads: this.#threads,
			records: this.#holdings.paths.records,
			open: async (name) => {
				const { core } = await this.#collections.open(name);
				const entry = findCollection(this.#holdings.connection, name) as CatalogueEntry;
				return { entry, hasVectors: core.searcher !== undefined, table: core.recall.serving.table };
			},
		});
		return this.#host.handle;
	}

	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	/** A generation has taken over. */
	install(installed: Installed): void {
		this.#collections.install(installed);
		// A reader that cannot be told goes on with the generation it has.
		this.#host?.install(installed).catch(() => {});
	}

	/** Writers wait, or wait no longer. */
	waiting(key: number, waiting: boolean): void {
		this.#collections.waiting(key, waiting);
	}

	/** Something has been found out about the recall of a collection. */
	served(table: ServedTable): void {
		this.#collections.served(table);
		this.#host?.served(table);
	}

	nameOf(key: number): string {
		return this.#collections.nameOf(key);
	}

	async #pruneAll(): Promise<void> {
		for (const core of this.#collections.cores) {
			const { spec, searcher } = core;
			if (
				spec.maxAgeMs === null &&
				(searcher === undefined || searcher.generation.nextExpiry === Number.POSITIVE_INFINITY)
			)
				continue;
			// What fails here is tried again the next time; a write that fails for the same reason says so to its caller.
			const options = spec.maxAgeMs === null ? {} : { maxAgeMs: spec.maxAgeMs };
			await core.track(tellingFailure("nigh:prune", core.name, () => prune(core, options))).catch(() => {});
		}
	}

	#diskBytes(): number | null {
		const { folder, snapshots } = this.#holdings.paths;
		try {
			return folderBytes(folder) + folderBytes(snapshots);
		} catch {
			// A folder that cannot be read is told of by what has to read it.
			return null;
		}
	}

	async #close(): Promise<void> {
		clearInterval(this.#pruning);
		this.#host?.close();
		const { threads } = this.#core;
		const closed = new NighError("CLOSED", "the database is closed: open it again");
		// At once: a write that comes after this call is refused.
		const closing = this.#collections.close(closed);
		await Promise.allSettled([this.#works.settled(), closing]);
		try {
			// Those that a work on the whole database has opened again, or that were being opened.
			await this.#collections.close(closed);
			for (const { key, recall } of this.#collections.cores) {
				try {
					// Ends what is being built, which the examiner may be asking: it answers nothing else meanwhile.
					await unlessEnded(threads.writer.call("close", key));
				} finally {
					// The memory that it reads lives as long as it has it.
					await this.#threads.examiner.forget(key, false, recall.learned);
				}
			}
			await unlessEnded(threads.indexer.call("close", undefined));
			await unlessEnded(threads.writer.call("end", undefined));
		} finally {
			this.#holdings.connection.close();
			await this.#threads.end();
			this.#holdings.release();
		}
	}

	#checkOpen(): void {
		if (this.#closing !== undefined) throw new NighError("CLOSED", "the database is closed: open it again");
	}

	#checkWritable(): void {
		this.#checkOpen();
		if (!this.#core.settings.readOnly) return;
		throw new NighError("READ_ONLY", "the database is open for reading only: open it without readOnly to write.");
	}
}

/** A thread that has ended by itself leaves nothing to wait for: that has been told to every call, and what was acknowledged is on disk. */
async function unlessEnded(call: Promise<void>): Promise<void> {
	try {
		await call;
	} catch (error) {
		if (!isNighError(error, "UNAVAILABLE")) throw error;
	}
}
