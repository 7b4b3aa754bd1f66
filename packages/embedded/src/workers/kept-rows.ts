import { rmSync } from "node:fs";
import type { RowFilesAt } from "../memory/generation.ts";
import { RowFiles } from "../row-files/read.ts";
import { ScratchRows } from "../row-files/scratch.ts";
import { endOf, type PlacedSegment } from "../row-files/segments.ts";
import { RowFileWriter } from "../row-files/write.ts";
import type { SavedRows } from "../snapshot/saved-rows.ts";

/** Where the rows of a collection are kept, and what tells them from those of others. */
export interface RowPlace {
	readonly folder: string;
	readonly key: number;
	readonly databaseId: string;
	/** The folder belongs to another process: what is appended goes to a temporary one. */
	readonly readOnly: boolean;
}

/** Rows that earlier sessions have kept. */
type RowBase = Pick<SavedRows, "segments" | "checksums">;

const NOTHING: RowBase = { segments: [], checksums: new Uint32Array(0) };

/**
 * The rows of a generation whose index does not hold them, as the indexer appends and reads them. Slot s is row s. What earlier sessions have
 * appended stays as it is; this one has a file of its own.
 */
export class KeptRows {
	readonly #base: RowBase;
	readonly #writer: RowFileWriter;
	readonly #scratch: ScratchRows | undefined;
	readonly #files: RowFiles;
	readonly #folder: string;

	/** @throws NighError `DISK_FULL`, `READ_ONLY`. */
	constructor({ folder, key, databaseId, readOnly }: RowPlace, rowBytes: number, base: RowBase = NOTHING) {
		const front = { key, databaseId, rowBytes, from: endOf(base.segments) };
		this.#folder = folder;
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
		return { folder: this.#folder, segments: this.segments };
	}

	get segments(): readonly PlacedSegment[] {
		return [...this.#base.segments, this.#scratch?.segment ?? this.#writer.segment];
	}

	/** Slots from here on have not been kept yet. */
	get end(): number {
		return this.#writer.from + this.#writer.rows;
	}

	/** Keeps the rows of slots from `from` on, but for those that have been. None may be left out between. */
	keep(from: number, rows: Uint8Array): void {
		const known = Math.max(0, this.end - from) * this.#writer.rowBytes;
		if (known < rows.length) this.#writer.append(rows.subarray(known));
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

	/** As a snapshot names it: waits until all of it is on disk. */
	async saved(): Promise<SavedRows> {
		// A session that has appended nothing has nothing to be kept for.
		const segments = this.segments.filter(({ rows }) => rows > 0);
		const { rowBytes } = this.#writer;
		const checksums = Uint32Array.from([...this.#base.checksums, ...this.#writer.checksums()]);
		await this.#writer.flush();
		return { rowBytes, segments, checksums };
	}

	/** Another generation has taken over, or the collection is closed. What is on disk stays, unless it is in a temporary folder. */
	close(): void {
		void this.#files.close();
		void (this.#scratch ?? this.#writer).close();
	}

	/** The generation does not come to be: nobody has read what was appended for it. */
	discard(): void {
		this.close();
		rmSync(this.#writer.path, { force: true });
	}
}
