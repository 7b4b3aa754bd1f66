import type { DatabaseSync } from "node:sqlite";
import { type CollectionSpec, isNighError, NighError } from "@nigh/contract";
import { EmbeddedCollection } from "./collection.ts";
import { CollectionCore, type DatabaseCore } from "./core.ts";
import type { ExaminerThread } from "./examiner-thread.ts";
import { Gates } from "./gates.ts";
import { churnOf } from "./memory/generation.ts";
import type { ServedTable } from "./recall/served.ts";
import { findCollection } from "./records/catalogue.ts";
import { readersSpec, specOf } from "./spec.ts";
import { rehearse } from "./verbs/rehearse.ts";
import type { Installed } from "./workers/messages.ts";

export interface Opened {
	readonly core: CollectionCore;
	readonly collection: EmbeddedCollection;
}

/** What the collections need of their database. */
export interface CollectionsAround {
	/** `null` where it cannot be told. */
	diskBytes(): number | null;
	readonly examiner: Pick<ExaminerThread, "install" | "respec" | "forget">;
	/** What was known of a collection's recall when it was last closed. */
	tableOf(key: number): ServedTable | undefined;
}

/** The open collections of a database: each is opened once, and nobody gets one that is being dropped, closed or replaced. */
export class OpenCollections {
	readonly #core: DatabaseCore;
	readonly #connection: DatabaseSync;
	readonly #around: CollectionsAround;
	readonly #open = new Map<string, Promise<Opened>>();
	/** Visits under way of those that nobody else has open. */
	readonly #visits = new Map<string, number>();
	readonly #byKey = new Map<number, CollectionCore>();
	/** Generations that were told of before their collection was known here. */
	readonly #early = new Map<number, Installed>();

	constructor(core: DatabaseCore, connection: DatabaseSync, around: CollectionsAround) {
		this.#core = core;
		this.#connection = connection;
		this.#around = around;
	}

	get cores(): CollectionCore[] {
		return [...this.#byKey.values()];
	}

	nameOf(key: number): string {
		return this.#byKey.get(key)?.name ?? "";
	}

	/** Opens a collection, or creates it where there is a spec. */
	async open(name: string, spec?: CollectionSpec): Promise<Opened> {
		this.#visits.delete(name);
		return this.#openInTurn(name, spec);
	}

	/** Runs work on a collection, which is opened for it alone where nobody has it open. `undefined` where it is gone. */
	async visiting<T>(name: string, work: (core: CollectionCore) => Promise<T>): Promise<T | undefined> {
		const isAlone = this.#visits.has(name) || !this.#open.has(name);
		if (isAlone) this.#visits.set(name, (this.#visits.get(name) ?? 0) + 1);
		let opened: Opened | undefined;
		try {
			opened = await this.#openInTurn(name);
			return await work(opened.core);
		} catch (error) {
			if (isNighError(error, "CLOSED") || isNighError(error, "NOT_FOUND")) return undefined;
			throw error;
		} finally {
			if (isAlone) await this.#endVisit(name, opened);
		}
	}

	async #endVisit(name: string, opened: Opened | undefined): Promise<void> {
		const visits = this.#visits.get(name);
		// Somebody has asked for it meanwhile, who is to keep it.
		if (visits === undefined) return;
		if (visits > 1) this.#visits.set(name, visits - 1);
		else {
			this.#visits.delete(name);
			await opened?.collection.close();
		}
	}

	async #openInTurn(name: string, spec?: CollectionSpec): Promise<Opened> {
		// One after the other: the second finds what the first has created.
		const before = this.#open.get(name);
		const opening = (before ?? Promise.resolve()).catch(() => {}).then(() => this.#openAfter(name, spec, before));
		this.#open.set(name, opening);
		try {
			return await opening;
		} catch (error) {
			if (this.#open.get(name) === opening) {
				if (before === undefined) this.#open.delete(name);
				else this.#open.set(name, before);
			}
			throw error;
		}
	}

	async drop(name: string): Promise<boolean> {
		// Who opens it meanwhile waits, and begins anew.
		const gates = new Gates<Opened>(this.#open, [name]);
		const [opened] = await gates.before();
		const gone = new NighError("CLOSED", `the collection ${JSON.stringify(name)} has been dropped`);
		const closing = opened?.core.drop(gone);
		const drop = async () => {
			try {
				return await this.#core.threads.writer.call("drop", name);
			} finally {
				await closing;
			}
		};
		return this.#leave(gates, opened?.core, drop, true);
	}

	/** A generation has taken over. */
	install(installed: Installed): void {
		void this.#core.threads.reader.call("attach", installed).catch(() => {});
		const core = this.#byKey.get(installed.key);
		if (core === undefined) this.#early.set(installed.key, installed);
		else this.#installIn(core, installed);
	}

	#installIn(core: CollectionCore, installed: Installed): void {
		core.install(installed);
		this.#around.examiner.install(installed, { name: core.name, spec: core.spec });
		this.#tellIndexer(core);
	}

	/** Something has been found out about the recall of a collection. */
	served(table: ServedTable): void {
		const core = this.#byKey.get(table.key);
		if (core === undefined) return;
		core.recall.take(table);
		this.#tellIndexer(core);
	}

	/** Whoever builds and folds need not ask an index of which something is known. */
	#tellIndexer({ key, searcher, recall }: CollectionCore): void {
		const { table } = recall.serving;
		if (searcher === undefined || table === undefined || !recall.isKnown(searcher.generation)) return;
		const { identity, cells } = table;
		// As of the newest certificate: from then on it grows old.
		const churn = Math.min(churnOf(searcher.generation), Math.max(...cells.map((cell) => cell.churn)));
		this.#core.threads.indexer.call("certified", { key, identity, churn }).catch(() => {});
	}

	/** Writers wait, or wait no longer. */
	waiting(key: number, waiting: boolean): void {
		const core = this.#byKey.get(key);
		if (core !== undefined) core.isWaiting = waiting;
	}

	/** Refuses every call from now on with `reason`; resolves when those under way have ended. */
	async close(reason: NighError): Promise<void> {
		await Promise.allSettled(this.cores.map((core) => core.close(reason)));
		for (const each of await Promise.allSettled(this.#open.values())) {
			if (each.status === "fulfilled") await each.value.core.close(reason);
		}
	}

	async #openAfter(
		name: string,
		given: CollectionSpec | undefined,
		before: Promise<Opened> | undefined,
	): Promise<Opened> {
		const opened = await before?.catch(() => undefined);
		const { threads, settings } = this.#core;
		const stored = opened?.core.spec ?? findCollection(this.#connection, name)?.spec;
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
		if (stored !== undefined && JSON.stringify(spec) !== JSON.stringify(stored)) {
			if (settings.readOnly) core.spec = readersSpec(spec, stored);
			else core.spec = await threads.writer.call("respec", { key: core.key, spec });
			core.recall.configure(core.spec.tuner);
			this.#around.examiner.respec(core.key, core.spec);
		}
		if (opened !== undefined) return opened;
		await rehearse(core);
		return { core, collection: this.#collectionOf(core) };
	}

	async #begin(name: string, spec: Parameters<typeof specOf>[1]): Promise<CollectionCore> {
		const opened = await this.#core.threads.writer.call("open", { name, spec });
		const core = new CollectionCore(this.#core, { ...opened, name }, undefined);
		this.#byKey.set(core.key, core);
		const installed = this.#early.get(core.key);
		this.#early.delete(core.key);
		const table = this.#around.tableOf(core.key);
		if (table !== undefined) core.recall.take(table);
		if (installed !== undefined) this.#installIn(core, installed);
		return core;
	}

	#collectionOf(core: CollectionCore): EmbeddedCollection {
		return new EmbeddedCollection(core, {
			diskBytes: this.#around.diskBytes,
			close: (reason) => this.#closeCollection(core, reason),
		});
	}

	async #closeCollection(core: CollectionCore, reason: NighError): Promise<void> {
		// It was dropped or replaced: what has its name now is another.
		if (this.#byKey.get(core.key) !== core) return core.close(reason);
		const gates = new Gates<Opened>(this.#open, [core.name]);
		await this.#leave(gates, core, async () => {
			await core.close(reason);
			await this.#core.threads.writer.call("close", core.key);
		});
	}

	/** Lets go of a collection after work that closes or drops it. Where that fails and it is there still, it stays open as it was. */
	async #leave<T>(
		gates: Gates<Opened>,
		core: CollectionCore | undefined,
		work: () => Promise<T>,
		isGone = false,
	): Promise<T> {
		try {
			const result = await work();
			if (core !== undefined) await this.#forget(core, isGone);
			gates.leave(false);
			return result;
		} catch (error) {
			const isThere = core !== undefined && this.#isThere(core);
			if (isThere) core.reopen();
			else if (core !== undefined) await this.#forget(core, true);
			gates.leave(isThere);
			throw error;
		}
	}

	#isThere({ name, key }: CollectionCore): boolean {
		try {
			return findCollection(this.#connection, name)?.key === key;
		} catch {
			// Records that cannot be read now have not gone.
			return true;
		}
	}

	/** Runs work that puts others in the place of these; they are closed before, and open again where it fails. */
	async replacing<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
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
			for (const { core } of opened) await this.#forget(core, true);
			gates.leave(false);
			return result;
		} catch (error) {
			for (const { core } of opened) core.reopen();
			gates.leave(true);
			throw error;
		}
	}

	/** @param isGone The records are others by now, or none: what was found out about them goes too. */
	async #forget({ key, recall }: CollectionCore, isGone: boolean): Promise<void> {
		this.#byKey.delete(key);
		this.#early.delete(key);
		// A thread that has ended by itself has let go of everything.
		await this.#core.threads.reader.call("detach", key).catch(() => {});
		await this.#around.examiner.forget(key, isGone, isGone ? undefined : recall.learned);
	}
}
