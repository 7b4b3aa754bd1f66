import type { MessagePort } from "node:worker_threads";
import type { AnalyzeReport, FilterNode, IncludeOptions, IndexKind, MemoryStats } from "@nigh/contract";
import type { GenerationHandle } from "../memory/generation.ts";
import type { ReaderArea } from "../memory/reader-area.ts";
import type { SlotQuery, Way } from "../memory/searcher.ts";
import type { StoredSpec } from "../records/catalogue.ts";
import type { Durability } from "../records/connection.ts";
import type { WordHit } from "../records/find-words.ts";
import type { PackedRows } from "../records/packed-rows.ts";
import type { Page, PageOptions } from "../records/page.ts";
import type { ReadRecord } from "../records/row.ts";
import type { Matched } from "./still-matching.ts";

/** What each worker is started with. */
export interface WorkerData {
	/** The file of the records, and the folder of the snapshots. */
	readonly records: string;
	readonly snapshots: string;
	readonly durability: Durability;
	readonly readOnly: boolean;
	/** Threads that build indexes. */
	readonly threads: number;
	/** Of the database: the indexer checks that snapshots belong to it. */
	readonly databaseId: string;
	/** Between the writer and the indexer. */
	readonly port?: MessagePort;
}

/** A generation with what the reading threads of this process need of it. */
export interface Installed {
	readonly key: number;
	readonly generation: GenerationHandle;
	readonly areas: ReaderAreas;
}

/** One for the thread that calls, one for the reader worker. */
export interface ReaderAreas {
	readonly caller: ReaderArea;
	readonly worker: ReaderArea;
}

export interface OpenedCollection {
	readonly key: number;
	readonly spec: StoredSpec;
	readonly change: number;
}

export interface WriteReply {
	readonly change: number;
	/** The label that each row has now. */
	readonly labels: Uint32Array;
	/** Rows (of an update) whose id is not there; nothing was written where there are some. */
	readonly missing: readonly number[];
	/** Rows (of an upsert with `partial`) that there was no room for; `labels` are those of the others. */
	readonly refused: readonly number[];
	/** Records there are now. */
	readonly records: number;
}

/** How the slots of a collection and its records agree. */
export interface SlotComparison {
	/** Records without a slot, and slots without a record. */
	readonly missing: Differing;
	readonly stray: Differing;
}

export interface Differing {
	readonly count: number;
	/** The first label, -1 without any. */
	readonly first: number;
}

export interface RestoreRequest {
	/** The records of the backup: verified, and not changed by anybody meanwhile. */
	readonly path: string;
	readonly overwrite: boolean;
}

/** A collection that has been taken in. */
export interface RestoredCollection {
	readonly name: string;
	readonly records: number;
	/** Its key in the backup, and the one it has now. */
	readonly oldKey: number;
	readonly key: number;
	/** The key of the one of the same name that is gone. */
	readonly replaced: number | undefined;
}

export interface DeleteReply {
	readonly change: number;
	readonly deleted: number;
	readonly records: number;
}

export interface PruneReply {
	readonly change: number;
	readonly expired: number;
	readonly tooOld: number;
	readonly tooMany: number;
	readonly records: number;
}

/** What the writer does for the thread that calls. Changes are committed and published when the answer comes. */
export type WriterMethods = {
	/** Finds a collection, or creates it where a spec is given. */
	open(request: { name: string; spec: StoredSpec | undefined }): Promise<OpenedCollection>;
	respec(request: { key: number; spec: StoredSpec }): Promise<void>;
	close(key: number): Promise<void>;
	drop(name: string): Promise<boolean>;
	upsert(request: {
		key: number;
		rows: readonly PackedRows[];
		dimensions: number;
		now: number;
		partial: boolean;
	}): Promise<WriteReply>;
	update(request: { key: number; rows: PackedRows; now: number }): Promise<WriteReply>;
	delete(request: {
		key: number;
		ids: string | undefined;
		matched: Matched | undefined;
		now: number;
	}): Promise<DeleteReply>;
	prune(request: {
		key: number;
		now: number;
		maxAgeMs: number | undefined;
		maxRecords: number | undefined;
		among: Matched | undefined;
		dryRun: boolean;
	}): Promise<PruneReply>;
	/** Gives tombstones up that nothing needs any more, and space back to the file system. */
	reclaim(request: { key: number; through: number }): Promise<{ tombstones: number; bytes: number }>;
	/** Applies what another process has written since. Only without the lock. */
	refresh(key: number): Promise<{ change: number; changed: boolean }>;
	/** Compares the slots of a collection with its records, in one state of both. */
	compare(request: { key: number; now: number }): Promise<SlotComparison>;
	/** Takes collections of another database's records in, all or none. */
	restore(request: RestoreRequest): Promise<readonly RestoredCollection[]>;
	/** Mends what of the records can be mended. */
	mend(request: undefined): Promise<void>;
	/** Fills a new generation from the records alone. */
	reindex(key: number): Promise<void>;
	/** Finishes what has been asked for and closes the records. */
	end(request: undefined): Promise<void>;
};

/** What the writer says without being asked. */
export type WriterNotes = {
	/** A generation has taken over. Whatever is acknowledged after this is in it. */
	installed(installed: Installed): void;
	/** Writers wait for the tail to be taken in, or wait no longer. */
	waiting(state: { key: number; waiting: boolean }): void;
};

/** What the indexer does for the thread that calls. */
export type IndexerMethods = {
	/** Takes the whole tail in and gives up dead slots. */
	optimize(request: { key: number; fresh: boolean; index?: IndexChoice }): Promise<IndexState>;
	/** Writes a snapshot where something has changed since the last, or where it is among those that are `damaged`. */
	snapshot(request: { key: number; damaged: readonly string[] }): Promise<void>;
	analyze(key: number): Promise<AnalyzeReport>;
	/** `null`: there is no graph. */
	check(key: number): Promise<GraphCheck | null>;
	memory(key: number): MemoryStats;
	state(key: number): Promise<IndexState>;
	/** Room for one more reading thread, in a generation whose number is at least `generation`. */
	area(request: {
		key: number;
		reader: number;
		generation: number;
	}): Promise<{ installed: Installed; area: ReaderArea }>;
	/** Ends the threads that build. */
	close(request: undefined): Promise<void>;
};

/** How an index is to be built. */
export interface IndexChoice {
	readonly kind: "auto" | "flat" | "hnsw";
	readonly M?: number;
	readonly efConstruction?: number;
}

export interface IndexState {
	readonly kind: IndexKind;
	readonly parameters: Readonly<Record<string, number | string | boolean>>;
	readonly main: number;
	readonly tail: number;
	readonly tombstones: number;
	/** performance.timeOrigin-based ms of the last fold and the last snapshot; `null`: none. */
	readonly foldedAt: number | null;
	readonly snapshotAt: number | null;
	readonly snapshotChange: number | null;
	/** The change of the oldest snapshot on disk: tombstones after it are still needed. */
	readonly oldestSnapshot: number | null;
	readonly change: number;
	/** What went wrong in the background, for `health`. */
	readonly problems: readonly IndexProblem[];
	/** 0 to 1 while an index is being built aside. */
	readonly building: number | null;
}

/** What of a graph cannot be otherwise unless it is damaged. */
export interface GraphCheck {
	/** Links to a place where no node is. */
	readonly dangling: number;
	/** Share of the nodes that can be reached from the entry point. */
	readonly reachable: number;
}

export interface IndexProblem {
	readonly code: string;
	readonly message: string;
}

/** What the indexer says without being asked. */
export type IndexerNotes = {
	folded(event: { key: number; vectors: number; durationMs: number; tail: number }): void;
	snapshotted(event: { key: number; bytes: number; durationMs: number; change: number; vectors: number }): void;
	recovered(event: {
		name: string;
		from: "snapshot" | "records";
		damaged: number;
		changes: number;
		vectors: number;
		durationMs: number;
	}): void;
};

/** What the writer asks of the indexer. */
export type IndexForWriterMethods = {
	/** Makes a collection's first generation: from the newest snapshot that is sound, else empty. */
	open(request: {
		key: number;
		name: string;
		spec: StoredSpec;
		dimensions: number;
		records: number;
		change: number;
	}): Promise<IndexOpened>;
	/** As `open`, for one that is open: from nothing, whatever there was. */
	reopen(request: Parameters<IndexForWriterMethods["open"]>[0]): Promise<IndexOpened>;
	close(key: number): Promise<void>;
	drop(key: number): Promise<void>;
	respec(request: { key: number; spec: StoredSpec }): void;
	/** Makes room: the writer cannot go on in this generation. */
	grow(key: number): void;
	/** Something has been published. */
	written(key: number): void;
};

export interface IndexOpened extends Installed {
	/** The change that the snapshot was taken at, 0 without one. */
	readonly change: number;
	/** Labels from here on are not in it. */
	readonly fromLabel: number;
}

/** What the indexer asks of the writer. */
export type WriterForIndexMethods = {
	/**
	 * Lets a generation take over: brings it up to date from the old one and publishes it. `false`: too much has been written since, catch
	 * up first.
	 */
	install(request: {
		installed: Installed;
		/** By slot of the new generation: the slot of the old one. */
		oldSlots: Uint32Array;
		/** Slots of the old generation from here on are not in the new one yet. */
		fromSlot: number;
	}): Promise<boolean>;
	/** Ring rows have become free. */
	freed(key: number): void;
};

/** What the reader worker does: whatever takes long. */
export type ReaderMethods = {
	attach(installed: Installed): void;
	detach(key: number): void;
	/** Slots of a generation that match, as bits written to a bitmap of the caller's area. */
	match(request: {
		key: number;
		generation: number;
		node: FilterNode;
		bitmap: number;
		now: number;
	}): { matches: number; change: number } | undefined;
	get(request: {
		key: number;
		ids: readonly string[];
		include: IncludeOptions;
		now: number;
	}): (ReadRecord | undefined)[];
	page(request: { key: number; options: PageOptions }): Page;
	words(request: { key: number; text: string; limit: number; now: number; node: FilterNode | undefined }): WordHit[];
	matchLabels(request: { key: number; node: FilterNode; now: number }): Uint32Array;
	count(request: { key: number; node: FilterNode | undefined; now: number }): number;
	scan(request: {
		key: number;
		generation: number;
		query: SlotQuery;
		/** ms of the process-wide clock (`performance.timeOrigin + performance.now()`). */
		deadline: number | undefined;
		/** Raised to 1: the search is not wanted any more. */
		abort: Int32Array | undefined;
	}): Promise<{ slots: number[]; distances: number[]; way: Way; cutShort: boolean } | undefined>;
};
