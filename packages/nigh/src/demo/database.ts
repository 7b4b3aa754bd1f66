import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Collection, type CollectionSpec, type Database, type Embedder, isNighError } from "@nigh/contract";
import { open } from "../open.ts";

/** What is kept with each passage. */
export type PassageMetadata = {
	/** Path from the folder, with forward slashes. */
	readonly file: string;
	/** Of all passages of the file: another one tells that the file has changed. */
	readonly fingerprint: string;
	/** Line it begins on, counted from 1. */
	readonly line: number;
	/** The heading it stands under, which is also the first line of its text; empty where there is none. */
	readonly heading: string;
};

/** The database of a folder, opened as far as that is possible. */
export interface PassageDatabase {
	readonly database: Database;
	readonly passages: Collection<PassageMetadata>;
	/** `read-only`: another process writes it. `memory`: it could not be kept in the folder, and is gone when it is closed. */
	readonly mode: "kept" | "read-only" | "memory";
	/** The folder of the database, or `":memory:"`. */
	readonly path: string;
	/** Why it is not kept, in a sentence; empty where it is. */
	readonly note: string;
}

/** Hidden, so that it is not among the texts it holds. */
export const DATABASE_FOLDER = ".nigh";
const COLLECTION = "passages";
/** Above the default: a folder is small, and whoever asks wants the answer rather than the speed. */
export const RECALL = 0.99;

/**
 * Opens the database in the folder, making it where there is none. While another process writes it, it is read; where it cannot be
 * kept at all (a checkout that must not be written to, a full disk), one in memory takes its place.
 */
export async function openPassages(folder: string, embedder: Embedder): Promise<PassageDatabase> {
	const path = join(folder, DATABASE_FOLDER);
	try {
		return await openKept(path, embedder);
	} catch (error) {
		if (!isNighError(error)) throw error;
		return (
			(error.code === "LOCKED" && (await openBeside(path, embedder, error.message))) || openInMemory(embedder, error)
		);
	}
}

async function openKept(path: string, embedder: Embedder): Promise<PassageDatabase> {
	const database = await open(path);
	return opened(database, async () => {
		ignoreByGit(path);
		const passages = await collectionFor(database, embedder);
		return { database, passages, mode: "kept", path, note: "" };
	});
}

/** `undefined` where there is nothing to read yet. */
async function openBeside(path: string, embedder: Embedder, reason: string): Promise<PassageDatabase | undefined> {
	try {
		const database = await open(path, { readOnly: true });
		return await opened(database, async () => {
			const passages = await database.collection<PassageMetadata>(COLLECTION, { embedder });
			if ((await passages.count()) === 0) {
				await database.close();
				return undefined;
			}
			return { database, passages, mode: "read-only", path, note: `Opened for reading only: ${reason}` };
		});
	} catch (error) {
		// Whoever writes it has only just begun, or keeps passages of another version of the embedder.
		if (isNighError(error)) return undefined;
		throw error;
	}
}

async function openInMemory(embedder: Embedder, reason: Error): Promise<PassageDatabase> {
	const database = await open(":memory:");
	return opened(database, async () => {
		const passages = await collectionFor(database, embedder);
		return {
			database,
			passages,
			mode: "memory",
			path: ":memory:",
			note: `Nothing is kept this time: ${reason.message}`,
		};
	});
}

/** A database that cannot be used is closed again. */
async function opened<T>(database: Database, use: () => Promise<T>): Promise<T> {
	try {
		return await use();
	} catch (error) {
		await database.close();
		throw error;
	}
}

/** A graph even for few passages, so that there is something to compare with the exact search. */
async function collectionFor(database: Database, embedder: Embedder): Promise<Collection<PassageMetadata>> {
	const spec: CollectionSpec = { embedder, metric: "cosine", recall: RECALL, index: { kind: "hnsw" } };
	try {
		return await database.collection<PassageMetadata>(COLLECTION, spec);
	} catch (error) {
		if (!isNighError(error, "SPEC_CONFLICT")) throw error;
		// Another version wrote it. All that is in it comes from the files, and is made from them again.
		await database.drop(COLLECTION);
		return database.collection<PassageMetadata>(COLLECTION, spec);
	}
}

/** In whatever repository the folder is, what is derived from it is not part of it. */
function ignoreByGit(path: string): void {
	const file = join(path, ".gitignore");
	if (!existsSync(file)) writeFileSync(file, "*\n");
}
