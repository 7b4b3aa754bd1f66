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
