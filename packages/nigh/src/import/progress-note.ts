import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Collection, Id } from "@nigh/contract";

/** What tells one import from another: when any of it differs, the file is read from its start. */
export interface ImportIdentity {
	readonly collection: string;
	/** Absolute. */
	readonly file: string;
	readonly bytes: number;
	/** When the file was last changed, in ms since 1970. */
	readonly modifiedMs: number;
	/** How its rows become records. */
	readonly reading: object;
}

/** How far an import has come. */
export interface ImportProgress {
	/** Rows from the start of the file that are acknowledged. */
	readonly rows: number;
	readonly changeNumber: number;
	/** Of the first and the last of these rows: if they are not there any more, somebody has deleted records since. */
	readonly firstId: Id;
	readonly lastId: Id;
}

const FOLDER = "imports";

/**
 * A small JSON file in the folder of the database, written after rows are acknowledged and gone when the import is complete. It saves time
 * and nothing hangs on it: writing a row again changes nothing.
 */
export class ProgressNote {
	readonly #folder: string;
	readonly #path: string;
	readonly #identity: ImportIdentity;

	constructor(dataFolder: string, identity: ImportIdentity) {
		const hash = createHash("sha256").update(identity.file).digest("hex").slice(0, 16);
		this.#folder = join(dataFolder, FOLDER);
		this.#path = join(this.#folder, `${identity.collection}-${hash}.json`);
		this.#identity = identity;
	}

	/** What was noted by an import that did not come to its end; `undefined` where there is none that can be gone on with. */
	read(): ImportProgress | undefined {
		try {
			const { progress, ...identity } = JSON.parse(readFileSync(this.#path, "utf8"));
			if (JSON.stringify(identity) !== JSON.stringify(this.#identity)) return undefined;
			const { rows, changeNumber, firstId, lastId } = progress;
			const isSound = Number.isSafeInteger(rows) && rows > 0 && Number.isSafeInteger(changeNumber);
			return isSound && typeof firstId === "string" && typeof lastId === "string" ? progress : undefined;
		} catch {
			// None, or cut off: then everything is read again.
			return undefined;
		}
	}

	write(progress: ImportProgress): void {
		mkdirSync(this.#folder, { recursive: true });
		const partial = `${this.#path}.partial`;
		writeFileSync(partial, `${JSON.stringify({ ...this.#identity, progress })}\n`);
		renameSync(partial, this.#path);
	}

	remove(): void {
		rmSync(this.#path, { force: true });
		rmSync(`${this.#path}.partial`, { force: true });
		try {
			rmdirSync(this.#folder);
		} catch {
			// It is not there, or other imports have their notes in it.
		}
	}
}

/** Whether the collection still has what was noted: it may have been dropped, restored or emptied since. */
export async function isStillThere(collection: Collection, progress: ImportProgress): Promise<boolean> {
	const { changeNumber } = await collection.stats();
	if (changeNumber < progress.changeNumber) return false;
	const ids = [progress.firstId, progress.lastId];
	const found = await collection.get(ids, { include: { metadata: false } });
	return found.every((record) => record !== undefined);
}
