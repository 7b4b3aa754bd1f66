import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkInteger, isNighError } from "@nigh/contract";
import { isAlive } from "../folder/process-alive.ts";
import { ARCHIVE_EXTENSION, readFirstFile } from "./archive.ts";
import { asFileError } from "./file-errors.ts";
import { MANIFEST_FILE, parseManifest } from "./manifest.ts";

/** In UTC, in the order of time when sorted as text, and without the colons that Windows does not take. */
const NAME = /^nigh-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z(\.tar\.gz)?$/;
const PARTIAL = /^(nigh-\d{4}-\d\d-\d\dT[\d-]+Z\.partial-(\d+)-[\da-f]{12})(?:\.tar\.gz)?$/;

/** Folders in which this process is writing backups. */
const staged = new Set<string>();
/** Backups of this process whose callers have not been told yet: those that end at the same moment do not remove each other. */
const fresh = new Set<string>();

/** @throws NighError `INVALID_OPTION`. */
export function checkKeep(keep: number): void {
	checkInteger("keep", keep, { min: 1, max: 1_000 });
}

/** The name of a backup in a folder of backups; `now` is in ms since 1970. */
export function nameOf(now: number): string {
	return `nigh-${new Date(now).toISOString().replaceAll(/[:.]/g, "-")}`;
}

/**
 * Where a backup is written before it has its name. No two are the same, also not those of the same moment. {@link forgetStaging} is to
 * follow.
 *
 * @param path What the backup may be called.
 */
export function stagingFor(path: string): string {
	const staging = `${path}.partial-${process.pid}-${randomBytes(6).toString("hex")}`;
	staged.add(staging);
	return staging;
}

export function forgetStaging(staging: string): void {
	staged.delete(staging);
}

/**
 * Gives a complete backup its name, unless that is taken.
 *
 * @returns Whether it was free.
 */
export async function publishAs(target: string, made: string, isFile: boolean): Promise<boolean> {
	if (existsSync(target)) return false;
	try {
		// A file would take the place of another one; a folder does not, unless that is empty.
		if (isFile) await writeFile(target, "", { flag: "wx" });
		await rename(made, target);
		return true;
	} catch (error) {
		const { code = "" } = error as NodeJS.ErrnoException;
		if (TAKEN.has(code) && existsSync(target)) return false;
		throw error;
	}
}

/** What systems say of a name that is taken. */
const TAKEN = new Set(["EEXIST", "ENOTEMPTY", "ENOTDIR", "EPERM"]);

/**
 * Gives a complete backup the name of its time in a folder of backups, or of the next moment that is free. Until
 * {@link removeOldBackups}, no other backup of this process removes it.
 *
 * @param now ms since 1970.
 */
export async function publishIn(folder: string, now: number, made: string, isFile: boolean): Promise<string> {
	for (let time = now; ; time++) {
		const path = join(folder, nameOf(time));
		const target = isFile ? `${path}${ARCHIVE_EXTENSION}` : path;
		if (existsSync(isFile ? path : `${path}${ARCHIVE_EXTENSION}`)) continue;
		fresh.add(target);
		if (await publishAs(target, made, isFile)) return target;
		fresh.delete(target);
	}
}

/**
 * Deletes all but the newest backups in a folder of backups, and what processes left that died while they wrote one. Anything that is not
 * named as a backup, or does not hold one, stays and does not count.
 *
 * @param made The one that has just been written. It stays, also where the clock has gone back and others have later names.
 * @returns The paths that are gone, oldest first.
 */
export async function removeOldBackups(folder: string, keep: number, made: string): Promise<string[]> {
	try {
		const names = (await readdir(folder)).sort();
		const left = names.filter((name) => isLeftBehind(folder, name));
		const others: string[] = [];
		for (const name of names) if (!fresh.has(join(folder, name)) && (await isBackup(folder, name))) others.push(name);
		const old = others.slice(0, Math.max(0, others.length - (keep - 1)));
		const paths = [...old, ...left].map((name) => join(folder, name));
		// Another backup to the folder may remove them at the same time.
		for (const path of paths) await rm(path, { recursive: true, force: true });
		return paths;
	} catch (error) {
		throw asFileError(error, `removing old backups from ${folder}`);
	} finally {
		fresh.delete(made);
	}
}

/** In a container every process may have the same id: what has this one's is its own only if it knows of it. */
function isLeftBehind(folder: string, name: string): boolean {
	const [, staging, pid] = PARTIAL.exec(name) ?? [];
	if (staging === undefined) return false;
	return Number(pid) === process.pid ? !staged.has(join(folder, staging)) : !isAlive(Number(pid));
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
