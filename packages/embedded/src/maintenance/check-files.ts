import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { isNighError, type NighError } from "@nigh/contract";
import { type CatalogueEntry, listCollections } from "../records/catalogue.ts";
import { openReader } from "../records/connection.ts";
import { checkRecords } from "../records/integrity.ts";
import { databaseId } from "../records/schema.ts";
import { listSnapshots } from "../snapshot/folder.ts";
import { openSnapshot } from "../snapshot/read.ts";
import { verifyRows } from "../snapshot/saved-rows.ts";
import type { DatabaseFiles, Finding } from "./messages.ts";

export interface FilesReport {
	readonly findings: readonly Finding[];
	/** Bytes whose checksums were computed. SQLite keeps none, so they are all of snapshots. */
	readonly bytes: number;
}

/**
 * Reads the records and every snapshot of the collections there are. Blocks its thread.
 *
 * @param advanced Hears how many bytes more have been read; in all they are about as many as {@link bytesOf} says.
 */
export async function checkFiles(files: DatabaseFiles, advanced: (bytes: number) => void): Promise<FilesReport> {
	let db: DatabaseSync;
	try {
		db = openReader(files.records);
	} catch (error) {
		return { findings: [inRecords(null, error)], bytes: 0 };
	}
	try {
		const findings: Finding[] = checkRecords(db).map(({ collection, message }) => recordsFinding(collection, message));
		advanced(recordsBytes(files));
		const known = catalogueOf(db);
		let bytes = 0;
		for (const entry of known.collections) {
			const report = await checkSnapshots(files, known.id, entry, advanced);
			findings.push(...report.findings);
			bytes += report.bytes;
		}
		return { findings, bytes };
	} finally {
		db.close();
	}
}

/** What cannot be read has been found already. */
function catalogueOf(db: DatabaseSync): { readonly collections: readonly CatalogueEntry[]; readonly id: string } {
	try {
		return { collections: listCollections(db), id: databaseId(db) };
	} catch {
		return { collections: [], id: "" };
	}
}

async function checkSnapshots(
	{ snapshots }: DatabaseFiles,
	id: string,
	{ key, name }: CatalogueEntry,
	advanced: (bytes: number) => void,
): Promise<FilesReport> {
	const findings: Finding[] = [];
	let bytes = 0;
	for (const { path, change } of listSnapshots(snapshots, key)) {
		let inRows = false;
		try {
			const snapshot = openSnapshot(path, { databaseId: id, key, change });
			try {
				let read = await snapshot.verifyAll();
				inRows = true;
				read += await verifyRows(snapshot, snapshots, { databaseId: id, key });
				bytes += read;
				advanced(read);
			} finally {
				snapshot.close();
			}
		} catch (error) {
			// A newer one has taken its place meanwhile.
			if (isNighError(error, "NOT_FOUND") && !existsSync(path)) continue;
			findings.push({ ...inSnapshot(name, path, error), inRows });
		}
	}
	return { findings, bytes };
}

/** Bytes of all the files that are read. */
export function bytesOf(files: DatabaseFiles): number {
	let sum = recordsBytes(files);
	for (const entry of readdirSync(files.snapshots, { withFileTypes: true })) {
		if (entry.isFile()) sum += sizeOf(join(files.snapshots, entry.name));
	}
	return sum;
}

function recordsBytes({ records }: DatabaseFiles): number {
	return sizeOf(records) + sizeOf(`${records}-wal`);
}

function sizeOf(path: string): number {
	return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

export function recordsFinding(collection: string | null, message: string): Finding {
	const recommendation =
		"repair() mends indexes, words and counters. What stays needs repairFolder() (nigh repair) on the closed database, or a backup.";
	return { in: "records", problem: { collection, code: "CORRUPT_RECORDS", message, recommendation } };
}

function inRecords(collection: string | null, error: unknown): Finding {
	if (!isNighError(error, "CORRUPT_RECORDS") && !isNighError(error, "NEWER_VERSION")) throw error;
	const finding = recordsFinding(collection, error.message);
	if (error.code === "CORRUPT_RECORDS") return finding;
	const recommendation = "Update nigh.";
	return { ...finding, problem: { ...finding.problem, code: "NEWER_VERSION", recommendation } };
}

function inSnapshot(collection: string, path: string, error: unknown): Finding {
	const isNewer = isNighError(error, "NEWER_VERSION");
	const message = error instanceof Error ? (error as NighError).message : String(error);
	const recommendation = isNewer
		? "Update nigh. No record is lost: the index is built from the records meanwhile."
		: "No record is lost: repair() writes it anew, and so does opening the collection.";
	const code = isNewer ? "NEWER_VERSION" : "CORRUPT_SNAPSHOT";
	return { in: "snapshot", path, problem: { collection, code, message, recommendation } };
}
