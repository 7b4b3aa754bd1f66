import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createGzip } from "node:zlib";
import { isNighError } from "@nigh/contract";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { packTar, unpackTar } from "modern-tar/fs";
import { asFileError } from "./file-errors.ts";
import { damaged, isBackupName, MANIFEST_FILE } from "./manifest.ts";
import type { Progress } from "./progress.ts";

const CHUNK_BYTES = 1 << 20;
/** Floats hardly get smaller: at any level to 92.5 % of what they are. */
const GZIP_LEVEL = constants.Z_BEST_SPEED;
const MOST_MANIFEST_BYTES = 1 << 24;
const FILE_MODE = 0o644;

export const ARCHIVE_EXTENSION = ".tar.gz";

/** Packs files of a folder, in this order, into a new `.tar.gz` file. Counts the bytes packed in `progress`. */
export async function packArchive(
	folder: string,
	names: readonly string[],
	path: string,
	progress: Progress,
): Promise<void> {
	const sources = names.map((name) => ({
		type: "file" as const,
		source: join(folder, name),
		target: name,
		mode: FILE_MODE,
	}));
	try {
		await pipeline(
			packTar(sources),
			counted(progress),
			createGzip({ level: GZIP_LEVEL, chunkSize: CHUNK_BYTES }),
			createWriteStream(path, { flags: "wx" }),
		);
	} catch (error) {
		throw asFileError(error, `writing ${path}`);
	}
}

/**
 * Unpacks what a backup has from a `.tar.gz` file into a folder. Whatever else is in it (links, names that lead elsewhere) is passed over.
 * Counts the bytes read in `progress`.
 *
 * @throws NighError `NOT_FOUND`, `CORRUPT_RECORDS`, `DISK_FULL`, `READ_ONLY`, `ABORTED`.
 */
export async function unpackArchive(path: string, folder: string, progress: Progress): Promise<void> {
	try {
		await pipeline(
			createReadStream(path, { highWaterMark: CHUNK_BYTES }),
			counted(progress),
			createGunzip({ chunkSize: CHUNK_BYTES }),
			unpackTar(folder, { filter: isWanted, fmode: FILE_MODE, strict: true }),
		);
	} catch (error) {
		throw asArchiveError(error, path);
	}
}

/**
 * The first file of an archive, as text: a backup's manifest. `undefined` where there is something else, or too much.
 *
 * @throws NighError `NOT_FOUND`, `READ_ONLY`.
 */
export async function readFirstFile(path: string, name: string): Promise<string | undefined> {
	const bytes = Readable.toWeb(createReadStream(path).pipe(createGunzip()));
	// Node's and the library's types of a web stream are two names of one thing.
	const decoder = createTarDecoder() as unknown as Parameters<typeof bytes.pipeThrough>[0];
	const entries = bytes.pipeThrough(decoder) as AsyncIterable<ParsedTarEntry>;
	try {
		for await (const { header, body } of entries) {
			const wanted = header.name === name && header.type === "file" && header.size <= MOST_MANIFEST_BYTES;
			return wanted ? await text(body) : undefined;
		}
	} catch (error) {
		const known = asFileError(error, `reading ${path}`);
		if (isNighError(known)) throw known;
	}
	return undefined;
}

function isWanted({ name, type }: { readonly name: string; readonly type?: string }): boolean {
	return type === "file" && (name === MANIFEST_FILE || isBackupName(name));
}

function counted(progress: Progress): Transform {
	return new Transform({
		transform(chunk, _encoding, done) {
			try {
				progress.advance(chunk.length);
				done(null, chunk);
			} catch (error) {
				done(error as Error);
			}
		},
	});
}

/** What is neither ours nor the file system's comes from what was read. */
function asArchiveError(error: unknown, path: string): unknown {
	const known = asFileError(error, `unpacking ${path}`);
	if (isNighError(known) || (error as NodeJS.ErrnoException).syscall !== undefined) return known;
	return damaged(path, `cannot be unpacked (${(error as Error).message})`);
}
