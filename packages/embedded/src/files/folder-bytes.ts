import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Bytes of the files in a folder; those that go meanwhile are passed over. */
export function folderBytes(folder: string): number {
	let sum = 0;
	for (const entry of readdirSync(folder, { withFileTypes: true })) {
		if (entry.isFile()) sum += statSync(join(folder, entry.name), { throwIfNoEntry: false })?.size ?? 0;
	}
	return sum;
}
