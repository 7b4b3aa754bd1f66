import {
	type Collection,
	type CollectionStats,
	type Database,
	type HealthReport,
	type HealthStatus,
	type Id,
	isNighError,
	type LatencyStats,
} from "@nigh/contract";

/** What a reader can tell of a collection. */
export interface CollectionLook {
	readonly name: string;
	readonly records: number;
	readonly changeNumber: number;
	/** As this reader holds it: it follows the writer's records, and takes them into an index of its own. */
	readonly index: CollectionStats["index"];
	/** Share of the vectors that are in the main index, 0 to 1. */
	readonly folded: number;
	/** A second, since the look before; `null` at the first. Records that were deleted count against those that came. */
	readonly rates: { readonly records: number; readonly changes: number } | null;
	/** Times of the searches that the looks make themselves, in ms; `null` where there is nothing to search for. */
	readonly probes: LatencyStats | null;
	/** Bytes of memory in this process; `null` where that is not known. */
	readonly memoryBytes: number | null;
	readonly health: HealthReport;
}

/** What a reader can tell of a database. */
export interface Look {
	/** ms since 1970. */
	readonly time: number;
	/** The worst of the collections. */
	readonly status: HealthStatus;
	readonly diskBytes: number | null;
	readonly collections: readonly CollectionLook[];
}

/** Searches of one look in each collection: enough for a percentile after some looks, few enough not to be felt. */
const PROBES = 5;
const K = 10;

interface Watched {
	readonly collection: Collection;
	/** The probes go on behind this id. */
	after: Id | undefined;
	before: { readonly time: number; readonly records: number; readonly changeNumber: number } | undefined;
}

/** Looks at a database again and again, remembering what it takes to tell rates. */
export class Watcher {
	readonly #database: Database;
	readonly #clock: () => number;
	readonly #watched = new Map<string, Watched>();

	/** @param database Opened for reading; whoever opened it closes it. */
	constructor(database: Database, clock: () => number = Date.now) {
		this.#database = database;
		this.#clock = clock;
	}

	/** The newest state that has been published. */
	async look(): Promise<Look> {
		const names = await this.#database.collections();
		for (const name of this.#watched.keys()) if (!names.includes(name)) await this.#forget(name);
		const looks: CollectionLook[] = [];
		let diskBytes: number | null = null;
		for (const name of names) {
			const seen = await this.#lookAt(name);
			if (seen === undefined) continue;
			looks.push(seen.look);
			diskBytes = seen.diskBytes;
		}
		return {
			time: this.#clock(),
			status: worst(looks.map(({ health }) => health.status)),
			diskBytes,
			collections: looks,
		};
	}

	/** `undefined`: dropped while it was looked at. */
	async #lookAt(name: string): Promise<{ look: CollectionLook; diskBytes: number | null } | undefined> {
		try {
			const watched = await this.#watch(name);
			const { collection, before } = watched;
			await collection.refresh();
			await probe(watched);
			const { records, changeNumber, index, latency, memory, diskBytes } = await collection.stats();
			const time = this.#clock();
			watched.before = { time, records, changeNumber };
			const seconds = before === undefined ? 0 : (time - before.time) / 1_000;
			const rates =
				before === undefined || seconds <= 0
					? null
					: {
							records: (records - before.records) / seconds,
							changes: (changeNumber - before.changeNumber) / seconds,
						};
			const folded = index.main + index.tail === 0 ? 1 : index.main / (index.main + index.tail);
			const memoryBytes = memory?.total ?? null;
			const health = await collection.health();
			return {
				look: { name, records, changeNumber, index, folded, rates, probes: latency.search, memoryBytes, health },
				diskBytes,
			};
		} catch (error) {
			if (!isNighError(error, "NOT_FOUND") && !isNighError(error, "CLOSED")) throw error;
			await this.#forget(name);
			return undefined;
		}
	}

	async #watch(name: string): Promise<Watched> {
		const known = this.#watched.get(name);
		if (known !== undefined) return known;
		const collection = await this.#database.collection(name);
		const watched: Watched = { collection, after: undefined, before: undefined };
		this.#watched.set(name, watched);
		return watched;
	}

	async #forget(name: string): Promise<void> {
		const known = this.#watched.get(name);
		this.#watched.delete(name);
		await known?.collection.close();
	}
}

function worst(statuses: readonly HealthStatus[]): HealthStatus {
	return (["failing", "degraded"] as const).find((status) => statuses.includes(status)) ?? "ok";
}

/** Searches near to some records, other ones each time. */
async function probe(watched: Watched): Promise<void> {
	const { collection, after } = watched;
	const include = { metadata: false };
	const ids: Id[] = [];
	const options = after === undefined ? {} : { after };
	for await (const { id } of collection.scan({ ...options, limit: PROBES, include })) ids.push(id);
	// At the end it begins again.
	watched.after = ids.length < PROBES ? undefined : ids.at(-1);
	for (const id of ids) {
		try {
			await collection.search({ id, k: K, include });
		} catch (error) {
			// Deleted between the two.
			if (!isNighError(error, "NOT_FOUND")) throw error;
		}
	}
}
