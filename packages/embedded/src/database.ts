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
import { EmbeddedCollection } from "./collection.ts";
import { CollectionCore, type DatabaseCore } from "./core.ts";
import { folderBytes } from "./files/folder-bytes.ts";
import type { FolderPaths } from "./folder/layout.ts";
import { Gates } from "./gates.ts";
import { backup } from "./maintenance/backup.ts";
import type { Maintained } from "./maintenance/maintained.ts";
import { repair } from "./maintenance/repair.ts";
import { restore } from "./maintenance/restore.ts";
import { verify } from "./maintenance/verify.ts";
import { Pending } from "./pending.ts";
import { type CatalogueEntry, findCollection, listCollections } from "./records/catalogue.ts";
import { databaseId } from "./records/schema.ts";
import { ShareHost } from "./share/host.ts";
import { specOf } from "./spec.ts";
import type { Threads } from "./threads.ts";
import { checkAborted } from "./verbs/check-aborted.ts";
import { prune } from "./verbs/prune.ts";
import { databaseHealth, health } from "./verbs/watch.ts";
import type { Installed } from "./workers/messages.ts";

/** What an open database holds besides its core. */
export interface Holdings {
	readonly paths: FolderPaths;
	/** The calling thread's own connection, for reading. */
	readonly connection: DatabaseSync;
	/** Gives up the lock, and removes what is temporary. */
	release(): void;
}

interface Opened {
	readonly core: CollectionCore;
	readonly collection: EmbeddedCollection;
}

/** A database in a folder. */
export class EmbeddedDatabase implements Database {
	readonly capabilities: Capabilities = CAPABILITIES;
	readonly #core: DatabaseCore;
	readonly #threads: Threads;
	readonly #holdings: Holdings;
	readonly #maintained: Maintained;
	readonly #open = new Map<string, Promise<Opened>>();
	/** Work on the whole database that closing waits for. */
	readonly #works = new Pending();
	readonly #byKey = new Map<number, CollectionCore>();
	/** Generations that were told of before their collection was known here. */
	readonly #early = new Map<number, Installed>();
	#host: ShareHost | undefined;
	#pruning: NodeJS.Timeout | undefined;
	#closing: Promise<void> | undefined;

	constructor(core: DatabaseCore, threads: Threads, holdings: Holdings) {
		this.#core = core;
		this.#threads = threads;
		this.#holdings = holdings;
		this.#maintained = {
			core,
			paths: holdings.paths,
			opened: () => [...this.#byKey.values()],
			databaseId: () => databaseId(holdings.connection),
			names: () => listCollections(holdings.connection).map(({ name }) => name),
			replacing: (names, work) => this.#replacing(names, work),
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
		// One after the other: the second finds what the first has created.
		const before = this.#open.get(name);
		const opening = (before ?? Promise.resolve()).catch(() => {}).then(() => this.#collection(name, spec, before));
		this.#open.set(name, opening);
		try {
			return (await opening).collection as unknown as Collection<M>;
		} catch (error) {
			if (this.#open.get(name) === opening) {
				if (before === undefined) this.#open.delete(name);
				else this.#open.set(name, before);
			}
			throw error;
		}
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
		// Who opens it meanwhile waits, and begins anew.
		const gates = new Gates<Opened>(this.#open, [name]);
		try {
			const [opened] = await gates.before();
			const gone = new NighError("CLOSED", `the collection ${JSON.stringify(name)} has been dropped`);
			const closing = opened?.core.close(gone);
			const dropped = await this.#core.threads.writer.call("drop", name);
			await closing;
			if (opened !== undefined) await this.#forget(opened.core);
			return dropped;
		} finally {
			gates.leave(false);
		}
	}

	async backup(destination: string, options: BackupOptions = {}): Promise<BackupReport> {
		this.#checkOpen();
		return this.#works.track(backup(this.#maintained, destination, options));
	}

	async restore(source: string, options: RestoreOptions = {}): Promise<RestoreReport> {
		this.#checkWritable();
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
		const reports = await Promise.all(
			[...this.#byKey.values()].map(async (core) => [core.name, await health(core)] as const),
		);
		return databaseHealth(Object.fromEntries(reports));
	}

	async share(): Promise<ShareHandle> {
		this.#checkOpen();
		this.#host ??= new ShareHost({
			threads: this.#threads,
			records: this.#holdings.paths.records,
			open: async (name) => {
				await this.collection(name);
				const { core } = (await this.#open.get(name)) as { core: CollectionCore };
				const entry = findCollection(this.#holdings.connection, name) as CatalogueEntry;
				return { entry, hasVectors: core.searcher !== undefined };
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
		void this.#core.threads.reader.call("attach", installed).catch(() => {});
		const core = this.#byKey.get(installed.key);
		if (core === undefined) this.#early.set(installed.key, installed);
		else core.install(installed);
		// A reader that cannot be told goes on with the generation it has.
		this.#host?.install(installed).catch(() => {});
	}

	/** Writers wait, or wait no longer. */
	waiting(key: number, waiting: boolean): void {
		const core = this.#byKey.get(key);
		if (core !== undefined) core.isWaiting = waiting;
	}

	nameOf(key: number): string {
		return this.#byKey.get(key)?.name ?? "";
	}

	async #collection(
		name: string,
		given: CollectionSpec | undefined,
		before: Promise<Opened> | undefined,
	): Promise<Opened> {
		const opened = await before?.catch(() => undefined);
		const { connection } = this.#holdings;
		const { threads, settings } = this.#core;
		const stored = opened?.core.spec ?? findCollection(connection, name)?.spec;
		if (stored === undefined && given === undefined) {
			throw new NighError(
				"NOT_FOUND",
				`there is no collection ${JSON.stringify(name)}: give a spec, at least {}, to create it.`,
				{
					field: "name",
					value: name,
				},
			);
		}
		if (stored === undefined && settings.readOnly) {
			throw new NighError(
				"READ_ONLY",
				`there is no collection ${JSON.stringify(name)}, and the database is open for reading only.`,
			);
		}
		const spec = given === undefined ? (stored as NonNullable<typeof stored>) : await specOf(given, stored);
		const core = opened?.core ?? (await this.#begin(name, stored === undefined ? spec : undefined));
		if (given?.embedder !== undefined) core.embedder = given.embedder;
		if (stored !== undefined && JSON.stringify(spec) !== JSON.stringify(stored) && !settings.readOnly) {
			await threads.writer.call("respec", { key: core.key, spec });
			core.spec = spec;
		}
		if (opened !== undefined && given?.embedder === undefined) return opened;
		return opened ?? { core, collection: this.#collectionOf(core) };
	}

	async #begin(name: string, spec: Parameters<typeof specOf>[1]): Promise<CollectionCore> {
		const opened = await this.#core.threads.writer.call("open", { name, spec });
		const core = new CollectionCore(this.#core, { ...opened, name }, undefined);
		this.#byKey.set(core.key, core);
		const installed = this.#early.get(core.key);
		this.#early.delete(core.key);
		if (installed !== undefined) core.install(installed);
		return core;
	}

	#collectionOf(core: CollectionCore): EmbeddedCollection {
		return new EmbeddedCollection(core, {
			diskBytes: () => this.#diskBytes(),
			close: (reason) => this.#closeCollection(core, reason),
		});
	}

	async #closeCollection(core: CollectionCore, reason: NighError): Promise<void> {
		// It was dropped or replaced: what has its name now is another.
		if (this.#byKey.get(core.key) !== core) return core.close(reason);
		const gates = new Gates<Opened>(this.#open, [core.name]);
		try {
			await core.close(reason);
			await this.#core.threads.writer.call("close", core.key);
			await this.#forget(core);
		} finally {
			gates.leave(false);
		}
	}

	async #replacing<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
		const gates = new Gates<Opened>(this.#open, names);
		const opened = await gates.before();
		const replaced = (name: string) =>
			new NighError(
				"CLOSED",
				`the collection ${JSON.stringify(name)} has been replaced by that of a backup: open it again`,
			);
		for (const { core } of opened) await core.close(replaced(core.name));
		try {
			const result = await work();
			for (const { core } of opened) await this.#forget(core);
			gates.leave(false);
			return result;
		} catch (error) {
			for (const { core } of opened) core.reopen();
			gates.leave(true);
			throw error;
		}
	}

	async #forget({ key }: CollectionCore): Promise<void> {
		this.#byKey.delete(key);
		this.#early.delete(key);
		await this.#core.threads.reader.call("detach", key);
	}

	async #pruneAll(): Promise<void> {
		for (const core of this.#byKey.values()) {
			const { spec, searcher } = core;
			if (
				spec.maxAgeMs === null &&
				(searcher === undefined || searcher.generation.nextExpiry === Number.POSITIVE_INFINITY)
			)
				continue;
			// What fails here is tried again the next time; a write that fails for the same reason says so to its caller.
			await core.track(prune(core, spec.maxAgeMs === null ? {} : { maxAgeMs: spec.maxAgeMs })).catch(() => {});
		}
	}

	#diskBytes(): number {
		const { folder, snapshots } = this.#holdings.paths;
		return folderBytes(folder) + folderBytes(snapshots);
	}

	async #close(): Promise<void> {
		clearInterval(this.#pruning);
		this.#host?.close();
		const { threads } = this.#core;
		const closed = new NighError("CLOSED", "the database is closed: open it again");
		// At once: a write that comes after this call is refused.
		const closing = [...this.#byKey.values()].map((core) => core.close(closed));
		await Promise.allSettled([this.#works.settled(), ...closing]);
		try {
			const opened = await Promise.allSettled([...this.#open.values()]);
			for (const each of opened) if (each.status === "fulfilled") await each.value.core.close(closed);
			for (const core of this.#byKey.values()) await threads.writer.call("close", core.key);
			await threads.indexer.call("close", undefined);
			await threads.writer.call("end", undefined);
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
