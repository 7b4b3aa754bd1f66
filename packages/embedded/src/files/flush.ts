import { closeSync, fsyncSync, openSync } from "node:fs";
import { open } from "node:fs/promises";

/** Waits until the bytes of a file are on disk. */
export async function flushFile(path: string): Promise<void> {
	const file = await open(path, "r+");
	try {
		await file.sync();
	} finally {
		await file.close();
	}
}

/** Waits until the names in a folder are on disk: without it a power cut may undo a rename. Windows has no such call. */
export async function flushFolder(path: string): Promise<void> {
	if (process.platform === "win32") return;
	const folder = await open(path, "r");
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}

/** What a folder says that may be written in and not be read, and what file systems of a network say that keep names in another way. */
const UNFLUSHABLE = new Set(["EACCES", "EPERM", "EINVAL", "ENOTSUP"]);

/** As {@link flushFolder}, as far as the folder lets itself be flushed: for one that is not the database's own. */
export function flushFolderSync(path: string): void {
	if (process.platform === "win32") return;
	try {
		const folder = openSync(path, "r");
		try {
			fsyncSync(folder);
		} finally {
			closeSync(folder);
		}
	} catch (error) {
		if (!UNFLUSHABLE.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
	}
}
