import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { checkInteger, isNighError } from "@nigh/contract";
import { isAlive } from "../folder/process-alive.ts";
import { ARCHIVE_EXTENSION, readFirstFile } from "./archive.ts";
import { asFileError } from "./file-errors.ts";
import { MANIFEST_FILE, parseManifest } from "./manifest.ts";

/** In UTC, in the order of time when sorted as text, and without the colons that Windows does not take. */
const NAME = /^nigh-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z(\.tar\.gz)?$/;
const PARTIAL = /^nigh-\d{4}-\d\d-\d\dT[\d-]+Z(?:\.tar\.gz)?\.partial-(\d+)(?:\.tar\.gz)?$/;

/** @throws NighError `INVALID_OPTION`. */
export function checkKeep(keep: number): void {
	checkInteger("keep", keep, { min: 1, max: 1_000 });
}

/**
 * The path of a new backup in a folder of backups.
 *
 * @param now ms since 1970. A backup that has that time already moves the new one on.
 */
export function nextName(folder: string, now: number, extension: string): string {
	for (let time = now; ; time++) {
		const path = join(folder, `nigh-${new Date(time).toISOString().replaceAll(/[:.]/g, "-")}`);
		if (!existsSync(path) && !existsSync(`${path}${ARCHIVE_EXTENSION}`)) return `${path}${extension}`;
	}
}

/** Where a backup is written before it has its name; by the process whose id is in it. */
export function partialOf(path: string): string {
	return `${path}.partial-${process.pid}`;
}

/**
 * Deletes all but the newest backups in a folder of backups, and what processes left that died while they wrote one. Anything that is not
 * named as a backup, or does not hold one, stays and does not count.
 *
 * @returns The paths that are gone, oldest first.
 */
export async function removeOldBackups(folder: string, keep: number): Promise<string[]> {
	try {
		const names = (await readdir(folder)).sort();
		const left = names.filter((name) => isLeftBehind(name));
		const backups: string[] = [];
		for (const name of names) if (await isBackup(folder, name)) backups.push(name);
		const paths = [...backups.slice(0, -keep), ...left].map((name) => join(folder, name));
		for (const path of paths) await rm(path, { recursive: true });
		return paths;
	} catch (error) {
		throw asFileError(error, `removing old backups from ${folder}`);
	}
}

function isLeftBehind(name: string): boolean {
	const pid = PARTIAL.exec(name)?.[1];
	return pid !== undefined && !isAlive(Number(pid));
}

async function isBackup(folder: string, name: string): Promise<boolean> {
	if (!NAME.test(name)) return false;
	const path = join(folder, name);
	try {
		const text = name.endsWith(ARCHIVE_EXTENSION)
			? await readFirstFile(path, MANIFEST_FILE)
			: await readFile(join(path, MANIFEST_FILE), "utf8");
		return text !== undefined && parseManifest(text, path).kind === "nigh-backup";
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (isNighError(error) || code === "ENOENT" || code === "ENOTDIR") return false;
		throw error;
	}
}
