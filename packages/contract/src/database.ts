import type { Capabilities } from "./capabilities.ts";
import type { Collection } from "./collection.ts";
import type { ProgressOptions } from "./collection-reports.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import type { DatabaseHealth } from "./health.ts";
import type { Metadata } from "./metadata.ts";
import type { CallOptions } from "./records.ts";

export interface BackupOptions extends ProgressOptions {
	/** Write one `.tar.gz` file instead of a folder. Default: whether the destination ends in `.tar.gz`. */
	readonly gzip?: boolean;
	/** Treat the destination as a folder of backups: write a new one named by its time into it, and keep only the newest so many. 1 to 1,000. */
	readonly keep?: number;
}

export interface BackupReport {
	/** Where the backup is. */
	readonly path: string;
	readonly collections: readonly string[];
	readonly records: number;
	readonly bytes: number;
}

export interface RestoreOptions extends ProgressOptions {
	/** Replace collections of the same names. Default: false, which refuses with `SPEC_CONFLICT` and restores nothing. */
	readonly overwrite?: boolean;
}

export interface RestoreReport {
	readonly collections: readonly string[];
	readonly records: number;
}

/** One thing that is not as it should be. */
export interface VerifyProblem {
	/** `null`: the database itself. */
	readonly collection: string | null;
	readonly code: "CORRUPT_SNAPSHOT" | "CORRUPT_RECORDS" | "NEWER_VERSION";
	readonly message: string;
	/** What to do. A damaged index is derived from the records and can be built again: `repair()` does. */
	readonly recommendation: string;
}

export interface VerifyReport {
	/** Whether there is no problem. */
	readonly ok: boolean;
	/** Bytes whose checksums were computed. */
	readonly bytes: number;
	readonly problems: readonly VerifyProblem[];
}

export interface RepairReport {
	readonly repaired: readonly VerifyProblem[];
	/** What cannot be repaired: records that are lost need a backup. */
	readonly remaining: readonly VerifyProblem[];
}

/** Opaque. Can be posted to a worker thread, which opens a reader over the same memory with it. */
export interface ShareHandle {
	readonly kind: "nigh-share";
}

/**
 * A set of collections. Every verb may fail with `CLOSED` (after `close`), `ABORTED` (its signal), `INVALID_OPTION`, `UNSUPPORTED`
 * (see {@link Capabilities}), and `UNAVAILABLE` or `CIRCUIT_OPEN` (a back end that cannot be reached).
 */
export interface Database {
	/** What this back end supports. */
	readonly capabilities: Capabilities;

	/**
	 * Opens a collection, creating it if it is not there. `M` is a promise of the caller about the metadata; it is not checked.
	 *
	 * @param name A lower-case letter, then lower-case letters, digits, `_` and `-`, 48 characters at most.
	 * @param spec May be left out for a collection that exists. What it leaves out is as stored.
	 * @throws NighError `NOT_FOUND` (no spec, no collection), `SPEC_CONFLICT` (stored with another spec or embedder), `READ_ONLY`.
	 */
	collection<M extends Metadata = Metadata>(name: string, spec?: CollectionSpec): Promise<Collection<M>>;

	/** The names of all collections, in order. */
	collections(): Promise<string[]>;

	/** Deletes a collection with all its records. Returns whether there was one. */
	drop(name: string, options?: CallOptions): Promise<boolean>;

	/** Writes a consistent copy while the database stays in use. `destination` must not exist, except with `keep`. */
	backup(destination: string, options?: BackupOptions): Promise<BackupReport>;

	/**
	 * Takes the collections of a backup in.
	 *
	 * @throws NighError `NOT_FOUND`, `CORRUPT_RECORDS`, `NEWER_VERSION`, `SPEC_CONFLICT`, `READ_ONLY`, `DISK_FULL`.
	 */
	restore(source: string, options?: RestoreOptions): Promise<RestoreReport>;

	/**
	 * Reads everything and compares checksums, and every index with its records; a collection that is not open is opened for it and closed
	 * again. Problems are reported, not thrown.
	 *
	 * @throws NighError `MEMORY_LIMIT` where there is no memory for an index that is to be read.
	 */
	verify(options?: ProgressOptions): Promise<VerifyReport>;

	/** Builds damaged indexes again from the records. Never deletes a record. */
	repair(options?: ProgressOptions): Promise<RepairReport>;

	/**
	 * How every collection is. One that is not open is not opened for it, which could take as much memory as it has: of that one the limits are
	 * told, and what is the matter with its index shows once it is open (`verify` opens them all).
	 */
	health(): Promise<DatabaseHealth>;

	/** A handle with which worker threads read from the same memory. */
	share(): Promise<ShareHandle>;

	/** Waits for what is under way, writes snapshots and gives up the lock. A second call does nothing. */
	close(): Promise<void>;
}
