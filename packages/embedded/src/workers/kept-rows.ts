import { rmSync } from "node:fs";
import { isNighError, NighError } from "@nigh/contract";
import type { RowFilesAt } from "../memory/generation.ts";
import { newRowFile } from "../row-files/folder.ts";
import { RowFiles } from "../row-files/read.ts";
import { ScratchRows } from "../row-files/scratch.ts";
import { endOf, type PlacedSegment } from "../row-files/segments.ts";
import { verifySegments } from "../row-files/verify.ts";
import { RowFileWriter } from "../row-files/write.ts";
import { corrupt } from "../snapshot/corrupt.ts";
import type { SavedRows } from "../snapshot/saved-rows.ts";
import { checkSpace } from "../snapshot/space.ts";

/** Where the rows of a collection are kept, and what tells them from those of others. */
export interface RowPlace {
	readonly folder: string;
	readonly key: number;
	readonly databaseId: string;
	/** The file of the records, to which space is left. */
	readonly records: string;
	/** The folder belongs to another process: what is appended goes to a temporary one. */
	readonly readOnly: boolean;
}

/** Rows that earlier sessions have kept. */
type RowBase = Pick<SavedRows, "segments" | "checksums">;

const NOTHING: RowBase = { segments: [], checksums: new Uint32Array(0) };

const ROWS = {
	what: "a part of the rows",
	without: "they stay in memory, and more is refused once that is full",
};
const SCRATCH = {
	...ROWS,
	advice:
		"Free some space there or set TMPDIR to a folder that has some, and open the database again; or let the process that writes close the collection or call optimize(), and refresh(): what its snapshot has is not written here.",
};

/**
 * The rows of a generation whose index does not hold them, as the indexer appends and reads them. Slot s is row s. What earlier sessions have
 * appended stays as it is; this one has a file of its own, which is begun with its first row.
 */
export class KeptRows {
	readonly #base: RowBase;
	readonly #rowBytes: number;
	/** Slots from here on are this session's. */
	readonly #from: number;
	/** Its file. */
	readonly #file: string;
	readonly #scratch: ScratchRows | undefined;
	#writer: RowFileWriter | undefined;
	readonly #files: RowFiles;
	readonly #place: RowPlace;
	#isClosed = false;

	/** @throws NighError `INVALID_OPTION` where there are more files than there can be. */
	constructor(place: RowPlace, rowBytes: number, base: RowBase = NOTHING) {
		const { folder, key, databaseId, readOnly } = place;
		const from = endOf(base.segments);
		this.#place = place;
		this.#base = base;
		this.#rowBytes = rowBytes;
		this.#from = from;
		this.#scratch = readOnly ? new ScratchRows({ key, databaseId, rowBytes, from }) : undefined;
		this.#file = newRowFile(key);
		this.#files = new RowFiles(folder, rowBytes, this.segments, { databaseId, key });
	}

	/** What other threads read by. Rows that are appended afterwards can be read as well. */
	get at(): RowFilesAt {
		return { folder: this.#place.folder, segments: this.segments };
	}

	get segments(): readonly PlacedSegment[] {
		const own = { file: this.#file, from: this.#from, rows: this.#writer?.rows ?? 0 };
		return [...this.#base.segments, this.#scratch?.segment ?? own];
	}

	/** Slots from here on have not been kept yet. */
	get end(): number {
		return this.#from + (this.#writer?.rows ?? 0);
	}

	/**
	 * Keeps the rows of slots from `from` on, but for those that have been. None may be left out between.
	 *
	 * @throws NighError `DISK_FULL`, also where what is left would not do for the records; `READ_ONLY`, `CLOSED`.
	 */
	keep(from: number, rows: Uint8Array): void {
		const known = Math.max(0, this.end - from) * this.#rowBytes;
		if (known >= rows.length) return;
		const { folder, records } = this.#place;
		const bytes = rows.length - known;
		if (this.#scratch === undefined) checkSpace(folder, bytes, records, ROWS);
		else checkSpace(this.#scratch.parent, bytes, undefined, SCRATCH);
		this.#begin().append(rows.subarray(known));
	}

	#begin(): RowFileWriter {
		const { folder, key, databaseId } = this.#place;
		if (this.#writer === undefined && this.#isClosed) {
			throw new NighError("CLOSED", `the rows of collection ${key} were closed: no more are kept.`);
		}
		const front = { key, databaseId, rowBytes: this.#rowBytes, from: this.#from };
		this.#writer ??= this.#scratch?.begin() ?? RowFileWriter.create(folder, front, this.#file);
		return this.#writer;
	}

	/** Rows of slots, one after the other. Blocks the thread. */
	read(slots: Uint32Array): Uint8Array {
		const rows = new Uint8Array(slots.length * this.#rowBytes);
		this.#files.readManySync(slots, rows);
		return rows;
	}

	/** Opens what earlier sessions have kept: what is wrong with it is known now. */
	check(): void {
		this.#files.open();
	}

	/**
	 * Reads all that has been kept, and compares it with its checksums.
	 *
	 * @throws NighError `CORRUPT_SNAPSHOT`, also for a file that is gone; what `yieldNow` throws.
	 */
	async verify(yieldNow: () => Promise<void>): Promise<void> {
		const { folder, key, databaseId } = this.#place;
		const owner = { databaseId, key };
		const segments = this.segments.filter(({ rows }) => rows > 0);
		try {
			await verifySegments(folder, this.#rowBytes, segments, this.#checksums, { owner, yieldNow });
		} catch (error) {
			if (!isNighError(error, "NOT_FOUND")) throw error;
			throw corrupt(folder, `a row file is gone: ${error.message}`, 0, {}, { cause: error });
		}
	}

	get #checksums(): Uint32Array {
		return Uint32Array.from([...this.#base.checksums, ...(this.#writer?.checksums() ?? [])]);
	}

	/** As a snapshot names it: waits until all of it is on disk. */
	async saved(): Promise<SavedRows> {
		// A session that has appended nothing has nothing to be kept for.
		const segments = this.segments.filter(({ rows }) => rows > 0);
		const checksums = this.#checksums;
		await this.#writer?.flush();
		return { rowBytes: this.#rowBytes, segments, checksums };
	}

	/** Another generation has taken over, or the collection is closed. What is on disk stays, unless it is in a temporary folder, or empty. */
	close(): void {
		this.#isClosed = true;
		void this.#files.close();
		void (this.#scratch ?? this.#writer)?.close();
		if (this.#writer?.rows === 0) this.#remove();
	}

	/** The generation does not come to be: nobody has read what was appended for it. */
	discard(): void {
		this.close();
		this.#remove();
	}

	#remove(): void {
		if (this.#writer === undefined) return;
		try {
			rmSync(this.#writer.path, { force: true });
		} catch {
			// Some systems keep what somebody has open. It goes with what else nobody knows of.
		}
	}
}
