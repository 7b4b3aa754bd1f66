import type { CollectionCore, DatabaseCore } from "../core.ts";
import type { FolderPaths } from "../folder/layout.ts";
import type { CatalogueEntry } from "../records/catalogue.ts";

/** An open database, as its maintenance sees it. */
export interface Maintained {
	readonly core: DatabaseCore;
	readonly paths: FolderPaths;
	/** The collections that are open now. */
	opened(): readonly CollectionCore[];
	/** What tells this database from others. */
	databaseId(): string;
	/** The names of all collections. */
	names(): readonly string[];
	/** All collections. @throws NighError `CORRUPT_RECORDS`. */
	stored(): readonly CatalogueEntry[];
	/**
	 * Runs work on a collection. One that is not open is opened for it, and closed again unless somebody else has asked for it meanwhile: of
	 * those that nobody has open, one at a time takes memory. `undefined` where it is gone.
	 */
	visiting<T>(name: string, work: (core: CollectionCore) => Promise<T>): Promise<T | undefined>;
	/**
	 * Runs work that replaces collections. Their open handles answer `CLOSED` from here on, and opening one of the names waits; where the
	 * work fails, the handles are as they were.
	 */
	replacing<T>(names: readonly string[], work: () => Promise<T>): Promise<T>;
}
