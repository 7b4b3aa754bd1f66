import type { CollectionCore, DatabaseCore } from "../core.ts";
import type { FolderPaths } from "../folder/layout.ts";

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
	/**
	 * Runs work that replaces collections. Their open handles answer `CLOSED` from here on, and opening one of the names waits; where the
	 * work fails, the handles are as they were.
	 */
	replacing<T>(names: readonly string[], work: () => Promise<T>): Promise<T>;
}
