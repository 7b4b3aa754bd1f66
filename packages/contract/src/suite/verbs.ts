// Every verb once, called rightly: to call each of them with something wrong around it.
import type { Feature } from "../capabilities.ts";
import type { Collection } from "../collection.ts";
import type { Database } from "../database.ts";
import { collect } from "./model.ts";
import type { Setting } from "./setting.ts";

/** One call of a verb. `options` is what is to be tried beside what the verb needs. */
export interface Verb<Target> {
	readonly name: string;
	/** What the back end needs to support for it. */
	readonly feature?: Feature;
	/** Whether it takes options, a signal among them. */
	readonly takesOptions: boolean;
	readonly call: (target: Target, options: object) => Promise<unknown>;
}

const VECTOR = [1, 2, 3, 4];

/** The collection's vectors must have 4 floats. An index kind of the back end is chosen to `convert` to. */
export function collectionVerbs({ capabilities }: Setting): readonly Verb<Collection>[] {
	const [kind = "flat"] = capabilities.indexes;
	const takesOptions = true;
	return [
		{ name: "upsert", takesOptions, call: (c, options) => c.upsert([{ id: "new", vector: VECTOR }], options) },
		{ name: "update", takesOptions, call: (c, options) => c.update([{ id: "a", metadata: { by: "verb" } }], options) },
		{ name: "get", takesOptions, call: (c, options) => c.get("a", options) },
		{ name: "get several", takesOptions, call: (c, options) => c.get(["a"], options) },
		{ name: "delete", takesOptions, call: (c, options) => c.delete("a", options) },
		{ name: "delete by filter", takesOptions, call: (c, options) => c.delete({ filter: {} }, options) },
		{ name: "count", takesOptions, call: (c, options) => c.count(options) },
		{ name: "scan", takesOptions, call: (c, options) => collect(c.scan(options)) },
		{ name: "search", takesOptions, call: (c, options) => c.search({ vector: VECTOR, ...options }) },
		{ name: "searchMany", takesOptions, call: (c, options) => c.searchMany([{ vector: VECTOR }], options) },
		{ name: "prune", takesOptions, call: (c, options) => c.prune({ maxRecords: 1, ...options }) },
		{ name: "optimize", feature: "optimize", takesOptions, call: (c, options) => c.optimize(options) },
		{ name: "rebuild", feature: "rebuild", takesOptions, call: (c, options) => c.rebuild(options) },
		{ name: "convert", feature: "convert", takesOptions, call: (c, options) => c.convert({ kind }, options) },
		{ name: "certify", feature: "certify", takesOptions, call: (c, options) => c.certify(options) },
		{ name: "tune", feature: "tune", takesOptions, call: (c, options) => c.tune(options) },
		{ name: "tune.stats", feature: "tune", takesOptions: false, call: (c) => c.tune.stats() },
		{ name: "tune.reset", feature: "tune", takesOptions: false, call: (c) => c.tune.reset() },
		{ name: "warm", feature: "warm", takesOptions, call: (c, options) => c.warm(options) },
		{ name: "refresh", feature: "refresh", takesOptions, call: (c, options) => c.refresh(options) },
		{ name: "analyze", feature: "analyze", takesOptions, call: (c, options) => c.analyze(options) },
		{ name: "health", takesOptions: false, call: (c) => c.health() },
		{ name: "stats", takesOptions: false, call: (c) => c.stats() },
	];
}

/** `name` is a collection that is there. */
export function databaseVerbs({ opened }: Setting, name: string): readonly Verb<Database>[] {
	const takesOptions = true;
	const place = opened.backupPlace ?? (() => "nowhere");
	return [
		{ name: "collection", takesOptions: false, call: (db) => db.collection(name) },
		{ name: "collections", takesOptions: false, call: (db) => db.collections() },
		{ name: "drop", takesOptions, call: (db, options) => db.drop(name, options) },
		{ name: "backup", feature: "backup", takesOptions, call: (db, options) => db.backup(place(), options) },
		{ name: "restore", feature: "restore", takesOptions, call: (db, options) => db.restore(place(), options) },
		{ name: "verify", feature: "verify", takesOptions, call: (db, options) => db.verify(options) },
		{ name: "repair", feature: "repair", takesOptions, call: (db, options) => db.repair(options) },
		{ name: "health", takesOptions: false, call: (db) => db.health() },
		{ name: "share", feature: "share", takesOptions: false, call: (db) => db.share() },
	];
}
