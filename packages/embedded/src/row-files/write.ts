import { closeSync, fsync, openSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { NighError } from "@nigh/contract";
import { asFileError } from "../files/file-errors.ts";
import { flushFolder } from "../files/flush.ts";
import { BLOCK_BYTES } from "../snapshot/layout.ts";
import { newRowFile } from "./folder.ts";
import { encodeFront, FRONT_BYTES, type RowFileFront } from "./front.ts";
import type { RowSegment } from "./segments.ts";

/**
 * Appends rows to a file of its own. Nothing that is there is ever written again: readers in other threads and processes, and snapshots that
 * name the file, see each row as it was when it came. One thread writes.
 */
export class RowFileWriter {
	/** Where the file is, as long as nobody removes it. */
	readonly path: string;
	/** Its name, as segments have it. */
	readonly file: string;
	/** Slot of its first row. */
	readonly from: number;
	readonly rowBytes: number;
	readonly #descriptor: number;
	#rows = 0;
	/** Of the blocks that are full. */
	readonly #full: number[] = [];
	/** Of the bytes of the block that is not. */
	#last = 0;
	#folderFlushed = false;
	/** Why the bytes on disk are not known any more. */
	#lost: unknown;
	#flushing: Promise<void> | undefined;
	#closed: Promise<void> | undefined;

	/** Takes a file over that has its front; `create` makes it. */
	private constructor(descriptor: number, path: string, { from, rowBytes }: RowFileFront) {
		this.#descriptor = descriptor;
		this.path = path;
		this.file = basename(path);
		this.from = from;
		this.rowBytes = rowBytes;
	}

	/**
	 * Begins a file in the folder.
	 *
	 * @param file A name from `newRowFile`, where others have to know it before. Default: one of its own.
	 * @throws NighError `INVALID_OPTION`, `DISK_FULL`, `READ_ONLY`, `NOT_FOUND` (the folder); then there is no file.
	 */
	static create(folder: string, front: RowFileFront, file?: string): RowFileWriter {
		const bytes = encodeFront(front);
		const path = join(folder, file ?? newRowFile(front.key));
		let descriptor: number | undefined;
		try {
			descriptor = openSync(path, "wx");
			writeFully(descriptor, bytes, 0);
			return new RowFileWriter(descriptor, path, front);
		} catch (error) {
			if (descriptor !== undefined) closeSync(descriptor);
			removeQuietly(path);
			throw asFileError(error, `beginning the row file ${path}`);
		}
	}

	/** Rows that were appended. */
	get rows(): number {
		return this.#rows;
	}

	/** What a generation and a snapshot's header say of the file, as it is now. */
	get segment(): RowSegment {
		return { file: this.file, from: this.from, rows: this.#rows };
	}

	/**
	 * Appends whole rows. Other threads can read them when this returns; they outlast a power cut after the next `flush`. Blocks its thread.
	 * After an error the rows are those that were there before, and the same ones can be appended again.
	 *
	 * @param rows Of any number, one after the other.
	 * @throws NighError `DISK_FULL`, `READ_ONLY`, `INVALID_OPTION` (a part of a row), `CLOSED`.
	 */
	append(rows: Uint8Array): void {
		this.#checkUsable();
		const { rowBytes } = this;
		const count = rows.length / rowBytes;
		if (!Number.isInteger(count)) throw brokenRow(rows.length, rowBytes);
		const end = this.#rows * rowBytes;
		try {
			writeFully(this.#descriptor, rows, FRONT_BYTES + end);
		} catch (error) {
			throw asFileError(error, `appending to ${this.path}`);
		}
		this.#sum(rows, end % BLOCK_BYTES);
		this.#rows += count;
	}

	/** The CRC-32 of every MiB of rows (the front does not count); the last may have less. */
	checksums(): Uint32Array {
		const isLastBegun = (this.#rows * this.rowBytes) % BLOCK_BYTES > 0;
		return Uint32Array.from(isLastBegun ? [...this.#full, this.#last] : this.#full);
	}

	/**
	 * Waits until the rows that were appended before, and the name of the file, are on disk. What follows may be appended meanwhile. After an
	 * error nothing can be appended or flushed any more: the system may have forgotten bytes that it could not write. The rows are then to be
	 * appended to another file.
	 *
	 * @throws NighError `DISK_FULL`, `READ_ONLY`, `CLOSED`.
	 */
	async flush(): Promise<void> {
		this.#checkUsable();
		const before = this.#flushing ?? Promise.resolve();
		const mine = before.then(() => this.#flushNow());
		const settled = mine.catch(() => {});
		this.#flushing = settled;
		try {
			await mine;
		} finally {
			if (this.#flushing === settled) this.#flushing = undefined;
		}
	}

	/** Gives the file back when flushing has ended; it does not flush. Does nothing the second time. */
	close(): Promise<void> {
		this.#closed ??= this.#close(this.#flushing);
		return this.#closed;
	}

	async #close(flushing: Promise<void> | undefined): Promise<void> {
		if (flushing !== undefined) await flushing;
		closeSync(this.#descriptor);
	}

	async #flushNow(): Promise<void> {
		if (this.#lost !== undefined) throw this.#lost;
		try {
			// Flushing takes long, which the event loop does not have to wait.
			await promisify(fsync)(this.#descriptor);
			if (!this.#folderFlushed) await flushFolder(dirname(this.path));
			this.#folderFlushed = true;
		} catch (error) {
			this.#lost = asFileError(error, `flushing ${this.path}`);
			throw this.#lost;
		}
	}

	/** @param at Bytes of the last block that there are already. */
	#sum(rows: Uint8Array, at: number): void {
		let inBlock = at;
		for (let done = 0; done < rows.length; ) {
			const part = rows.subarray(done, done + BLOCK_BYTES - inBlock);
			this.#last = crc32(part, inBlock === 0 ? 0 : this.#last);
			done += part.length;
			inBlock += part.length;
			if (inBlock < BLOCK_BYTES) continue;
			this.#full.push(this.#last);
			inBlock = 0;
		}
	}

	#checkUsable(): void {
		if (this.#closed !== undefined) throw new NighError("CLOSED", `${this.path} was closed: begin another row file.`);
		if (this.#lost !== undefined) throw this.#lost;
	}
}

/** Bytes of one write: Node takes less than 2 GiB. */
const MOST_AT_ONCE = 1 << 30;

/** The system may take less than it is given. */
function writeFully(file: number, bytes: Uint8Array, offset: number): void {
	for (let at = 0; at < bytes.length; ) {
		at += writeSync(file, bytes, at, Math.min(bytes.length - at, MOST_AT_ONCE), offset + at);
	}
}

/** The failure that made it necessary is the one to be told. */
function removeQuietly(path: string): void {
	try {
		rmSync(path, { force: true });
	} catch {
		// It stays for removeUnused.
	}
}

function brokenRow(bytes: number, rowBytes: number): NighError {
	return new NighError(
		"INVALID_OPTION",
		`${bytes} bytes are not a number of rows of ${rowBytes} bytes: give whole ones.`,
		{
			field: "rows",
			value: bytes,
			bound: rowBytes,
		},
	);
}
