import {
	BOUNDS,
	checkBound,
	checkId,
	checkOptions,
	type GetOptions,
	type Id,
	type IncludeOptions,
	type Metadata,
	type StoredRecord,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { vectorOf } from "../memory/rows.ts";
import { checkFlag } from "../options.ts";
import type { ReadRecord } from "../records/row.ts";
import { checkAborted } from "./check-aborted.ts";

/** More are read by the reader worker: the calling thread would be busy for more than a millisecond. */
const MOST_HERE = 256;

const INCLUDE = ["vector", "metadata", "text"] as const satisfies readonly (keyof IncludeOptions)[];

/** One record, `undefined` where there is none. */
export async function getOne<M extends Metadata>(
	core: CollectionCore,
	id: Id,
	options: GetOptions,
): Promise<StoredRecord<M> | undefined> {
	const [record] = await getMany<M>(core, [id], options);
	return record;
}

export async function getMany<M extends Metadata>(
	core: CollectionCore,
	ids: readonly Id[],
	options: GetOptions,
): Promise<(StoredRecord<M> | undefined)[]> {
	core.checkOpen();
	checkOptions(options, ["include", "signal"] satisfies (keyof GetOptions)[], "get");
	checkAborted(options.signal);
	checkBound("ids", ids.length, BOUNDS.recordsPerCall);
	ids.forEach((id, row) => {
		checkId(id, { row });
	});
	const include = includeOf(options.include, { text: true });
	const { records, threads } = core.database;
	const request = { key: core.key, ids, include, now: core.now };
	const found =
		ids.length <= MOST_HERE
			? records.byIds(core.key, ids, include, request.now)
			: await threads.reader.call("get", request);
	return found.map((record) => (record === undefined ? undefined : storedRecord<M>(core, record)));
}

/** What is to be read; the defaults of the verb hold where nothing is said about it. */
export function includeOf(include: IncludeOptions | undefined, defaults: IncludeOptions): Required<IncludeOptions> {
	checkOptions(include, INCLUDE, "include");
	for (const name of INCLUDE) checkFlag(`include.${name}`, include?.[name]);
	if (include === undefined) return { vector: false, metadata: true, text: false, ...defaults };
	return { vector: include.vector ?? false, metadata: include.metadata ?? true, text: include.text ?? false };
}

/** A record as the user gets it. */
export function storedRecord<M extends Metadata>(
	{ spec }: Pick<CollectionCore, "spec">,
	record: ReadRecord,
): StoredRecord<M> {
	const { id, insertedAt, updatedAt, expiresAt, metadata, text, vector } = record;
	return {
		id,
		...(vector !== undefined && { vector: vectorOf(vector, spec) }),
		...(metadata !== undefined && { metadata: metadata as M }),
		...(text !== undefined && { text }),
		insertedAt,
		updatedAt,
		...(expiresAt !== undefined && { expiresAt }),
	};
}
