import type { MessagePort } from "node:worker_threads";
import type { AnalyzeReport, FilterNode, IncludeOptions, IndexKind, MemoryPlan, MemoryStats } from "@nigh/contract";
import type { CellAnalysis } from "@nigh/index";
import type { HeldOutRequest } from "../examiner/messages.ts";
import type { GenerationHandle } from "../memory/generation.ts";
import type { Way, Widths } from "../memory/main-search.ts";
import type { ReaderArea } from "../memory/reader-area.ts";
import type { SlotQuery } from "../memory/searcher.ts";
import type { IndexChoice, StoredSpec } from "../records/catalogue.ts";
import type { Durability } from "../records/connection.ts";
import type { PackedRecords } from "../records/packed-records.ts";
import type { PackedRows } from "../records/packed-rows.ts";
import type { Page, PageOptions } from "../records/page.ts";
import type { FailureCode } from "../watch/events.ts";
import type { Room } from "./room.ts";
import type { Failure } from "./rpc.ts";
import type { StateReads } from "./state-reads.ts";
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
	/** Whether its index has been built or laid out anew: how long searches take from here on is what later ones are compared with. */
	readonly isBuilt?: boolean;
	/** What was asked for when it was made. Left out where a collection is opened: there its spec tells. */
	readonly choice?: IndexChoice;
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
export type WriterMethods = StateReads & {
	/** Finds a collection, or creates it where a spec is given. */
	open(request: { name: string; spec: StoredSpec | undefined }): Promise<OpenedCollection>;
	/** Answers with the spec as it is now: the first vector may have told the dimensions meanwhile. */
	respec(request: { key: number; spec: StoredSpec }): Promise<StoredSpec>;
	close(key: number): Promise<void>;
	drop(name: string): Promise<boolean>;
	upsert(request: {
		key: number;
		rows: readonly PackedRows[];
		dimensions: number;
		now: number;
		partial: boolean;
	}): Promise<WriteReply>;
	update(request: { key: number; rows: readonly PackedRows[]; now: number }): Promise<WriteReply>;
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
	/** Gives tombstones up that nothing needs any more, and space back to the file system. Answers how many tombstones. */
	reclaim(request: { key: number; through: number }): Promise<number>;
	/** Applies what another process has written since, in one state. Only without the lock, as are the reads of a state: `hold` does the same. */
	refresh(key: number): Promise<{ change: number; changed: boolean }>;
	/** Compares the slots of a collection with its records, in one state of both. */
	compare(request: { key: number; now: number }): Promise<SlotComparison>;
	/** Takes collections of another database's records in, all or none. */
	restore(request: RestoreRequest): Promise<readonly RestoredCollection[]>;
	/** Mends what of the records can be mended. */
	mend(request: undefined): Promise<void>;
	/** Why what is written is not found until the database is opened anew; `null`: it is. */
	failure(key: number): string | null;
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
	/** Takes the whole tail in and gives up dead slots. `task`: the memory of a `Task`. */
	optimize(request: { key: number; fresh: boolean; index?: IndexChoice; task?: Int32Array }): Promise<IndexState>;
	/** Refuses what waits for its turn and is not wanted any more. */
	abandon(request: undefined): void;
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
	/** An examination has come to its end. */
	examined(ticket: number): void;
	/** What had come and gone in an index when its recall was last found out. */
	certified(request: { key: number; identity: string; churn: number }): void;
	/** Ends the threads that build. */
	close(request: undefined): Promise<void>;
};

export interface IndexState {
	readonly kind: IndexKind;
	/** What was asked for. */
	readonly choice: IndexChoice;
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
	/**
	 * The records that a graph was built with, those there are, and those that have been deleted or replaced since; `null`: it is on its way, or
	 * there is none.
	 */
	readonly built: { readonly records: number; readonly live: number; readonly died: number } | null;
	/** What was chosen for the cap on memory; absent where nothing is chosen by it. */
	readonly plan?: MemoryPlan;
	/** How the vectors lie in the cells; `null` where there are none. */
	readonly cells: CellAnalysis | null;
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
	/** An index waits to be asked by vectors that it has not taken in; `examined` is to be called when that is done. */
	heldOut(event: { ticket: number; request: HeldOutRequest }): void;
	/** A fold or a snapshot could not be done; or a generation has no room for the examiner, so that nothing of it can be certified. */
	failed(event: {
		key: number;
		event: "nigh:fold" | "nigh:snapshot" | "nigh:certify";
		durationMs: number;
		error: FailureCode;
	}): void;
	/** A collection could not be opened. */
	unrecovered(event: { name: string; durationMs: number; error: FailureCode }): void;
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
	/** Makes a collection's first generation, or one that owes nothing to those before: from the newest snapshot that is sound, else empty. */
	open(request: {
		key: number;
		name: string;
		spec: StoredSpec;
		dimensions: number;
		records: number;
		change: number;
		/** Snapshots of earlier changes cannot be brought up to date any more. */
		reclaimedThrough: number;
	}): Promise<IndexOpened>;
	/** As `open`, for one that is open: from nothing, whatever there was. */
	reopen(request: Parameters<IndexForWriterMethods["open"]>[0]): Promise<IndexOpened>;
	close(key: number): Promise<void>;
	/** As `close`, for one that could not be opened after all: nothing is saved. */
	abandon(key: number): Promise<void>;
	drop(key: number): Promise<void>;
	respec(request: { key: number; spec: StoredSpec }): void;
	/** Makes room for what is about to be written; `MEMORY_LIMIT` where there is no memory for it. */
	grow(request: { key: number; room: Room }): Promise<void>;
	/** Something has been published. */
	written(key: number): void;
	/** A write begins to wait for what the indexer does, which rests when there has been nothing to do, and hears of a write when all of it is shown. */
	awaited(key: number): void;
};

export interface IndexOpened extends Installed {
	/** The change that the snapshot was taken at, 0 without one. */
	readonly change: number;
	/** Labels from here on are not in it. */
	readonly fromLabel: number;
	/** When it was taken: ms since 1970. Absent without one. */
	readonly savedAt?: number | undefined;
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
	/** Ring rows cannot become free for the time being: whoever waits for some is to be told why. */
	stalled(request: { key: number; reason: Failure }): void;
	/** In a process that only reads: the next snapshot of the one that writes is to be begun with. */
	outgrown(key: number): void;
	/** Rows of the index that lie on disk are damaged: the collection is to be built anew from its records. */
	reindex(key: number): Promise<void>;
};

/** What the reader worker does: whatever takes long. */
export type ReaderMethods = StateReads & {
	attach(installed: Installed): void;
	detach(key: number): void;
	/** Looks records up in one state. `ids` are joined by U+0000. The answer is kept for the caller, who takes its parts one after the other. */
	get(request: { key: number; ids: string; include: IncludeOptions; now: number }): { ticket: number; parts: number };
	/** The next part of an answer. */
	part(ticket: number): PackedRecords;
	page(request: { key: number; options: PageOptions }): Page;
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
	}): Promise<{ slots: number[]; distances: number[]; way: Way; widths: Widths; cutShort: boolean } | undefined>;
};
