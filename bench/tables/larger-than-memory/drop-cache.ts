import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Has the system forget what it has of the files in a folder and in the folders in it, so that they are read from the disk again. Returns whether
 * it could: it takes GNU's `sync` of a file and `dd` with `nocache`. Files are opened by other processes only: this one may have the database
 * open, whose locks end where a file of it is closed.
 */
export function dropCache(folder: string): boolean {
	const files = readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map(({ parentPath, name }) => join(parentPath, name));
	// Pages that are not on the disk yet would stay.
	if (!runs("sync", files)) return false;
	return files.every((path) => runs("dd", [`if=${path}`, "iflag=nocache", "count=0", "status=none"]));
}

function runs(program: string, args: readonly string[]): boolean {
	return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}
