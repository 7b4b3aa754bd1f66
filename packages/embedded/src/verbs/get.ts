import {
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
import { unpackRecords } from "../records/packed-records.ts";
import type { ReadRecord } from "../records/row.ts";
import { checkAborted } from "./check-aborted.ts";
import { checkIds } from "./check-ids.ts";
import { fairTurn } from "./fair-turn.ts";

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
	const include = includeOf(options.include, { text: true });
	const checked = checkIds(ids);
	const wanted = checked instanceof Promise ? await checked : checked;
	const due = fairTurn();
	if (due !== undefined) await due;
	if (wanted.length > MOST_HERE) return getFar<M>(core, wanted, include, options.signal);
	const found = core.database.records.byIds(core.key, wanted, include, core.now);
	return found.map((record) => (record === undefined ? undefined : storedRecord<M>(core, record)));
}

/** Reads them in the reader worker, all in one state; they come in parts, between which other work of this thread gets its turn. */
async function getFar<M extends Metadata>(
	core: CollectionCore,
	ids: readonly Id[],
	include: Required<IncludeOptions>,
	signal: AbortSignal | undefined,
): Promise<(StoredRecord<M> | undefined)[]> {
	const { key, now, database } = core;
	const { reader } = database.threads;
	const { ticket, parts } = await reader.call("get", { key, ids: ids.join("\u0000"), include, now });
	const found: (StoredRecord<M> | undefined)[] = [];
	for (let part = 0; part < parts; part++) {
		const packed = await reader.call("part", ticket);
		// The others are taken nevertheless: nobody else would.
		if (signal?.aborted) continue;
		for (const record of unpackRecords(packed, include)) {
			found.push(record === undefined ? undefined : storedRecord<M>(core, record));
		}
	}
	checkAborted(signal);
	return found;
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
