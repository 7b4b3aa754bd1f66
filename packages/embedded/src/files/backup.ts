import { existsSync } from "node:fs";
import { copyFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type BackupOptions, type BackupReport, checkOptions, isNighError, NighError } from "@nigh/contract";
import { pathsIn, RECORDS_FILE, SNAPSHOTS_FOLDER } from "../folder/layout.ts";
import { makeFolders } from "../folder/make-folders.ts";
import { listSnapshots } from "../snapshot/folder.ts";
import { namesRowFiles } from "../snapshot/header.ts";
import { readInfo } from "../snapshot/read.ts";
import { ARCHIVE_EXTENSION, packArchive } from "./archive.ts";
import { checksumOf } from "./checksum.ts";
import { type HeldRecords, holdRecords } from "./copy-records.ts";
import { asFileError } from "./file-errors.ts";
import { flushFile, flushFolder } from "./flush.ts";
import { type BackupFile, MANIFEST_FILE, MANIFEST_VERSION, type Manifest, manifestText } from "./manifest.ts";
import { Progress } from "./progress.ts";
import { checkKeep, forgetStaging, nameOf, publishAs, publishIn, removeOldBackups, stagingFor } from "./retention.ts";

const OPTION_NAMES = ["gzip", "keep", "onProgress", "signal"] as const satisfies readonly (keyof BackupOptions)[];

/**
 * Writes a backup, while the database stays in use: a copy of one committed state of the records, the newest sound snapshot of each
 * collection, and `backup.json` with a checksum of each. It is there in full under its name, flushed to disk, or not at all.
 *
 * Progress is in bytes: each is copied and read back for its checksum, and with `gzip` packed.
 *
 * @param folder The database's.
 * @param destination Must not exist; with `keep`, a folder that is made if need be.
 * @param now ms since 1970.
 * @throws NighError `INVALID_OPTION`, `NOT_FOUND` (the database), `CORRUPT_RECORDS`, `READ_ONLY`, `DISK_FULL`, `ABORTED`.
 */
export async function writeBackup(
	folder: string,
	destination: string,
	options: BackupOptions = {},
	now: number = Date.now(),
): Promise<BackupReport> {
	checkOptions(options, OPTION_NAMES, "backup");
	const progress = new Progress(options, "The backup");
	progress.throwIfAborted();
	const { keep } = options;
	if (keep !== undefined) checkKeep(keep);
	const gzip = options.gzip ?? (keep === undefined && destination.endsWith(ARCHIVE_EXTENSION));
	const place = resolve(destination);
	const source = { folder, now, gzip };
	if (keep === undefined) {
		if (existsSync(place)) throw taken(place);
		const report = await written(source, place, progress, async (made) => {
			if (await publishAs(place, made, gzip)) return place;
			throw taken(place);
		});
		progress.finish();
		return report;
	}
	makeFolder(place);
	const report = await written(source, join(place, nameOf(now)), progress, (made) => publishIn(place, now, made, gzip));
	await removeOldBackups(place, keep, report.path);
	progress.finish();
	return report;
}

function makeFolder(folder: string): void {
	try {
		makeFolders(folder);
	} catch (error) {
		throw asFileError(error, `making the folder ${folder}`);
	}
}

interface Source {
	readonly folder: string;
	readonly now: number;
	readonly gzip: boolean;
}

/**
 * Writes under another name, beside the target since a rename stays inside a file system; `publish` renames at the end, and tells the path
 * that it has then.
 */
async function written(
	source: Source,
	target: string,
	progress: Progress,
	publish: (made: string) => Promise<string>,
): Promise<BackupReport> {
	const { gzip } = source;
	const staging = stagingFor(target);
	const archive = `${staging}${ARCHIVE_EXTENSION}`;
	try {
		makeFolders(join(staging, SNAPSHOTS_FOLDER));
		const manifest = await stage(source, staging, gzip ? 2 : 1, progress);
		const names = [MANIFEST_FILE, ...manifest.files.map(({ name }) => name)];
		if (gzip) {
			await packArchive(staging, names, archive, progress);
			await flushFile(archive);
		} else await flushAll(staging, names);
		const path = await publish(gzip ? archive : staging);
		await flushFolder(dirname(path));
		return reportOf(path, manifest, gzip ? (await stat(path)).size : sumOf(manifest.files));
	} catch (error) {
		throw asFileError(error, `writing the backup ${target}`);
	} finally {
		for (const path of [archive, staging]) await removeQuietly(path);
		forgetStaging(staging);
	}
}

/** What made it necessary is the one to be told. What stays goes when a later backup to the folder removes the old ones. */
async function removeQuietly(path: string): Promise<void> {
	try {
		await rm(path, { recursive: true, force: true });
	} catch {
		return;
	}
}

/** @param readings How often the bytes will be read after they are copied. */
async function stage(source: Source, staging: string, readings: number, progress: Progress): Promise<Manifest> {
	const { records, snapshots } = pathsIn(source.folder);
	const held = holdRecords(records);
	try {
		progress.expect(held.bytes * (1 + readings));
		const chosen = chooseSnapshots(snapshots, held);
		for (const { bytes } of chosen) progress.expect(bytes * readings);
		await held.copyTo(join(staging, RECORDS_FILE), progress);
		const copied = await copySnapshots(chosen, staging, progress);
		const files: BackupFile[] = [];
		for (const name of [RECORDS_FILE, ...copied]) {
			files.push({ name, ...(await checksumOf(join(staging, name), progress)) });
		}
		const manifest = manifestOf(source.now, held, files);
		await writeFile(join(staging, MANIFEST_FILE), manifestText(manifest));
		return manifest;
	} finally {
		held.release();
	}
}

interface ChosenSnapshot {
	readonly path: string;
	readonly bytes: number;
}

/** Of each collection the newest whose header holds, and that knows of no change later than the copy of the records. */
function chooseSnapshots(folder: string, { collections, databaseId }: HeldRecords): ChosenSnapshot[] {
	const chosen: ChosenSnapshot[] = [];
	for (const { key, change: last } of collections) {
		for (const { path, change } of listSnapshots(folder, key)) {
			const bytes = change <= last ? soundBytes(path, databaseId, key, change) : undefined;
			if (bytes === undefined) continue;
			chosen.push({ path, bytes });
			break;
		}
	}
	return chosen;
}

function soundBytes(path: string, databaseId: string, key: number, change: number): number | undefined {
	try {
		const info = readInfo(path, { databaseId, key, change });
		// Rows that are in files beside it would be as many bytes again as they are in the records, which have them.
		return namesRowFiles(info) ? undefined : info.fileBytes;
	} catch (error) {
		// Damaged, of another version, or just taken away: an index can always be built from the records.
		if (isNighError(error)) return undefined;
		throw error;
	}
}

/** The names of the copies. One that was taken away in the meantime is left out: it can be built from the records. */
async function copySnapshots(
	snapshots: readonly ChosenSnapshot[],
	staging: string,
	progress: Progress,
): Promise<string[]> {
	const names: string[] = [];
	for (const { path } of snapshots) {
		progress.throwIfAborted();
		const name = `${SNAPSHOTS_FOLDER}/${basename(path)}`;
		try {
			await copyFile(path, join(staging, name));
			names.push(name);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw asFileError(error, `copying ${path}`);
		}
	}
	return names;
}

function manifestOf(now: number, held: HeldRecords, files: readonly BackupFile[]): Manifest {
	return {
		kind: "nigh-backup",
		version: MANIFEST_VERSION,
		createdAt: new Date(now).toISOString(),
		databaseId: held.databaseId,
		collections: held.collections.map(({ name, records }) => ({ name, records })),
		files,
	};
}

async function flushAll(staging: string, names: readonly string[]): Promise<void> {
	for (const name of names) await flushFile(join(staging, name));
	await flushFolder(join(staging, SNAPSHOTS_FOLDER));
	await flushFolder(staging);
}

function reportOf(path: string, { collections }: Manifest, bytes: number): BackupReport {
	return {
		path,
		collections: collections.map(({ name }) => name),
		records: collections.reduce((sum, { records }) => sum + records, 0),
		bytes,
	};
}

function sumOf(files: readonly BackupFile[]): number {
	return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function taken(path: string): NighError {
	return new NighError(
		"INVALID_OPTION",
		`${path} exists, and a backup replaces nothing: give another destination, or keep: n to collect backups in a folder.`,
		{ field: "destination", value: path },
	);
}
