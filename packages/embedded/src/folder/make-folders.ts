import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder, and those above it that are missing. Not with the `recursive` of `mkdir`: that tries for ever where a folder is there and
 * the system denies it (under /proc), and says that there is no folder where one may not be written.
 *
 * @returns the topmost folder that was made; `undefined` where nothing was.
 * @throws what the system says, with its `code`.
 */
export function makeFolders(path: string): string | undefined {
	if (isMade(path)) return path;
	if (isFolder(path)) return undefined;
	const first = makeFolders(dirname(path));
	return isMade(path) ? (first ?? path) : first;
}

/** Makes one folder. `false`: it is there, or the one above it is missing. */
function isMade(path: string): boolean {
	try {
		mkdirSync(path);
		return true;
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		const parent = dirname(path);
		if (code === "EEXIST" && isFolder(path)) return false;
		if (code === "ENOENT" && parent !== path && !existsSync(parent)) return false;
		throw error;
	}
}

function isFolder(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
