import { makeTemporaryFolder, type TemporaryFolder } from "../folder/temporary.ts";
import type { RowFileFront } from "./front.ts";
import type { PlacedSegment } from "./segments.ts";
import { RowFileWriter } from "./write.ts";

/**
 * Where a process that only reads a database keeps the rows that it takes into its own index: not in the database's folder, which belongs to
 * the one who holds its lock, but in a temporary one. It goes with `close`, or when the process ends, or (the process was killed) when the
 * next one makes a temporary folder.
 */
export class ScratchRows {
	readonly writer: RowFileWriter;
	readonly #folder: TemporaryFolder;

	private constructor(writer: RowFileWriter, folder: TemporaryFolder) {
		this.writer = writer;
		this.#folder = folder;
	}

	/**
	 * @param parent Where the folder is made. Default: the system's folder for temporary files, which may be in memory.
	 * @throws NighError As `RowFileWriter.create`; then nothing is left.
	 */
	static create(front: RowFileFront, parent?: string): ScratchRows {
		const folder = makeTemporaryFolder(parent);
		try {
			return new ScratchRows(RowFileWriter.create(folder.path, front), folder);
		} catch (error) {
			folder.remove();
			throw error;
		}
	}

	/** What a generation says of the file, as it is now, with the folder where it is. */
	get segment(): PlacedSegment {
		return { ...this.writer.segment, folder: this.#folder.path };
	}

	/** Removes the rows. Readers give their files back first: Windows keeps what is open. Does nothing the second time. */
	async close(): Promise<void> {
		await this.writer.close();
		this.#folder.remove();
	}
}
