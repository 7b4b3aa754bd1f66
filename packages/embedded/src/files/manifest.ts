import { createHash } from "node:crypto";
import { NighError } from "@nigh/contract";
import { RECORDS_FILE, SNAPSHOTS_FOLDER } from "../folder/layout.ts";

/** The version of the manifest and of what it says about the files. A backup with a higher one is refused with `NEWER_VERSION`. */
export const MANIFEST_VERSION = 1;
export const MANIFEST_FILE = "backup.json";

/** A file of a backup. */
export interface BackupFile {
	/** Its path in the backup, with `/`. */
	readonly name: string;
	readonly bytes: number;
	/** Of its bytes, in hexadecimal. */
	readonly sha256: string;
}

/** What a backup says about itself, in `backup.json`. */
export interface Manifest {
	readonly kind: "nigh-backup";
	readonly version: number;
	/** UTC, as in ISO 8601. */
	readonly createdAt: string;
	/** The database it is of: its snapshots are of no use to another one. */
	readonly databaseId: string;
	/** As they are in the backup, expired records included. */
	readonly collections: readonly { readonly name: string; readonly records: number }[];
	/** All but the manifest. The first is the records. */
	readonly files: readonly BackupFile[];
}

/** A snapshot's name has only such characters; nothing that could lead out of the folder has. */
const SAFE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

export function manifestText(manifest: Manifest): string {
	return `${JSON.stringify({ ...manifest, sha256: sha256Of(manifest) }, null, "\t")}\n`;
}

/**
 * Reads a manifest; nothing in it is believed before its own checksum is found to be right, but for the version.
 *
 * @param path For messages.
 * @throws NighError `CORRUPT_RECORDS`, `NEWER_VERSION`.
 */
export function parseManifest(text: string, path: string): Manifest {
	const { sha256, ...manifest } = parseObject(text, path) as unknown as Manifest & { readonly sha256: unknown };
	if (manifest.kind !== "nigh-backup") throw damaged(path, 'does not have the kind "nigh-backup"');
	if (Number.isInteger(manifest.version) && manifest.version > MANIFEST_VERSION) throw newer(path, manifest.version);
	if (sha256 !== sha256Of(manifest)) throw damaged(path, "does not match its own checksum");
	checkNames(manifest.files, path);
	return manifest;
}

/** Whether a file of this name can be in a backup: the records, or a snapshot. */
export function isBackupName(name: string): boolean {
	if (name === RECORDS_FILE) return true;
	const [folder, file, ...more] = name.split("/");
	return folder === SNAPSHOTS_FOLDER && file !== undefined && SAFE_NAME.test(file) && more.length === 0;
}

function checkNames(files: unknown, path: string): void {
	const names = Array.isArray(files) ? files.map((file) => String(file?.name)) : [];
	if (names[0] !== RECORDS_FILE) throw damaged(path, `does not name ${RECORDS_FILE} first`);
	const stray = names.find((name) => !isBackupName(name));
	if (stray !== undefined) throw damaged(path, `names a file that no backup has (${JSON.stringify(stray)})`);
}

export function damaged(path: string, problem: string): NighError {
	return new NighError("CORRUPT_RECORDS", `${path} ${problem}: the backup is damaged. Use another one.`, { path });
}

function newer(path: string, version: number): NighError {
	return new NighError(
		"NEWER_VERSION",
		`${path} is of backup format ${version}; this version of Nigh reads up to ${MANIFEST_VERSION}: update nigh.`,
		{ path, value: version, bound: MANIFEST_VERSION },
	);
}

function parseObject(text: string, path: string): object {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value === "object" && value !== null) return value;
	} catch {
		// Told below, like any other value that is no object.
	}
	throw damaged(path, "is not a JSON object");
}

/** JSON keeps the order of the fields, so the same text comes out again. */
function sha256Of(manifest: Manifest): string {
	return createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
}
