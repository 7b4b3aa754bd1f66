import type { DatabaseSync } from "node:sqlite";
import {
	type BackupReport,
	type Capabilities,
	type Collection,
	type CollectionSpec,
	checkCollectionName,
	type Database,
	type DatabaseHealth,
	type Metadata,
	NighError,
	type RepairReport,
	type RestoreReport,
	requireFeature,
	type ShareHandle,
	type VerifyReport,
} from "@nigh/contract";
import { SHARED } from "../capabilities.ts";
import { EmbeddedCollection } from "../collection.ts";
import { CollectionCore, type DatabaseCore } from "../core.ts";
import type { ServedTable } from "../recall/served.ts";
import { listCollections } from "../records/catalogue.ts";
import { readersSpec, specOf } from "../spec.ts";
import { databaseHealth } from "../verbs/health.ts";
import { rehearse } from "../verbs/rehearse.ts";
import type { Installed } from "../workers/messages.ts";
import type { Caller } from "../workers/rpc.ts";
import type { HostMethods } from "./messages.ts";

/** A database as a thread reads it that shares the memory of the one that has opened it. */
export class SharedDatabase implements Database {
	readonly capabilities: Capabilities = SHARED;
	readonly #host: Caller<HostMethods>;
	readonly #connection: DatabaseSync;
	readonly #core: DatabaseCore;
	readonly #leave: () => void;
	readonly #open = new Map<string, Promise<{ core: CollectionCore; collection: EmbeddedCollection }>>();
	readonly #byKey = new Map<number, CollectionCore>();
	/** Those that are being closed: who opens one anew gets the same area of memory. */
	readonly #leaving = new Map<string, Promise<void>>();
	#closing: Promise<void> | undefined;

	constructor(host: Caller<HostMethods>, connection: DatabaseSync, core: DatabaseCore, leave: () => void) {
		this.#host = host;
		this.#connection = connection;
		this.#core = core;
		this.#leave = leave;
	}

	async collection<M extends Metadata = Metadata>(name: string, spec?: CollectionSpec): Promise<Collection<M>> {
		this.#checkOpen();
		checkCollectionName(name);
		const { core, collection } = await this.#opened(name);
		if (spec !== undefined) core.spec = readersSpec(await specOf(spec, core.spec), core.spec);
		if (spec?.embedder !== undefined) core.embedder = spec.embedder;
		return collection as unknown as Collection<M>;
	}

	async collections(): Promise<string[]> {
		this.#checkOpen();
		return listCollections(this.#connection).map(({ name }) => name);
	}

	async health(): Promise<DatabaseHealth> {
		this.#checkOpen();
		return databaseHealth(this.#core, [...this.#byKey.values()], () => listCollections(this.#connection));
	}

	async drop(): Promise<boolean> {
		this.#checkOpen();
		throw new NighError("READ_ONLY", "this thread only reads: drop it in the thread that has opened the database.");
	}

	async backup(): Promise<BackupReport> {
		return this.#unsupported("backup");
	}

	async restore(): Promise<RestoreReport> {
		return this.#unsupported("restore");
	}

	async verify(): Promise<VerifyReport> {
		return this.#unsupported("verify");
	}

	async repair(): Promise<RepairReport> {
		return this.#unsupported("repair");
	}

	async share(): Promise<ShareHandle> {
		return this.#unsupported("share");
	}

	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	/** A generation has taken over. */
	install(installed: Installed): void {
		const core = this.#byKey.get(installed.key);
		// One that it has already, as told beside the answer to opening: two would write into the same area.
		if (core === undefined || core.searcher?.generation.handle.number === installed.generation.number) return;
		// What cannot be attached is told to those who search in it.
		void this.#core.threads.reader.call("attach", installed).catch(() => {});
		core.install(installed);
		// A thread that was ended while it read had the number before; this one does not read in it yet.
		core.searcher?.generation.endTurn(installed.areas.caller.reader);
	}

	/** Something has been found out about the recall of a collection. */
	served(table: ServedTable): void {
		this.#byKey.get(table.key)?.recall.take(table);
	}

	/** One for all who ask; an opening that has failed is tried again by the next. */
	async #opened(name: string): Promise<{ core: CollectionCore; collection: EmbeddedCollection }> {
		const opening = this.#open.get(name) ?? this.#begin(name);
		this.#open.set(name, opening);
		try {
			return await opening;
		} catch (error) {
			if (this.#open.get(name) === opening) this.#open.delete(name);
			throw error;
		}
	}

	async #begin(name: string): Promise<{ core: CollectionCore; collection: EmbeddedCollection }> {
		await this.#leaving.get(name);
		const { entry, installed, table } = await this.#host.call("open", name);
		const core = new CollectionCore(this.#core, entry, undefined);
		this.#byKey.set(core.key, core);
		if (table !== undefined) core.recall.take(table);
		if (installed !== undefined) this.install(installed);
		await rehearse(core);
		const close = async (reason: NighError) => {
			const closing = this.#letGo(core, reason);
			if (this.#byKey.get(core.key) === core) {
				this.#open.delete(name);
				this.#byKey.delete(core.key);
				this.#leaving.set(name, closing);
			}
			await closing;
			if (this.#leaving.get(name) === closing) this.#leaving.delete(name);
		};
		return { core, collection: new EmbeddedCollection(core, { diskBytes: () => null, close }) };
	}

	/** Whoever opens it anew waits for this: what is attached then must not go. */
	async #letGo(core: CollectionCore, reason: NighError): Promise<void> {
		await core.close(reason);
		if (this.#byKey.get(core.key) === core) this.#byKey.delete(core.key);
		// What could not be attached need not be let go of.
		await this.#core.threads.reader.call("detach", core.key).catch(() => {});
	}

	async #close(): Promise<void> {
		const closed = new NighError("CLOSED", "the database is closed: open it again");
		for (const core of [...this.#byKey.values()]) await this.#letGo(core, closed);
		// The host may be gone already; it does not mind then.
		this.#host.call("leave", undefined).catch(() => {});
		this.#connection.close();
		this.#leave();
	}

	#checkOpen(): void {
		if (this.#closing !== undefined) throw new NighError("CLOSED", "the database is closed: open it again");
	}

	#unsupported(feature: "backup" | "restore" | "verify" | "repair" | "share"): never {
		this.#checkOpen();
		requireFeature(SHARED, feature, `${feature}() in a thread that shares a database`);
		throw new NighError("UNSUPPORTED", `${feature}() belongs to the thread that has opened the database`);
	}
}
