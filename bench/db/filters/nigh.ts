import { join } from "node:path";
import type { Filter } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { COLLECTION, SPEC } from "../collection.ts";
import { K } from "../measurement.ts";
import { load, placeOf } from "../records.ts";
import { settled } from "../settle.ts";
import { timed } from "../times.ts";
import { FIELDS, type FilterCase, type FilterSet } from "./filter-set.ts";
import type { FilteringEngine } from "./filtering-engine.ts";

export interface NighFiltering extends FilteringEngine {
	/** Certifies the recall of searches without a filter and with each of these: until then, they are exact. */
	certify(filters: readonly FilterCase[]): Promise<void>;
	/** Gives the fields an index of the records, which filters that have not been seen are answered from. */
	index(): Promise<{ readonly ms: number }>;
}

export async function startNigh({ n, base, fields, others }: FilterSet, folder: string): Promise<NighFiltering> {
	const database = await openFolder(join(folder, "nigh"));
	const collection = await database.collection(COLLECTION, SPEC);
	const { ms } = await timed(async () => {
		await load(collection, base, (at) => ({
			metadata: { ...Object.fromEntries(FIELDS.map((field) => [field, fields[field][at] as number])), at },
		}));
		await settled(collection, n);
		await collection.optimize();
	});
	return {
		name: "nigh",
		about: "@nigh/embedded, defaults",
		buildSeconds: ms / 1_000,
		async search(vector, filter) {
			const { hits } = await collection.search({
				vector,
				k: K,
				include: { metadata: false },
				...(filter !== undefined && { filter: filterOf(filter) }),
			});
			return hits.map(({ id }) => placeOf(id));
		},
		async certify(filters) {
			for (const filter of [undefined, ...filters]) {
				await collection.certify({ k: K, queries: others, ...(filter !== undefined && { filter: filterOf(filter) }) });
			}
		},
		index: () => timed(() => database.collection(COLLECTION, { filterable: FIELDS })),
		close: () => database.close(),
	};
}

function filterOf({ field, below }: FilterCase): Filter {
	return { [field]: { $lt: below } };
}
