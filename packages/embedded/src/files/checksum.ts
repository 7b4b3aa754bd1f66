import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { asFileError } from "./file-errors.ts";
import type { BackupFile } from "./manifest.ts";
import type { Progress } from "./progress.ts";

const CHUNK_BYTES = 1 << 20;

/** Reads a file and says how long it is and what its SHA-256 is. Counts its bytes in `progress`. */
export async function checksumOf(path: string, progress: Progress): Promise<Omit<BackupFile, "name">> {
	const hash = createHash("sha256");
	let bytes = 0;
	try {
		for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
			hash.update(chunk);
			bytes += chunk.length;
			progress.advance(chunk.length);
		}
	} catch (error) {
		throw asFileError(error, `reading ${path}`);
	}
	return { bytes, sha256: hash.digest("hex") };
}
