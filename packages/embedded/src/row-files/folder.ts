import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { checkInteger } from "@nigh/contract";
import { filesOf, removeFiles } from "../snapshot/folder.ts";

/** Key without leading zeros; the digits are drawn, so that no session meets the file of another one. */
const NAME = /^([1-9]\d*)-[0-9a-f]{16}\.nigh-rows$/;

/** A name that no file of the collection has. */
export function newRowFile(key: number): string {
	checkInteger("key", key, { min: 1, max: Number.MAX_SAFE_INTEGER });
	return `${key}-${randomBytes(8).toString("hex")}.nigh-rows`;
}

/** The collection that a file of this name is of; `undefined` where it is no name of a row file. */
export function keyOfRowFile(name: string): number | undefined {
	const key = Number(NAME.exec(name)?.[1]);
	return Number.isSafeInteger(key) ? key : undefined;
}

/**
 * Removes the row files of a collection that no kept snapshot and no generation has: those of older generations, and what was appended by a
 * process that was killed before it saved a snapshot. Those of other collections stay. Only for the one who holds the database's lock.
 *
 * @param keep Names of files.
 * @returns The paths that are gone.
 */
export function removeUnused(folder: string, key: number, keep: ReadonlySet<string>): string[] {
	return removeWhere(folder, (ofKey, name) => ofKey === key && !keep.has(name));
}

/**
 * Removes the row files of collections that are not among `keys`: what is left where a process was killed while it dropped one. Only for the
 * one who holds the database's lock.
 *
 * @returns The paths that are gone.
 */
export function removeForeignRows(folder: string, keys: ReadonlySet<number>): string[] {
	return removeWhere(folder, (key) => !keys.has(key));
}

/**
 * Removes every row file, of whatever collection.
 *
 * @returns The paths that are gone.
 */
export function removeAllRows(folder: string): string[] {
	return removeWhere(folder, () => true);
}

function removeWhere(folder: string, isGone: (key: number, name: string) => boolean): string[] {
	const names = filesOf(folder).filter((name) => {
		const key = keyOfRowFile(name);
		return key !== undefined && isGone(key, name);
	});
	return removeFiles(names.map((name) => join(folder, name)));
}
