import type { Database } from "../database.ts";

/** What the suite asks of a test runner: `test` of node:test, of Vitest, of Deno, or a page's own. */
export type Test = (name: string, run: () => Promise<void>) => unknown;

/** What the suite asks of an assertion library, all strict: node:assert/strict fits. */
export interface Assert {
	ok(value: unknown, message?: string): void;
	equal(actual: unknown, expected: unknown, message?: string): void;
	deepEqual(actual: unknown, expected: unknown, message?: string): void;
	fail(message: string): never;
}

export interface OpenOptions {
	/**
	 * The clock of the database, in ms since 1970: what has expired, how old a record is, and `insertedAt` and `updatedAt` are told by it. The
	 * suite moves it forward between calls.
	 */
	readonly now?: () => number;
}

/** A database for one test. */
export interface Opened {
	/** Without any collection. */
	readonly database: Database;
	/** Closes the database and opens it again over the same data and the same clock. Left out where nothing outlives a database. */
	readonly reopen?: () => Promise<Database>;
	/** Where `backup` may write; another, unused one for each call. Needed with the feature `backup`. */
	readonly backupPlace?: () => string;
	/** Closes the database, reopened or not, and takes its data away. */
	close(): Promise<void>;
}

/** What the suite runs with, and on. */
export interface Suite {
	readonly test: Test;
	readonly assert: Assert;
	readonly open: (options?: OpenOptions) => Promise<Opened>;
}
