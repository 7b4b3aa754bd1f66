import type { RecordReader } from "../records/reader.ts";
import { turn } from "./turn.ts";
import type { WrittenCollection } from "./written-collection.ts";

/** Rows that are read at a time. */
const CHUNK = 2_048;

/**
 * Applies to the memory what the records say beyond a position: deletes, changes in place, and new vectors. Then publishes the change that
 * all of it belongs to. Used on opening, after a snapshot, and by readers of a database that another process writes.
 */
export async function catchUp(
	reader: RecordReader,
	collection: WrittenCollection,
	position: { readonly change: number; readonly fromLabel: number },
): Promise<void> {
	const { key } = collection;
	const { state, gone, touched } = reader.since(key, { change: position.change, nextLabel: position.fromLabel });
	touched.labels.forEach((label, i) => {
		const expires = touched.expiresAt[i] as number;
		collection.touch(label, Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires);
	});
	let from = position.fromLabel;
	while (from < state.nextLabel) {
		const { labels, bytes, ids, born, expiresAt } = reader.vectors(key, from, state.nextLabel, CHUNK);
		const vectorAt = collection.vectorsOf(bytes);
		for (let i = 0; i < labels.length; i++) {
			const expires = expiresAt[i] as number;
			await collection.append({
				label: labels[i] as number,
				id: ids[i] as string,
				born: born[i] as number,
				expires: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires,
				vector: vectorAt(i),
			});
		}
		if (labels.length < CHUNK) break;
		from = (labels[labels.length - 1] as number) + 1;
		await turn();
	}
	// After what may have to wait: a generation that takes over meanwhile would leave out what has died already.
	gone.labels.forEach((label, i) => {
		collection.kill(label, gone.changes[i] as number);
	});
	collection.records = state.records;
	collection.nextLabel = state.nextLabel;
	collection.publish(state.change);
}
