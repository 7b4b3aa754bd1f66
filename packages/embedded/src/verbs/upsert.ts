import {
	checkOptions,
	type Metadata,
	NighError,
	type RecordInput,
	type RowError,
	type WriteOptions,
	type WriteResult,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { WrittenRecords } from "../filters.ts";
import { checkFlag } from "../options.ts";
import { publish } from "../watch/events.ts";
import { limited, roomFor } from "../workers/limits.ts";
import type { WriteReply } from "../workers/messages.ts";
import { checkAborted } from "./check-aborted.ts";
import { type Prepared, prepareRows, rowError } from "./prepare-rows.ts";

export const WRITE_OPTIONS = ["partial", "signal"] as const satisfies readonly (keyof WriteOptions)[];

export async function upsert<M extends Metadata>(
	core: CollectionCore,
	records: readonly RecordInput<M>[],
	options: WriteOptions,
): Promise<WriteResult> {
	core.checkWritable();
	checkOptions(options, WRITE_OPTIONS, "upsert");
	const { partial = false, signal } = options;
	checkFlag("partial", partial);
	checkAborted(signal);
	const start = performance.now();
	// The caller may go on with its array.
	const batch = Array.isArray(records) ? records.slice() : records;
	const prepared = await prepareRows(core, batch, { kind: "upsert", partial, signal });
	const { parts, dimensions } = prepared;
	const bytes = parts.reduce((sum, { vectors }) => sum + vectors.byteLength, 0);
	const failed = (errors: readonly RowError[]) => ({
		succeeded: batch.length - errors.length,
		failed: errors.length,
		errors,
	});
	if (parts.length === 0) return { ...failed(prepared.errors), changeNumber: core.change };
	const buffers = parts.flatMap(({ vectors, flags, expiresAt }) => [vectors.buffer, flags.buffer, expiresAt.buffer]);
	const reply = await core.database.threads.writer.call(
		"upsert",
		{ key: core.key, rows: parts, dimensions, now: core.now, partial },
		buffers as ArrayBuffer[],
	);
	core.acknowledge(reply.change, core.filters.size === 0 ? undefined : writtenRows(prepared, reply));
	const full = reply.refused.map((i) => {
		const row = prepared.rows[i] as number;
		return rowError(row, batch[row], noRoom(core, reply.records));
	});
	const result = failed([...prepared.errors, ...full].sort((a, b) => a.row - b.row));
	const durationMs = performance.now() - start;
	core.latency.write.record(durationMs);
	const { succeeded, failed: refusals } = result;
	publish("nigh:upsert", () => ({
		collection: core.name,
		durationMs,
		succeeded,
		failed: refusals,
		bytes,
		changeNumber: reply.change,
	}));
	return { ...result, changeNumber: reply.change };
}

/** The records as they were written, for the filters that are kept. */
function writtenRows({ metadata }: Prepared, { refused, labels }: WriteReply): WrittenRecords {
	const without = new Set(refused);
	const texts = without.size === 0 ? metadata : metadata.filter((_, i) => !without.has(i));
	// Parsed once for all filters.
	const parsed: (Metadata | undefined)[] = [];
	return {
		labels,
		metadataOf(row) {
			const text = texts[row];
			if (text === undefined) return undefined;
			parsed[row] ??= JSON.parse(text) as Metadata;
			return parsed[row];
		},
	};
}

function noRoom({ spec, searcher }: CollectionCore, count: number): NighError {
	const { maxRecords, memoryLimit, memory } = spec;
	// The stricter of the two; the count tells nothing, since a write may have pruned after it.
	const most = roomFor(limited(spec, searcher?.generation), 0);
	const isFull = most === maxRecords;
	return new NighError(
		isFull ? "COLLECTION_FULL" : "MEMORY_LIMIT",
		`there was no room for this record: the collection may have ${maxRecords} records${memoryLimit === null ? "" : ` and take ${memoryLimit} bytes`}${memory === null ? "" : ` within ${memory.maxMB} MB`}. Delete or prune some, or open it with larger limits.`,
		{ count, limit: isFull ? maxRecords : (memoryLimit ?? most) },
	);
}
