import { join } from "node:path";
import type { TestContext } from "node:test";
import { testFolder } from "../folder/folder.test-support.ts";
import { type Small, type SmallOptions, smallGeneration } from "../memory/generations.test-support.ts";
import { createCollection, type StoredSpec } from "../records/catalogue.ts";
import { openWriter } from "../records/connection.ts";
import { RecordReader } from "../records/reader.ts";
import { RecordWriter } from "../records/writer.ts";
import { specOf } from "../spec.ts";
import type { Room } from "./room.ts";
import { WrittenCollection } from "./written-collection.ts";

/** Two floats, told by a number. */
export function vectorOf(n: number): Float32Array {
	return Float32Array.of(n, -n);
}

/** The bytes of {@link vectorOf}, as the records keep them. */
export function bytesOf(n: number): Uint8Array {
	return new Uint8Array(vectorOf(n).buffer);
}

/** Records on disk and a collection of two dimensions over them, on one thread. */
export async function writtenRecords(t: TestContext, given: Partial<StoredSpec> = {}) {
	const db = openWriter(join(testFolder(t), "records.sqlite"), "off");
	t.after(() => db.close());
	const spec: StoredSpec = { ...(await specOf({ dimensions: 2, metric: "l2" }, undefined)), ...given };
	const entry = createCollection(db, "notes", spec);
	const { key } = entry;
	const reader = new RecordReader(db);
	const writer = new RecordWriter(db);
	/** A view of the collection, in a memory of its own. */
	const view = (options: SmallOptions = {}, grow: (room: Room) => Promise<void> = async () => {}) => {
		const collection = new WrittenCollection(entry, {
			grow,
			waiting: () => {},
			awaited: () => {},
			mend: async () => {},
		});
		const small = smallGeneration({ dimensions: 2, capacity: 256, ...options });
		collection.begin(installed(key, small));
		return { collection, small };
	};
	return { db, key, reader, writer, view };
}

function installed(key: number, { handle, area }: Small) {
	return { key, generation: handle, areas: { caller: area, worker: area } };
}
