import { randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkInteger, isNighError } from "@nigh/contract";
import { asFileError } from "../files/file-errors.ts";

export const EXTENSION = ".nigh-snapshot";
/** No leading zeros: one collection and change have one name. */
const NAME = /^([1-9]\d*)-(0|[1-9]\d*)\.nigh-snapshot$/;
const TEMPORARY = /\.nigh-snapshot\.tmp-[0-9a-f]{12}$/;

/** A snapshot by its name; whether it is sound, only reading it can tell. */
export interface ListedSnapshot {
	readonly path: string;
	readonly key: number;
	readonly change: number;
}

/** Where the snapshot of a collection at a change number is kept. */
export function snapshotPath(folder: string, key: number, change: number): string {
	checkInteger("key", key, { min: 1, max: Number.MAX_SAFE_INTEGER });
	checkInteger("change", change, { min: 0, max: Number.MAX_SAFE_INTEGER });
	return join(folder, `${key}-${change}${EXTENSION}`);
}

/** A name beside the final one, since a rename is atomic only inside a file system; one that nobody else writes to. */
export function temporaryPath(path: string): string {
	return `${path}.tmp-${randomBytes(6).toString("hex")}`;
}

/**
 * The snapshots of one collection, newest first; none where there is no such folder. Unfinished and foreign files are left out.
 *
 * @throws NighError `READ_ONLY` (permission denied).
 */
export function listSnapshots(folder: string, key: number): ListedSnapshot[] {
	const listed = filesOf(folder).flatMap((name) => {
		const [, ofKey, change] = NAME.exec(name) ?? [];
		if (Number(ofKey) !== key || !Number.isSafeInteger(Number(change))) return [];
		return [{ path: join(folder, name), key, change: Number(change) }];
	});
	return listed.sort((a, b) => b.change - a.change);
}

/**
 * Removes all but the newest `keep` snapshots of a collection; those of other collections stay.
 *
 * @returns The paths that are gone.
 */
export function removeOlder(folder: string, key: number, keep: number): string[] {
	checkInteger("keep", keep, { min: 0, max: Number.MAX_SAFE_INTEGER });
	return removeFiles(
		listSnapshots(folder, key)
			.map(({ path }) => path)
			.slice(keep),
	);
}

/**
 * Removes what writers left that did not come to their end. Only for the one who holds the database's lock: a file that is being written
 * looks the same.
 *
 * @returns The paths that are gone.
 */
export function removeTemporary(folder: string): string[] {
	return removeFiles(
		filesOf(folder)
			.filter((name) => TEMPORARY.test(name))
			.map((name) => join(folder, name)),
	);
}

/**
 * Removes the snapshots of collections that are not among `keys`: what is left where a process was killed while it dropped one. Only for the
 * one who holds the database's lock.
 *
 * @returns The paths that are gone.
 */
export function removeForeign(folder: string, keys: ReadonlySet<number>): string[] {
	const foreign = filesOf(folder).filter((name) => {
		const [, key] = NAME.exec(name) ?? [];
		return key !== undefined && !keys.has(Number(key));
	});
	return removeFiles(foreign.map((name) => join(folder, name)));
}

/**
 * Removes every snapshot, of whatever collection, and what writers left.
 *
 * @returns The paths that are gone.
 */
export function removeAll(folder: string): string[] {
	const names = filesOf(folder).filter((name) => NAME.test(name) || TEMPORARY.test(name));
	return removeFiles(names.map((name) => join(folder, name)));
}

/** @returns The paths, which are gone. */
export function removeFiles(paths: string[]): string[] {
	for (const path of paths) {
		try {
			rmSync(path, { force: true });
		} catch (error) {
			throw asFileError(error, `removing ${path}`);
		}
	}
	return paths;
}

/** Names of the files in a folder; none where there is no such folder. */
export function filesOf(folder: string): string[] {
	try {
		const entries = readdirSync(folder, { withFileTypes: true });
		return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
	} catch (cause) {
		const error = asFileError(cause, `listing ${folder}`);
		if (isNighError(error, "NOT_FOUND") && error.details.system === "ENOENT") return [];
		throw error;
	}
}
