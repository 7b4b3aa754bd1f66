import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTemporaryFolder, type TemporaryFolder, temporaryName } from "../folder/temporary.ts";
import { newRowFile } from "./folder.ts";
import type { RowFileFront } from "./front.ts";
import type { PlacedSegment } from "./segments.ts";
import { RowFileWriter } from "./write.ts";

/**
 * Where a process that only reads a database keeps the rows that it takes into its own index: not in the database's folder, which belongs to
 * the one who holds its lock, but in a temporary one. That is made for the first row. It goes with `close`, or when the process ends, or (the
 * process was killed) when the next one makes a temporary folder.
 */
export class ScratchRows {
	/** Where its folder is made. */
	readonly parent: string;
	readonly #front: RowFileFront;
	readonly #name = temporaryName();
	readonly #file: string;
	#folder: TemporaryFolder | undefined;
	#writer: RowFileWriter | undefined;

	/** @param parent Default: the system's folder for temporary files, which may be in memory. */
	constructor(front: RowFileFront, parent: string = tmpdir()) {
		this.#front = front;
		this.parent = parent;
		this.#file = newRowFile(front.key);
	}

	/** What a generation says of the file, as it is now, with the folder where it is or will be. */
	get segment(): PlacedSegment {
		const { from } = this.#front;
		const folder = join(this.parent, this.#name);
		return { file: this.#file, from, rows: this.#writer?.rows ?? 0, folder };
	}

	/**
	 * Begins the file where it has not been begun.
	 *
	 * @throws NighError As `makeTemporaryFolder` and `RowFileWriter.create`; then nothing is left.
	 */
	begin(): RowFileWriter {
		if (this.#writer !== undefined) return this.#writer;
		const folder = makeTemporaryFolder(this.parent, this.#name);
		try {
			this.#writer = RowFileWriter.create(folder.path, this.#front, this.#file);
		} catch (error) {
			folder.remove();
			throw error;
		}
		this.#folder = folder;
		return this.#writer;
	}

	/** Removes the rows. Readers give their files back first: Windows keeps what is open. Does nothing the second time. */
	async close(): Promise<void> {
		await this.#writer?.close();
		this.#folder?.remove();
	}
}
