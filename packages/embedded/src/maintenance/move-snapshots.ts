import { snapshotPath } from "../snapshot/folder.ts";
import { namesRowFiles } from "../snapshot/header.ts";
import { openSnapshot } from "../snapshot/read.ts";
import { writeSnapshot } from "../snapshot/write.ts";

/** A snapshot of one database that is to be another's. The labels and changes in it have to be those of the other's records. */
export interface SnapshotMove {
	readonly path: string;
	/** The folder of the snapshots that it goes to, and what it is of from then on. */
	readonly folder: string;
	readonly databaseId: string;
	readonly key: number;
}

/** Copies snapshots under another identity. One that is damaged is left out: its index is built from the records instead. */
export async function moveSnapshots(moves: readonly SnapshotMove[]): Promise<void> {
	for (const move of moves) {
		try {
			await moveSnapshot(move);
		} catch {
			// No record depends on it.
		}
	}
}

async function moveSnapshot({ path, folder, databaseId, key }: SnapshotMove): Promise<void> {
	const snapshot = openSnapshot(path);
	try {
		// Its rows are in files beside it, which are not part of a backup.
		if (namesRowFiles(snapshot.info)) return;
		const { collection, change, nextLabel, records, createdAt, engine, index, sections } = snapshot.info;
		await writeSnapshot(
			snapshotPath(folder, key, change),
			{ databaseId, collection: { ...collection, key }, change, nextLabel, records, createdAt, engine, index },
			sections.map(({ name, element, bytes }) => ({ name, element, bytes, chunks: () => snapshot.chunks(name) })),
		);
	} finally {
		snapshot.close();
	}
}
