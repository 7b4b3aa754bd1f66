import type { NighError } from "./errors.ts";
import type { Filter } from "./filter/filter.ts";
import type { Id } from "./ids.ts";
import type { Metadata } from "./metadata.ts";
import type { Vector, VectorInput } from "./vectors.ts";

/** A record to write. */
export interface RecordInput<M extends Metadata = Metadata> {
	readonly id: Id;
	/** May be left out where the collection has an embedder and the record has a text. */
	readonly vector?: VectorInput;
	/** At most 67,108,864 UTF-16 units as JSON. */
	readonly metadata?: M;
	/** What full-text search looks at: well-formed Unicode without U+0000, at most 67,108,864 UTF-16 units. */
	readonly text?: string;
	/** Milliseconds since 1970. From that moment on the record is gone from every verb. Left out: never. */
	readonly expiresAt?: number;
}

/**
 * Changes to a record that exists. What is left out stays; `null` takes a field away; `metadata` replaces the whole metadata. Without
 * a new vector (given, or embedded from a new text) the record keeps its place in the index.
 */
export interface RecordPatch<M extends Metadata = Metadata> {
	readonly id: Id;
	readonly vector?: VectorInput;
	readonly metadata?: M | null;
	readonly text?: string | null;
	readonly expiresAt?: number | null;
}

/** What a read gives back beside the id. */
export interface IncludeOptions {
	/** Default: false. */
	readonly vector?: boolean;
	/** Default: true. */
	readonly metadata?: boolean;
	/** Default: false. */
	readonly text?: boolean;
}

/** A record as it is stored. Fields it does not have, or that were not asked for, are absent. */
export interface StoredRecord<M extends Metadata = Metadata> {
	readonly id: Id;
	readonly vector?: Vector;
	readonly metadata?: M;
	readonly text?: string;
	/** Milliseconds since 1970. An upsert of an id that exists keeps it. */
	readonly insertedAt: number;
	/** Milliseconds since 1970. */
	readonly updatedAt: number;
	/** Milliseconds since 1970. */
	readonly expiresAt?: number;
}

export interface CallOptions {
	/** Ends the call with `ABORTED`. */
	readonly signal?: AbortSignal;
}

export interface WriteOptions extends CallOptions {
	/** Write the good records and report the others, instead of refusing the batch because of one. Default: false. */
	readonly partial?: boolean;
}

/** Why one record of a batch was refused. */
export interface RowError {
	/** Place in the batch, counted from 0. */
	readonly row: number;
	/** The record's id, if it has one that can be read. */
	readonly id?: Id;
	readonly error: NighError;
}

/** What was acknowledged survives a kill. Without `partial`, `failed` is 0: a batch that has a bad record throws and writes nothing. */
export interface WriteResult {
	readonly succeeded: number;
	readonly failed: number;
	/** In the order of the rows. */
	readonly errors: readonly RowError[];
	/** The state of the collection that has these records. */
	readonly changeNumber: number;
}

/** What to delete: one id, several, or everything a filter matches. */
export type DeleteTarget<M extends Metadata = Metadata> = Id | readonly Id[] | { readonly filter: Filter<M> };

export interface DeleteResult {
	/** Records that were there; ids that were not are passed over. */
	readonly deleted: number;
	readonly changeNumber: number;
}

export interface GetOptions extends CallOptions {
	/** Default: everything but the vector. */
	readonly include?: IncludeOptions;
}

export interface CountOptions<M extends Metadata = Metadata> extends CallOptions {
	readonly filter?: Filter<M>;
}

export interface ScanOptions<M extends Metadata = Metadata> extends CallOptions {
	readonly filter?: Filter<M>;
	/** Start behind this id (it need not exist): how to go on after a pause. */
	readonly after?: Id;
	/** 1 to 4,294,967,295. Default: all. */
	readonly limit?: number;
	readonly include?: IncludeOptions;
}

export interface PruneOptions<M extends Metadata = Metadata> extends CallOptions {
	/** Also delete records whose `updatedAt` is longer ago, in ms from 0. */
	readonly maxAgeMs?: number;
	/** Also delete the longest not updated until this many are left. */
	readonly maxRecords?: number;
	/** Only records that match can be deleted for their age or number (expired ones always are), and only they are counted. */
	readonly filter?: Filter<M>;
	/** Report what would be deleted, and delete nothing. Default: false. */
	readonly dryRun?: boolean;
}

export interface PruneReport {
	/** Records that had expired. */
	readonly expired: number;
	/** Records older than `maxAgeMs`. */
	readonly tooOld: number;
	/** Records above `maxRecords`. */
	readonly tooMany: number;
	readonly changeNumber: number;
}
