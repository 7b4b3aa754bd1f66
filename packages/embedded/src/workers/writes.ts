import { NighError } from "@nigh/contract";
import { keepRows, type PackedRows, type Rows, unpackAll, unpackRows, VECTOR } from "../records/packed-rows.ts";
import type { RecordReader } from "../records/reader.ts";
import type { RecordWriter } from "../records/writer.ts";
import { type CommittedRow, movedRows, never, shownParts } from "./committed-rows.ts";
import type { GroupCommit, Operation } from "./group-commit.ts";
import { checkBatch, checkRoom, isNearlyFull, limited, pruneTarget, roomFor } from "./limits.ts";
import type { DeleteReply, PruneReply, WriteReply, WriterMethods } from "./messages.ts";
import { NO_ROOM, type Room } from "./room.ts";
import { stillMatching } from "./still-matching.ts";
import type { WrittenCollection } from "./written-collection.ts";

/** The writes of a collection: each is one operation of a group commit. */
export class Writes {
	readonly #writer: RecordWriter;
	readonly #reader: RecordReader;
	readonly #group: GroupCommit;
	/** Told when something has been published. */
	readonly #written: (collection: WrittenCollection) => void;

	constructor(
		writer: RecordWriter,
		reader: RecordReader,
		group: GroupCommit,
		written: (collection: WrittenCollection) => void,
	) {
		this.#writer = writer;
		this.#reader = reader;
		this.#group = group;
		this.#written = written;
	}

	/** `parts` are one batch: all of it is written, or nothing; with `partial` what there is room for. */
	upsert(
		collection: WrittenCollection,
		{ rows, now, partial }: Omit<Parameters<WriterMethods["upsert"]>[0], "key" | "dimensions">,
	): Promise<WriteReply> {
		const batch = rows.map(unpackRows);
		return this.#run(
			collection,
			now,
			() => batch.flatMap(({ ids }) => ids),
			roomOf(collection, rows),
			(change) => {
				const { key } = collection;
				const spec = limited(collection.spec, collection.generation);
				const { records: before, nextLabel } = this.#reader.state(key);
				if (!partial) checkBatch(spec, before, countOf(batch));
				const { parts, refused } = partial ? this.#fitting(collection, batch, now) : { parts: batch, refused: [] };
				const died: number[] = [];
				let inserted = 0;
				for (const part of parts) {
					const result = this.#writer.upsert(key, part, { change, now });
					for (const label of result.died) died.push(label);
					inserted += result.inserted;
				}
				const pruned = this.#pruneIfNearlyFull(collection, change, now);
				checkRoom(spec, before - pruned.length, inserted);
				const count = countOf(parts);
				const labels = Uint32Array.from({ length: count }, (_, row) => nextLabel + row);
				const shown = shownParts(collection, parts, labels, change, new Set(pruned));
				return { answer: { labels, missing: [], refused }, died: died.concat(pruned), rows: shown };
			},
		);
	}

	/** The rows that there is room for, in their order, and the numbers of the others. What is there already needs no room. */
	#fitting(collection: WrittenCollection, parts: readonly Rows[], now: number) {
		const { key, spec, generation } = collection;
		let room = roomFor(limited(spec, generation), this.#reader.state(key).records);
		const count = countOf(parts);
		const refused: number[] = [];
		if (count <= room) return { parts, refused };
		const ids = parts.flatMap((part) => part.ids);
		const known = this.#reader.byIds(key, ids, { metadata: false }, now);
		let row = 0;
		const fitting = parts.map((part) => {
			const from = row;
			row += part.ids.length;
			return keepRows(part, (i) => {
				if (known[from + i] !== undefined) return true;
				if (room-- > 0) return true;
				refused.push(from + i);
				return false;
			});
		});
		return { parts: fitting.filter(({ ids }) => ids.length > 0), refused };
	}

	/** Where an id is missing, nothing is written. */
	update(collection: WrittenCollection, parts: readonly PackedRows[], now: number): Promise<WriteReply> {
		const rows = unpackAll(parts);
		return this.#run(
			collection,
			now,
			() => [...rows.ids],
			roomOf(collection, parts),
			(change) => {
				const result = this.#writer.update(collection.key, rows, { change, now });
				const { missing, died, touched, touchedExpiresAt } = result;
				return {
					answer: { labels: new Uint32Array(0), missing, refused: [] },
					died,
					rows: movedRows(collection, rows, result, change),
					touched: touched.map((label, i) => ({ label, expiresAt: never(touchedExpiresAt[i] as number) })),
				};
			},
		);
	}

	delete(
		collection: WrittenCollection,
		{ ids, matched, now }: Omit<Parameters<WriterMethods["delete"]>[0], "key">,
	): Promise<DeleteReply> {
		const named = ids === undefined || ids === "" ? [] : ids.split(SEPARATOR);
		return this.#run(
			collection,
			now,
			() => named,
			NO_ROOM,
			(change) => {
				const { key } = collection;
				const died =
					matched === undefined
						? this.#writer.deleteIds(key, named, change)
						: this.#writer.deleteLabels(key, stillMatching(this.#reader, key, matched), change);
				return { answer: { deleted: died.length }, died, rows: [] };
			},
		);
	}

	async prune(
		collection: WrittenCollection,
		{ now, maxAgeMs, maxRecords, among, dryRun }: Omit<Parameters<WriterMethods["prune"]>[0], "key">,
	): Promise<PruneReply> {
		const { key } = collection;
		const choice = {
			now,
			...(maxAgeMs !== undefined && { maxAgeMs }),
			...(maxRecords !== undefined && { maxRecords }),
		};
		const { reply } = await this.#group.run<{ reply: PruneReply; died: readonly number[] }>({
			key,
			apply: () => {
				const { change, records } = this.#reader.state(key);
				const matching = among === undefined ? {} : { among: stillMatching(this.#reader, key, among) };
				const { expired, tooOld, tooMany } = this.#writer.prunable(key, { ...choice, ...matching });
				const counts = { expired: expired.length, tooOld: tooOld.length, tooMany: tooMany.length };
				const died = [...expired, ...tooOld, ...tooMany];
				if (dryRun || died.length === 0) return { reply: { ...counts, change, records }, died: [] };
				this.#writer.deleteLabels(key, died, change + 1);
				return { reply: { ...counts, change: change + 1, records: records - died.length }, died };
			},
			show: async ({ reply: { change }, died }) => {
				if (died.length === 0) return;
				await collection.show(change, [], died);
				this.#written(collection);
			},
		});
		return reply;
	}

	/** Runs one write: what has expired goes first, since an upsert of its id is a new record. */
	async #run<A extends object>(
		collection: WrittenCollection,
		now: number,
		ids: () => string[],
		room: Room,
		apply: (change: number) => Effect<A>,
	): Promise<A & { change: number; records: number }> {
		const release = await collection.reserve(room);
		const { key } = collection;
		const operation: Operation<Effect<A> & { change: number; records: number }> = {
			key,
			apply: () => {
				const before = this.#reader.state(key).change;
				const change = before + 1;
				const buried = this.#bury(key, ids, change, now);
				const effect = apply(change);
				const { records, change: after } = this.#reader.state(key);
				return { ...effect, died: [...buried, ...effect.died], change: Math.max(before, after), records };
			},
			show: async ({ change, rows, died, touched }) => {
				for (const { label, expiresAt } of touched ?? []) collection.touch(label, expiresAt);
				await collection.show(change, rows, died);
				this.#written(collection);
			},
		};
		try {
			const { answer, change, records } = await this.#group.run(operation);
			return { ...answer, change, records };
		} finally {
			release();
		}
	}

	/** Deletes the expired records of these ids; all that have expired, where they are many. */
	#bury(key: number, ids: () => string[], change: number, now: number): number[] {
		const { expired } = this.#writer.prunable(key, { now });
		if (expired.length === 0) return [];
		if (expired.length > MOST_EXPIRED) return this.#writer.deleteLabels(key, expired, change);
		const written = new Set(ids());
		const records = this.#reader.byLabels(key, expired, { metadata: false });
		const labels = records.flatMap((record) => (record !== undefined && written.has(record.id) ? [record.label] : []));
		return labels.length === 0 ? [] : this.#writer.deleteLabels(key, labels, change);
	}

	#pruneIfNearlyFull(collection: WrittenCollection, change: number, now: number): number[] {
		const { key } = collection;
		const spec = limited(collection.spec, collection.generation);
		const { records } = this.#reader.state(key);
		if (!isNearlyFull(spec, records)) return [];
		const { expired, tooOld, tooMany } = this.#writer.prunable(key, { now, ...pruneTarget(spec, records) });
		const labels = [...expired, ...tooOld, ...tooMany];
		return labels.length === 0 ? [] : this.#writer.deleteLabels(key, labels, change);
	}
}

/** Expired records that are looked at one by one; more are deleted by the next write, not only by the next prune. */
const MOST_EXPIRED = 1_000;

interface Effect<A> {
	readonly answer: A;
	readonly died: readonly number[];
	readonly rows: Iterable<CommittedRow>;
	/** Records that were changed in place. */
	readonly touched?: readonly { readonly label: number; readonly expiresAt: number }[];
}

const SEPARATOR = "\u0000";

function countOf(parts: readonly Rows[]): number {
	return parts.reduce((sum, { ids }) => sum + ids.length, 0);
}

/** What the vectors of a batch will take. More than the limits allow will not be written, whatever it is. */
function roomOf({ spec, generation }: WrittenCollection, parts: readonly PackedRows[]): Room {
	let slots = 0;
	let idBytes = 0;
	for (const { flags, ids } of parts) {
		const having = flags.reduce((sum, bits) => sum + Number((bits & VECTOR) !== 0), 0);
		slots += having;
		if (having > 0) idBytes += Buffer.byteLength(ids);
	}
	return { slots: Math.min(slots, roomFor(limited(spec, generation), 0)), idBytes };
}

/** @throws NighError `DIMENSION_MISMATCH` where two first writes disagree. */
export function checkDimensions(expected: number | null, actual: number): void {
	if (expected === null || expected === actual) return;
	throw new NighError(
		"DIMENSION_MISMATCH",
		`the vectors have ${actual} dimensions, but the first vector of the collection had ${expected}`,
		{ field: "vector", expected, actual },
	);
}
