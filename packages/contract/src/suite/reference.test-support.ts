// A back end that does everything the simplest way: a `Map` and a full comparison. It is there to show that the suite can be passed, and,
// made wrong on purpose, that the suite can be failed.
import { type Capabilities, FEATURES, type Feature, requireFeature } from "../capabilities.ts";
import type { Collection } from "../collection.ts";
import type { CollectionSpec } from "../collection-spec.ts";
import type { Database } from "../database.ts";
import { NighError } from "../errors.ts";
import { INDEX_KINDS } from "../index-spec.ts";
import type { Metadata } from "../metadata.ts";
import { checkCollectionName } from "../names.ts";
import { checkOptions } from "../options.ts";
import { begin, reportProgress } from "./reference-checks.test-support.ts";
import { ReferenceCollection } from "./reference-collection.test-support.ts";
import { settle } from "./reference-spec.test-support.ts";
import { fillOf, type Stored } from "./reference-store.test-support.ts";
import type { Opened, OpenOptions } from "./suite.ts";

/** What outlives a database. */
interface Disk {
	readonly collections: Map<string, Stored>;
	readonly backups: Map<string, ReadonlyMap<string, Stored>>;
}

/** Everything: a full comparison can do it by any name. */
export const FULL: Capabilities = {
	backend: "reference",
	features: featuresBut([]),
	metrics: ["cosine", "l2", "ip", "l1", "hamming"],
	indexes: INDEX_KINDS,
	limits: { dimensions: 16_384, bits: 131_072, k: 10_000 },
};

/** As little as the contract lets a back end do. */
export const LEAST: Capabilities = {
	backend: "small reference",
	features: featuresBut(FEATURES),
	metrics: ["ip"],
	indexes: ["flat"],
	limits: { dimensions: 2_000, bits: 0, k: 1_000 },
};

function featuresBut(missing: readonly Feature[]): Readonly<Record<Feature, boolean>> {
	return Object.fromEntries(FEATURES.map((each) => [each, !missing.includes(each)])) as Record<Feature, boolean>;
}

export async function openReference({ now = () => 0 }: OpenOptions = {}, capabilities = FULL): Promise<Opened> {
	const disk: Disk = { collections: new Map(), backups: new Map() };
	const open = () => new ReferenceDatabase(disk, capabilities, now);
	let database = open();
	let places = 0;
	return {
		database,
		reopen: async () => {
			await database.close();
			database = open();
			return database;
		},
		...(capabilities.features.backup && { backupPlace: () => `backup-${++places}` }),
		close: () => database.close(),
	};
}

class ReferenceDatabase implements Database {
	readonly capabilities: Capabilities;
	readonly #disk: Disk;
	readonly #now: () => number;
	#closed = false;

	constructor(disk: Disk, capabilities: Capabilities, now: () => number) {
		this.#disk = disk;
		this.capabilities = capabilities;
		this.#now = now;
	}

	async collection<M extends Metadata>(name: string, spec?: CollectionSpec): Promise<Collection<M>> {
		this.#check();
		checkCollectionName(name);
		const { collections } = this.#disk;
		const existing = collections.get(name);
		if (existing === undefined && spec === undefined) {
			throw new NighError("NOT_FOUND", `There is no collection ${name}. Give a spec to create it.`, { name });
		}
		const effective = await settle(this.capabilities, spec ?? {}, existing?.effective);
		const stored = existing ?? { effective, rows: new Map(), change: 0, searches: 0, writes: 0, dropped: false };
		stored.effective = effective;
		collections.set(name, stored);
		const isClosed = () => this.#closed;
		const place = { name, isClosed, capabilities: this.capabilities, now: this.#now };
		return new ReferenceCollection(stored, place, spec?.embedder) as unknown as Collection<M>;
	}

	async collections(): Promise<string[]> {
		this.#check();
		return [...this.#disk.collections.keys()].sort();
	}

	async drop(name: string, options?: object): Promise<boolean> {
		this.#check("drop", options, []);
		checkCollectionName(name);
		const stored = this.#disk.collections.get(name);
		if (stored !== undefined) stored.dropped = true;
		return this.#disk.collections.delete(name);
	}

	async backup(destination: string, options?: object) {
		this.#check("backup", options, ["onProgress", "gzip", "keep"], "backup");
		const copy = copyOf(this.#disk.collections);
		this.#disk.backups.set(destination, copy);
		const records = recordsOf(copy);
		reportProgress(options, records);
		return { path: destination, collections: [...copy.keys()], records, bytes: records + 1 };
	}

	async restore(source: string, options?: object) {
		this.#check("restore", options, ["onProgress", "overwrite"], "restore");
		const backup = this.#disk.backups.get(source);
		if (backup === undefined) throw new NighError("NOT_FOUND", `There is no backup ${source}.`, { source });
		const { collections } = this.#disk;
		const overwrite = (options as { overwrite?: boolean } | undefined)?.overwrite ?? false;
		const there = [...backup.keys()].filter((name) => collections.has(name));
		if (there.length > 0 && !overwrite) {
			throw new NighError("SPEC_CONFLICT", `There already is ${there}. Restore with overwrite: true.`, {
				there: `${there}`,
			});
		}
		for (const [name, stored] of copyOf(backup)) {
			const old = collections.get(name);
			if (old !== undefined) old.dropped = true;
			collections.set(name, stored);
		}
		return { collections: [...backup.keys()], records: recordsOf(backup) };
	}

	async verify(options?: object) {
		this.#check("verify", options, ["onProgress"], "verify");
		return { ok: true, bytes: 0, problems: [] };
	}

	async repair(options?: object) {
		this.#check("repair", options, ["onProgress"], "repair");
		return { repaired: [], remaining: [] };
	}

	async health() {
		this.#check();
		const collections = Object.fromEntries(
			[...this.#disk.collections].map(([name, stored]) => [name, fillOf(stored, this.#now()).health]),
		);
		const isWell = Object.values(collections).every(({ status }) => status === "ok");
		return { status: isWell ? ("ok" as const) : ("degraded" as const), reasons: [], collections };
	}

	async share() {
		this.#check("share", undefined, [], "share");
		return { kind: "nigh-share" as const };
	}

	async close(): Promise<void> {
		this.#closed = true;
	}

	#check(verb = "database", options?: object, names: readonly string[] = [], feature?: Feature): void {
		if (this.#closed) throw new NighError("CLOSED", "The database is closed. Open it again.");
		if (feature !== undefined) requireFeature(this.capabilities, feature);
		checkOptions(options, [...names, "signal"], verb);
		begin(options);
	}
}

function copyOf(collections: ReadonlyMap<string, Stored>): Map<string, Stored> {
	return new Map(Array.from(collections, ([name, stored]) => [name, structuredClone(stored)]));
}

function recordsOf(collections: ReadonlyMap<string, Stored>): number {
	return [...collections.values()].reduce((sum, { rows }) => sum + rows.size, 0);
}
