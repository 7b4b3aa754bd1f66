import { closeSync } from "node:fs";
import { NighError } from "@nigh/contract";
import { corrupt } from "../snapshot/corrupt.ts";
import { FRONT_BYTES } from "./front.ts";
import { type OpenRowFile, openRowFile, type RowFileOwner, readFully } from "./open.ts";
import { type FilePart, type FileRead, readInFlight } from "./read-in-flight.ts";
import { MOST_SLOTS, planReads, type Run, scatter } from "./runs.ts";
import { checkSegments, endOf, type PlacedSegment } from "./segments.ts";

export interface ReadManyOptions {
	readonly signal?: AbortSignal | undefined;
}

/**
 * The rows of a generation, by slot. Every thread that reads has one of its own; others may append meanwhile. A file is opened, and its front
 * checked, when one of its rows is first read. The rows are not compared with their checksums then: `verifySegments` does that.
 *
 * All reads throw `CORRUPT_SNAPSHOT` (with `path` and `byteOffset`), `NEWER_VERSION`, `NOT_FOUND` and `READ_ONLY` for what is wrong with a
 * file, `INVALID_OPTION` for slots that there are not and for memory of a wrong length, `CLOSED` after `close`. What is in `into` after an
 * error is not defined.
 */
export class RowFiles {
	readonly rowBytes: number;
	readonly #folder: string;
	readonly #owner: RowFileOwner;
	#segments: readonly PlacedSegment[] = [];
	/** The first slot of each. */
	#starts: readonly number[] = [];
	readonly #files: (OpenRowFile | undefined)[] = [];
	#reading = 0;
	#closing: Promise<void> | undefined;
	#lastReadEnded: (() => void) | undefined;

	/**
	 * @param folder Where the files are that do not say otherwise.
	 * @param rowBytes Bytes of a row.
	 * @throws NighError `INVALID_OPTION` for segments that cannot be.
	 */
	constructor(folder: string, rowBytes: number, segments: readonly PlacedSegment[], owner: RowFileOwner = {}) {
		this.#folder = folder;
		this.rowBytes = rowBytes;
		this.#owner = owner;
		this.extend(segments);
	}

	/** Rows that are known of. The last file may have more, which can be read as well. */
	get rows(): number {
		return endOf(this.#segments);
	}

	/**
	 * Takes in what was appended: the last segment has grown, or others came behind it. Older news than what is known changes nothing.
	 *
	 * @param segments All of them, from slot 0 on.
	 * @throws NighError `INVALID_OPTION` where they are not those that are known, and more.
	 */
	extend(segments: readonly PlacedSegment[]): void {
		const problem = checkSegments(segments);
		if (typeof problem === "string") throw refused("segments", `the list ${problem}`);
		const isOlder = segments.length < this.#segments.length || endOf(segments) < this.rows;
		for (const [at, { file, from, rows, folder }] of segments.entries()) {
			const known = this.#segments[at];
			if (known === undefined) break;
			const isSame = known.file === file && known.from === from && known.folder === folder;
			if (isSame && (isOlder || rows >= known.rows)) continue;
			const [now, before] = [
				`${rows} rows of ${file} from slot ${from}`,
				`${known.rows} of ${known.file} from ${known.from}`,
			];
			throw refused("segments", `segment ${at} has ${now}, and had ${before}`);
		}
		if (isOlder) return;
		this.#segments = segments.map(({ file, from, rows, folder }) => ({
			file,
			from,
			rows,
			...(folder !== undefined && { folder }),
		}));
		this.#starts = segments.map(({ from }) => from);
	}

	/**
	 * Opens and checks the files that are not open yet: what is wrong is known now, and a file that is removed can still be read. One that had no
	 * rows when it was told of may not be there before the first: it is opened when that is read.
	 */
	open(): void {
		this.#checkOpen();
		for (const [at, { rows }] of this.#segments.entries()) if (rows > 0) this.#file(at);
	}

	/** Reads consecutive rows. Blocks its thread. */
	readSync(slot: number, rows: number, into: Uint8Array): void {
		this.#checkOpen();
		if (!Number.isSafeInteger(slot) || slot < 0 || !Number.isSafeInteger(rows) || rows < 0) {
			throw refused("slot", `there are no ${rows} rows from slot ${slot} on`);
		}
		this.#checkRoom(rows, into);
		for (let done = 0; done < rows; ) {
			const segment = this.#segmentOf(slot + done);
			const end = Math.min(slot + rows, this.#starts[segment + 1] ?? Number.POSITIVE_INFINITY);
			const count = end - slot - done;
			this.#readNow(this.#read(segment, slot + done, count), into, done * this.rowBytes);
			done += count;
		}
	}

	/**
	 * Reads rows of any slots, in any order, also the same more than once. Blocks its thread, and takes less time than `readMany` where the
	 * system has the rows in memory: nothing is handed to other threads and back.
	 *
	 * @param into As many rows as slots; row i is that of slot i.
	 */
	readManySync(slots: Uint32Array, into: Uint8Array): void {
		const { runs, order } = this.#plan(slots, into);
		for (const run of runs) {
			const read = this.#read(run.segment, run.slot, run.rows);
			if (run.place !== undefined) {
				this.#readNow(read, into, run.place * this.rowBytes);
				continue;
			}
			const rows = new Uint8Array(read.bytes);
			this.#readNow(read, rows, 0);
			scatter(rows, run, order, slots, into);
		}
	}

	/**
	 * As `readManySync`, with up to 32 reads in flight and without blocking the thread.
	 *
	 * @param slots Must not change before the promise settles.
	 * @param into May be shared memory. Nothing writes to it once the promise has settled, also where that is an error; its memory must not be
	 * grown (detached) before.
	 * @throws NighError Also `ABORTED`, with the signal's reason as the `cause`.
	 */
	async readMany(slots: Uint32Array, into: Uint8Array, { signal }: ReadManyOptions = {}): Promise<void> {
		const { runs, order } = this.#plan(slots, into);
		// Opened before anything is in flight: nothing is to be waited for where that fails.
		const reads = runs.map((run) => this.#asyncRead(run, into, (rows) => scatter(rows, run, order, slots, into)));
		this.#reading++;
		try {
			await readInFlight(reads, signal);
		} finally {
			this.#reading--;
			if (this.#reading === 0) this.#lastReadEnded?.();
		}
	}

	/** Gives the files back once the reads under way have ended. Does nothing the second time. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		if (this.#reading > 0) {
			await new Promise<void>((resolve) => {
				this.#lastReadEnded = resolve;
			});
		}
		for (const file of this.#files) if (file !== undefined) closeSync(file.descriptor);
	}

	#plan(slots: Uint32Array, into: Uint8Array) {
		this.#checkOpen();
		if (slots.length > MOST_SLOTS)
			throw refused("slots", `${slots.length} at a time are too many; ask for ${MOST_SLOTS}`);
		this.#checkRoom(slots.length, into);
		if (slots.length > 0 && this.#segments.length === 0) throw this.#noSuchSlot(slots[0] as number);
		return planReads(slots, this.#starts, this.rowBytes);
	}

	#asyncRead(run: Run, into: Uint8Array, spread: (rows: Uint8Array) => void): FileRead {
		const read = this.#read(run.segment, run.slot, run.rows);
		if (run.place !== undefined) return { ...read, into, at: run.place * this.rowBytes };
		return { ...read, into: undefined, at: 0, spread };
	}

	/** Where consecutive rows of one segment are. */
	#read(segment: number, slot: number, rows: number): FilePart {
		const { rowBytes } = this;
		const first = slot - (this.#starts[segment] as number);
		return {
			file: this.#file(segment),
			bytes: rows * rowBytes,
			offset: FRONT_BYTES + first * rowBytes,
			ended: (bytes: number) => this.#ended(segment, slot, bytes),
		};
	}

	#readNow({ file, bytes, offset, ended }: FilePart, into: Uint8Array, at: number): void {
		const read = readFully(file, into, at, bytes, offset);
		if (read < bytes) throw ended(read);
	}

	/** What it means that a file has no more than `bytes` bytes from a slot's row on. */
	#ended(segment: number, slot: number, bytes: number): NighError {
		const { rowBytes } = this;
		const missing = slot + Math.floor(bytes / rowBytes);
		if (missing >= this.rows) return this.#noSuchSlot(missing);
		const offset = FRONT_BYTES + (slot - (this.#starts[segment] as number)) * rowBytes + bytes;
		const { path } = this.#files[segment] as OpenRowFile;
		return corrupt(path, `the file ends before the row of slot ${missing}`, offset);
	}

	#noSuchSlot(slot: number): NighError {
		return refused("slots", `there is no row of slot ${slot}; there are ${this.rows}`, {
			value: slot,
			bound: this.rows,
		});
	}

	#segmentOf(slot: number): number {
		let [low, high] = [0, this.#starts.length];
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#starts[middle] as number) <= slot) low = middle + 1;
			else high = middle;
		}
		if (low === 0) throw this.#noSuchSlot(slot);
		return low - 1;
	}

	#file(at: number): OpenRowFile {
		const segment = this.#segments[at] as PlacedSegment;
		this.#files[at] ??= openRowFile(this.#folder, this.rowBytes, segment, this.#owner);
		return this.#files[at];
	}

	#checkRoom(rows: number, into: Uint8Array): void {
		const bytes = rows * this.rowBytes;
		if (into.length === bytes) return;
		throw refused("into", `${rows} rows have ${bytes} bytes; there is room for ${into.length}`, {
			value: into.length,
			bound: bytes,
		});
	}

	/** A number of a closed file may by now be that of another one. */
	#checkOpen(): void {
		if (this.#closing === undefined) return;
		throw new NighError("CLOSED", `The row files in ${this.#folder} were closed: open them again.`);
	}
}

function refused(field: string, problem: string, details: Readonly<Record<string, unknown>> = {}): NighError {
	return new NighError("INVALID_OPTION", `Rows cannot be read like this: ${problem}.`, { field, ...details });
}
