import { join } from "node:path";
import type { Collection, CollectionSpec, Database } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { DIMENSIONS } from "./measurement.ts";

export const METRIC = "l2";

/** A graph whatever the size, so that a small run goes the same way as a large one. */
export const SPEC: CollectionSpec = { dimensions: DIMENSIONS, metric: METRIC, index: { kind: "hnsw" } };

export const COLLECTION = "bench";

export type OpenOptions = NonNullable<Parameters<typeof openFolder>[1]>;

/** Opens a database `name` in the folder for as long as `use` takes. */
export async function withCollection<T>(
	{ folder, name, options }: { readonly folder: string; readonly name: string; readonly options?: OpenOptions },
	use: (collection: Collection, database: Database) => Promise<T>,
): Promise<T> {
	const database = await openFolder(join(folder, name), options);
	try {
		return await use(await database.collection(COLLECTION, SPEC), database);
	} finally {
		await database.close();
	}
}
