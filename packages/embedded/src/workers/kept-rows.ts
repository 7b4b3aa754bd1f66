import { rmSync } from "node:fs";
import type { RowFilesAt } from "../memory/generation.ts";
import { RowFiles } from "../row-files/read.ts";
import { ScratchRows } from "../row-files/scratch.ts";
import { endOf, type PlacedSegment } from "../row-files/segments.ts";
import { verifySegments } from "../row-files/verify.ts";
import { RowFileWriter } from "../row-files/write.ts";
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

const ROWS = { what: "a part of the rows", without: "they stay in memory, and writers wait once that is full" };

/**
 * The rows of a generation whose index does not hold them, as the indexer appends and reads them. Slot s is row s. What earlier sessions have
 * appended stays as it is; this one has a file of its own.
 */
export class KeptRows {
	readonly #base: RowBase;
	readonly #writer: RowFileWriter;
	readonly #scratch: ScratchRows | undefined;
	readonly #files: RowFiles;
	readonly #place: RowPlace;

	/** @throws NighError `DISK_FULL`, `READ_ONLY`. */
	constructor(place: RowPlace, rowBytes: number, base: RowBase = NOTHING) {
		const { folder, key, databaseId, readOnly } = place;
		const front = { key, databaseId, rowBytes, from: endOf(base.segments) };
		this.#place = place;
		this.#base = base;
		this.#scratch = readOnly ? ScratchRows.create(front) : undefined;
		this.#writer = this.#scratch?.writer ?? RowFileWriter.create(folder, front);
		try {
			this.#files = new RowFiles(folder, rowBytes, this.segments, { databaseId, key });
		} catch (error) {
			void (this.#scratch ?? this.#writer).close();
			rmSync(this.#writer.path, { force: true });
			throw error;
		}
	}

	/** What other threads read by. Rows that are appended afterwards can be read as well. */
	get at(): RowFilesAt {
		return { folder: this.#place.folder, segments: this.segments };
	}

	get segments(): readonly PlacedSegment[] {
		return [...this.#base.segments, this.#scratch?.segment ?? this.#writer.segment];
	}

	/** Slots from here on have not been kept yet. */
	get end(): number {
		return this.#writer.from + this.#writer.rows;
	}

	/**
	 * Keeps the rows of slots from `from` on, but for those that have been. None may be left out between.
	 *
	 * @throws NighError `DISK_FULL`, also where what is left would not do for the records; `READ_ONLY`.
	 */
	keep(from: number, rows: Uint8Array): void {
		const known = Math.max(0, this.end - from) * this.#writer.rowBytes;
		if (known >= rows.length) return;
		if (this.#scratch === undefined) checkSpace(this.#place.folder, rows.length - known, this.#place.records, ROWS);
		this.#writer.append(rows.subarray(known));
	}

	/** Rows of slots, one after the other. Blocks the thread. */
	read(slots: Uint32Array): Uint8Array {
		const rows = new Uint8Array(slots.length * this.#writer.rowBytes);
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
	 * @throws NighError `CORRUPT_SNAPSHOT`; what `yieldNow` throws.
	 */
	async verify(yieldNow: () => Promise<void>): Promise<void> {
		const { folder, key, databaseId } = this.#place;
		const owner = { databaseId, key };
		await verifySegments(folder, this.#writer.rowBytes, this.segments, this.#checksums, { owner, yieldNow });
	}

	get #checksums(): Uint32Array {
		return Uint32Array.from([...this.#base.checksums, ...this.#writer.checksums()]);
	}

	/** As a snapshot names it: waits until all of it is on disk. */
	async saved(): Promise<SavedRows> {
		// A session that has appended nothing has nothing to be kept for.
		const segments = this.segments.filter(({ rows }) => rows > 0);
		const { rowBytes } = this.#writer;
		const checksums = this.#checksums;
		await this.#writer.flush();
		return { rowBytes, segments, checksums };
	}

	/** Another generation has taken over, or the collection is closed. What is on disk stays, unless it is in a temporary folder, or empty. */
	close(): void {
		void this.#files.close();
		void (this.#scratch ?? this.#writer).close();
		if (this.#writer.rows === 0) this.#remove();
	}

	/** The generation does not come to be: nobody has read what was appended for it. */
	discard(): void {
		this.close();
		this.#remove();
	}

	#remove(): void {
		try {
			rmSync(this.#writer.path, { force: true });
		} catch {
			// Some systems keep what somebody has open. It goes with what else nobody knows of.
		}
	}
}
