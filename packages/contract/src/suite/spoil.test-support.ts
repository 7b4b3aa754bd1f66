// What it takes to make a back end wrong: an overlay on the reference, verb by verb.
import type { Collection } from "../collection.ts";
import type { Database } from "../database.ts";
import type { Metadata } from "../metadata.ts";
import type { Hit, SearchRequest, SearchResult } from "../search.ts";
import { openReference } from "./reference.test-support.ts";
import type { Opened, OpenOptions } from "./suite.ts";

type Open = (options?: OpenOptions) => Promise<Opened>;
/** The verbs that are other than those of the collection. */
type Spoilt = (collection: Collection) => Partial<Collection>;

/** One way to be wrong, and the part of the suite that has to find it. */
export interface Sabotage {
	readonly what: string;
	readonly foundBy: string;
	readonly open: Open;
}

export function sabotage(what: string, foundBy: string, spoil: Spoilt): Sabotage {
	return { what, foundBy, open: async (options) => spoilCollections(await openReference(options), spoil) };
}

export function sabotageDatabase(
	what: string,
	foundBy: string,
	spoil: (database: Database) => Partial<Database>,
): Sabotage {
	const open: Open = async (options) => {
		const opened = await openReference(options);
		return { ...opened, database: overlay(opened.database, spoil(opened.database)) };
	};
	return { what, foundBy, open };
}

export function spoilCollections(opened: Opened, spoil: Spoilt): Opened {
	const wrap = (database: Database) =>
		overlay<Database>(database, {
			collection: async <M extends Metadata>(...of: Parameters<Database["collection"]>) => {
				const collection = (await database.collection(...of)) as Collection;
				return overlay(collection, spoil(collection)) as unknown as Collection<M>;
			},
		});
	const { reopen } = opened;
	return { ...opened, database: wrap(opened.database), ...(reopen && { reopen: async () => wrap(await reopen()) }) };
}

/** `target` with other methods. The rest are called on the target itself, whose fields are private. */
function overlay<T extends object>(target: T, methods: Partial<T>): T {
	return new Proxy(target, {
		get: (_, key) => {
			const value = Reflect.get(key in methods ? methods : target, key);
			// What belongs to a verb goes with it, as `tune.stats` does.
			return typeof value === "function" ? Object.assign(value.bind(target), value) : value;
		},
	});
}

/** Every answer with its hits changed. */
export function withHits(what: string, foundBy: string, change: (hits: readonly Hit[]) => readonly Hit[]): Sabotage {
	const spoil = (result: SearchResult) => ({ ...result, hits: change(result.hits) });
	return sabotage(what, foundBy, (c) => ({
		search: async (request) => spoil(await c.search(request)),
		searchMany: async (...of) => (await c.searchMany(...of)).map(spoil),
	}));
}

/** Every request changed before it is answered. */
export function withRequest(what: string, foundBy: string, change: (request: SearchRequest) => object): Sabotage {
	return sabotage(what, foundBy, (c) => ({
		search: (request) => c.search(change(request)),
		searchMany: (requests, options) => c.searchMany(Array.isArray(requests) ? requests.map(change) : requests, options),
	}));
}
