import {
	checkOptions,
	type Metadata,
	NighError,
	type RecordPatch,
	type RowError,
	type WriteOptions,
	type WriteResult,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { WrittenRecords } from "../filters.ts";
import { checkFlag } from "../options.ts";
import type { PackedRows } from "../records/packed-rows.ts";
import { publish } from "../watch/events.ts";
import type { WriteReply } from "../workers/messages.ts";
import { checkAborted } from "./check-aborted.ts";
import { type Prepared, prepareRows, rowError } from "./prepare-rows.ts";
import { WRITE_OPTIONS } from "./upsert.ts";

export async function update<M extends Metadata>(
	core: CollectionCore,
	patches: readonly RecordPatch<M>[],
	options: WriteOptions,
): Promise<WriteResult> {
	core.checkWritable();
	checkOptions(options, WRITE_OPTIONS, "update");
	const { partial = false, signal } = options;
	checkFlag("partial", partial);
	checkAborted(signal);
	const start = performance.now();
	const errors: RowError[] = [];
	// The caller may go on with its array.
	let left = Array.isArray(patches) ? patches.slice() : patches;
	const given = Array.isArray(left) ? left.length : 0;
	let rowOf = (row: number) => row;
	for (;;) {
		const prepared = await prepareRows(core, left, { kind: "update", partial, signal });
		for (const { row, error } of prepared.errors) errors.push(rowError(rowOf(row), left[row], error));
		const reply = await write(core, prepared);
		const missing = reply.missing.map((i) => prepared.rows[i] as number);
		if (missing.length === 0) {
			const durationMs = performance.now() - start;
			core.latency.write.record(durationMs);
			publish("nigh:upsert", () => ({
				collection: core.name,
				durationMs,
				succeeded: prepared.rows.length,
				failed: errors.length,
				bytes: prepared.parts.reduce((sum, { vectors }) => sum + vectors.byteLength, 0),
				changeNumber: reply.change,
			}));
			errors.sort((a, b) => a.row - b.row);
			return { succeeded: given - errors.length, failed: errors.length, errors, changeNumber: reply.change };
		}
		const notFound = missing.map((row) =>
			rowError(rowOf(row), left[row], notThere((left[row] as RecordPatch).id, rowOf(row))),
		);
		if (!partial) throw (notFound[0] as RowError).error;
		errors.push(...notFound);
		// The others are tried again without those.
		const gone = new Set([...missing, ...prepared.errors.map(({ row }) => row)]);
		const kept = left.map((_, row) => row).filter((row) => !gone.has(row));
		const before = rowOf;
		const all = left;
		left = kept.map((row) => all[row] as RecordPatch<M>);
		rowOf = (row) => before(kept[row] as number);
	}
}

async function write(core: CollectionCore, { parts }: Prepared): Promise<WriteReply> {
	const labels = new Uint32Array(0);
	if (parts.length === 0) return { change: core.change, labels, missing: [], refused: [], records: 0 };
	const reply = await core.database.threads.writer.call("update", { key: core.key, rows: parts, now: core.now });
	// Where some are missing: what had expired under these ids may have been deleted.
	core.acknowledge(reply.change, reply.missing.length > 0 ? undefined : changed(core, parts));
	return reply;
}

/** Patched records that are read again for the filters that are kept; where there are more, these are evaluated anew when they are asked for. */
const MOST_READ = 256;

/** The records as they are now, for the filters that are kept. */
function changed({ database, key, filters }: CollectionCore, parts: readonly PackedRows[]): WrittenRecords | undefined {
	if (filters.size === 0) return undefined;
	if (parts.reduce((sum, { count }) => sum + count, 0) > MOST_READ) {
		filters.forget();
		return undefined;
	}
	const ids = parts.flatMap((part) => part.ids.split("\u0000"));
	const found = database.records.byIds(key, ids, { metadata: true }, Number.NEGATIVE_INFINITY);
	const records = found.filter((record) => record !== undefined);
	return { labels: records.map(({ label }) => label), metadataOf: (row) => records[row]?.metadata };
}

function notThere(id: string, row: number): NighError {
	return new NighError("NOT_FOUND", `there is no record ${JSON.stringify(id)} (row ${row}): upsert it to create it`, {
		field: "id",
		value: id,
		row,
	});
}
