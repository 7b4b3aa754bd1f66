import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isNighError, NighError, type ProgressOptions } from "@nigh/contract";
import { makeTemporaryFolder } from "../folder/temporary.ts";
import { unpackArchive } from "./archive.ts";
import { checksumOf } from "./checksum.ts";
import { asFileError } from "./file-errors.ts";
import { damaged, MANIFEST_FILE, type Manifest, parseManifest } from "./manifest.ts";
import { Progress } from "./progress.ts";

export interface ReadBackupOptions extends ProgressOptions {
	/** Where an archive is unpacked, into a folder of its own. Default: the system's folder for temporary files. */
	readonly temporary?: string;
}

/** A backup all of whose files are as they were written. */
export interface OpenBackup {
	readonly manifest: Manifest;
	/** The copy of the records. Only to be read. */
	readonly records: string;
	/** The copies of the snapshots. Only to be read. */
	readonly snapshots: readonly string[];
	/** Deletes what was unpacked. A second call does nothing. */
	close(): void;
}

/**
 * Opens a backup, a folder or a `.tar.gz` file, and compares the checksums of all of its files. Progress is in bytes.
 *
 * @throws NighError `NOT_FOUND` (there is no backup), `CORRUPT_RECORDS` (details: `path`, the damaged file), `NEWER_VERSION`, `ABORTED`;
 * `DISK_FULL` and `READ_ONLY` where an archive is unpacked.
 */
export async function readBackup(source: string, options: ReadBackupOptions = {}): Promise<OpenBackup> {
	const progress = new Progress(options, "Reading the backup");
	progress.throwIfAborted();
	const path = resolve(source);
	const entry = await statOf(path);
	if (entry.isDirectory()) return verified(path, path, progress, () => {});
	const temporary = makeTemporaryFolder(options.temporary);
	try {
		progress.expect(entry.size);
		await unpackArchive(path, temporary.path, progress);
		return await verified(temporary.path, path, progress, () => temporary.remove());
	} catch (error) {
		temporary.remove();
		throw error;
	}
}

async function statOf(path: string) {
	try {
		return await stat(path);
	} catch (error) {
		throw asFileError(error, `opening the backup ${path}`);
	}
}

/** @param path What the user calls the backup. */
async function verified(folder: string, path: string, progress: Progress, close: () => void): Promise<OpenBackup> {
	const manifest = await readManifest(folder, path);
	progress.expect(manifest.files.reduce((sum, { bytes }) => sum + bytes, 0));
	for (const file of manifest.files) {
		const actual = await checksumIn(folder, path, file.name, progress);
		if (actual.bytes !== file.bytes) {
			throw damaged(join(path, file.name), `has ${actual.bytes} bytes and was written with ${file.bytes}`);
		}
		if (actual.sha256 !== file.sha256) throw damaged(join(path, file.name), "does not match its checksum");
	}
	progress.finish();
	const [records, ...snapshots] = manifest.files.map(({ name }) => join(folder, name));
	return { manifest, records: records as string, snapshots, close };
}

async function readManifest(folder: string, path: string): Promise<Manifest> {
	let text: string;
	try {
		text = await readFile(join(folder, MANIFEST_FILE), "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") throw notABackup(path);
		throw asFileError(error, `reading ${join(path, MANIFEST_FILE)}`);
	}
	return parseManifest(text, join(path, MANIFEST_FILE));
}

/** A file that is not there is damage, not a wrong path: the manifest says that it was. */
async function checksumIn(folder: string, path: string, name: string, progress: Progress) {
	try {
		return await checksumOf(join(folder, name), progress);
	} catch (error) {
		if (isNighError(error, "NOT_FOUND")) throw damaged(join(path, name), "is missing");
		throw error;
	}
}

function notABackup(path: string): NighError {
	return new NighError(
		"NOT_FOUND",
		`${path} has no ${MANIFEST_FILE}, so it is not a backup. A backup is what backup() wrote: a folder, or one .tar.gz file.`,
		{ path },
	);
}
