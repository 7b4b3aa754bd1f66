import type { VerifyProblem } from "@nigh/contract";
import type { RecordsProblem } from "../records/integrity.ts";
import type { SalvageReport } from "../records/salvage.ts";
import type { SnapshotMove } from "./move-snapshots.ts";

/** Where the files of a database are. */
export interface DatabaseFiles {
	readonly records: string;
	readonly snapshots: string;
}

/** Something that is not as it should be, with what `repair` needs to know about it. */
export interface Finding {
	readonly problem: VerifyProblem;
	/** What is damaged. */
	readonly in: "records" | "snapshot" | "index";
	/** The snapshot's file. */
	readonly path?: string;
	/** The snapshot is sound, and a row file that it names is not: writing the snapshot anew would name it again. */
	readonly inRows?: boolean;
}

/** What the maintenance thread does: whatever reads or writes whole files. */
export type MaintenanceMethods = {
	/** Reads the records and all snapshots. */
	checkFiles(files: DatabaseFiles): Promise<{ findings: readonly Finding[]; bytes: number }>;
	/** Reads records that nobody changes. */
	checkRecords(path: string): readonly RecordsProblem[];
	/** Mends records that nobody has open, as far as that is possible. */
	mendRecords(path: string): MendReport;
	salvage(request: { damaged: string; target: string }): SalvageReport;
	moveSnapshots(moves: readonly SnapshotMove[]): Promise<void>;
};

export interface MendReport {
	readonly before: readonly RecordsProblem[];
	/** Whether SQLite can read all of its file, and finds it in order. */
	readonly isSound: boolean;
}

export type MaintenanceNotes = {
	/** So many bytes more have been read. */
	advanced(bytes: number): void;
};
