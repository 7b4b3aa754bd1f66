import { backup, DatabaseSync } from "node:sqlite";
import { type CatalogueEntry, listCollections } from "../records/catalogue.ts";
import { openReader } from "../records/connection.ts";
import { databaseId } from "../records/schema.ts";
import { asNighError } from "../records/sqlite-errors.ts";
import type { Progress } from "./progress.ts";

/** Pages copied between two turns of the event loop: 2 MiB. */
const PAGES_A_STEP = 256;

/** One committed state of the records, held for copying. While it is held, the WAL grows with whatever is written. */
export interface HeldRecords {
	readonly bytes: number;
	readonly databaseId: string;
	readonly collections: readonly CatalogueEntry[];
	/** Copies them to a file that is not there yet: one file, without a WAL. Not yet flushed. Counts its bytes in `progress`. */
	copyTo(path: string, progress: Progress): Promise<void>;
	release(): void;
}

/**
 * Holds the state that the records have now, while others go on writing.
 *
 * Copied is page by page, with SQLite's backup, from a connection that is inside a read transaction. Measured on 140 MB of vectors beside a
 * writer that never pauses: without the transaction each of its commits makes the backup begin again, and it never came to an end; with it
 * 0.35 s, and the event loop goes on; `VACUUM INTO` took 0.22 s, all of which the thread stood still, and can be neither ended nor watched.
 *
 * @throws NighError `NOT_FOUND`, `CORRUPT_RECORDS`, `NEWER_VERSION`.
 */
export function holdRecords(path: string): HeldRecords {
	const db = openReader(path);
	try {
		db.exec("BEGIN");
		// The transaction holds nothing before something is read.
		return heldBy(db, path, listCollections(db));
	} catch (error) {
		db.close();
		throw asNighError(error, `reading ${path}`);
	}
}

function heldBy(db: DatabaseSync, path: string, collections: readonly CatalogueEntry[]): HeldRecords {
	const { pages, pageBytes } = db
		.prepare("SELECT page_count AS pages, page_size AS pageBytes FROM pragma_page_count, pragma_page_size")
		.get() as { pages: number; pageBytes: number };
	return {
		bytes: pages * pageBytes,
		databaseId: databaseId(db),
		collections,
		async copyTo(destination, progress) {
			let done = 0;
			const advance = (pagesDone: number) => {
				progress.advance((pagesDone - done) * pageBytes);
				done = pagesDone;
			};
			try {
				await backup(db, destination, {
					rate: PAGES_A_STEP,
					progress: ({ totalPages, remainingPages }) => advance(totalPages - remainingPages),
				});
				advance(pages);
				makeSelfContained(destination);
			} catch (error) {
				throw asNighError(error, `copying ${path} to ${destination}`);
			}
		},
		release: () => db.close(),
	};
}

/** The header says WAL as that of the original does; a file so marked cannot be read where a WAL beside it cannot be made. */
function makeSelfContained(path: string): void {
	const copy = new DatabaseSync(path);
	try {
		copy.exec("PRAGMA journal_mode = DELETE");
	} finally {
		copy.close();
	}
}
