import { once } from "node:events";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import { NighError } from "@nigh/contract";

/**
 * Writes a file under another name and renames it: it is there in full, or as before. Returns its size in bytes.
 *
 * @throws NighError `NOT_FOUND` where there is no folder to write it into; errors of the system as they are.
 */
export async function writeToFile(bytes: AsyncIterable<Uint8Array>, path: string): Promise<number> {
	const folder = dirname(path);
	if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true) {
		throw new NighError("NOT_FOUND", `There is no folder ${folder} to write ${path} into: make it first.`, { path });
	}
	const partial = `${path}.partial`;
	let size = 0;
	try {
		const file = await open(partial, "w");
		try {
			for await (const chunk of bytes) {
				await file.writeFile(chunk);
				size += chunk.length;
			}
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(partial, path);
		return size;
	} catch (error) {
		await rm(partial, { force: true }).catch(() => undefined);
		throw error;
	}
}

/** Writes to a stream as fast as it takes it. */
export async function writeToStream(bytes: AsyncIterable<Uint8Array>, stream: Writable): Promise<void> {
	for await (const chunk of bytes) {
		if (!stream.write(chunk)) await once(stream, "drain");
	}
}
