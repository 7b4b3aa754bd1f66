import {
	BOUNDS,
	checkBound,
	isNighError,
	NighError,
	type RecordInput,
	type RecordPatch,
	type RowError,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { keepRows, type PackedRows, packRows, type Row, RowPacker, rowAt, unpackRows } from "../records/packed-rows.ts";
import { Slices } from "../workers/slices.ts";
import { turn } from "../workers/turn.ts";
import { checkAborted } from "./check-aborted.ts";
import { checkRow } from "./check-row.ts";

/** Rows that are checked and packed before anything else gets its turn: about 1 ms. */
const ROWS_AT_ONCE = 512;
/** Rows between two looks at the clock from there on. */
const ROWS_A_LOOK = 32;
/** Rows that are packed together at most. */
const ROWS_A_PART = 1_024;
/** UTF-16 units of texts and metadata that are, but for a single row that has more: no string may be longer than 2^29. */
const CHARACTERS_A_PART = 2 ** 24;

/** A batch, checked and packed for the writer. */
export interface Prepared {
	readonly parts: readonly PackedRows[];
	/** Metadata of the rows as JSON texts, in the order of the parts, for the filters that are kept. */
	readonly metadata: readonly (string | undefined)[];
	/** The row of the caller's batch that each packed row is. */
	readonly rows: readonly number[];
	readonly errors: readonly RowError[];
	/** Length of the vectors. */
	readonly dimensions: number;
}

export interface PrepareOptions {
	readonly kind: "upsert" | "update";
	readonly partial: boolean;
	readonly signal: AbortSignal | undefined;
}

/**
 * Checks a batch, embeds what has a text and no vector, and packs it. Nothing is written yet: what is wrong is found before. Of an id that
 * comes twice in an upsert the later record stays. Up to {@link ROWS_AT_ONCE} rows are taken over before this returns, unless there is an
 * embedder: what the caller does to its vectors then does not reach the batch.
 *
 * @throws NighError for the first bad row, except with `partial`, which gives them back as errors. What is not a batch at all, and what the
 * embedder has failed with, is thrown in any case.
 */
export async function prepareRows(
	core: CollectionCore,
	inputs: readonly (RecordInput | RecordPatch)[],
	{ kind, partial, signal }: PrepareOptions,
): Promise<Prepared> {
	if (!Array.isArray(inputs)) {
		throw new NighError(
			"INVALID_RECORD",
			`${kind} takes an array of records, not ${typeof inputs}: wrap a single one as [record].`,
		);
	}
	checkBound("records", inputs.length, BOUNDS.recordsPerCall);
	const errors: RowError[] = [];
	const length = { dimensions: core.spec.dimensions };
	const batch = new Batch(kind, inputs.length);
	/** Rows that are packed when the vectors of all are there. */
	const waiting: (readonly [row: number, Row])[] = [];
	const slices = new Slices();
	for (let row = 0; row < inputs.length; row++) {
		if (row >= ROWS_AT_ONCE && row % ROWS_A_LOOK === 0) await slices.pause();
		try {
			const checked = checkRow(core, inputs[row], row, length, kind);
			if (core.embedder === undefined) batch.add(row, checked);
			else waiting.push([row, { ...checked, vector: checked.vector?.slice() }]);
		} catch (error) {
			if (!partial || !isNighError(error)) throw error;
			errors.push(rowError(row, inputs[row], error));
		}
	}
	checkAborted(signal);
	// Not awaited without need: a small batch is packed before the caller can go on and change its vectors.
	if (core.embedder !== undefined) {
		const embedded = await embed(core, waiting, signal);
		checkAborted(signal);
		for (const [i, [row, checked]] of waiting.entries()) {
			if (i % ROWS_A_LOOK === 0) await slices.pause();
			batch.add(row, { ...checked, vector: checked.vector ?? embedded.get(row) });
		}
	}
	const packed = batch.packed();
	// Sending it wakes another thread, which may well take the core of this one: that is not to come on top.
	if (inputs.length > ROWS_AT_ONCE) await turn();
	return { ...packed, errors, dimensions: length.dimensions ?? core.spec.dimensions ?? 0 };
}

/** Embeds the texts of rows that have no vector of their own. */
async function embed(
	core: CollectionCore,
	rows: readonly (readonly [row: number, Row])[],
	signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, Float32Array>> {
	const lacking = rows.filter(([, { vector, text }]) => vector === undefined && typeof text === "string");
	if (lacking.length === 0) return new Map();
	const texts = lacking.map(([, { text }]) => text as string);
	const vectors = await core.embed(texts, signal);
	return new Map(lacking.map(([row], i) => [row, vectors[i] as Float32Array]));
}

/** Rows of a batch on their way into parts. */
class Batch {
	readonly #kind: PrepareOptions["kind"];
	/** Rows there may still be. */
	#left: number;
	readonly #full: RowPacker[] = [];
	#packer = new RowPacker(0);
	readonly #rows: number[] = [];
	readonly #metadata: (string | undefined)[] = [];
	/** Where the record of an id is. Patches are written all, of records the last. */
	readonly #places = new Map<string, number>();
	readonly #replaced = new Set<number>();

	constructor(kind: PrepareOptions["kind"], most: number) {
		this.#kind = kind;
		this.#left = most;
	}

	add(at: number, row: Row): void {
		const { id, metadata, text } = row;
		const place = this.#rows.length;
		if (this.#kind === "upsert") {
			const known = this.#places.get(id);
			if (known !== undefined) this.#replaced.add(known);
			this.#places.set(id, place);
		}
		const characters = (metadata?.length ?? 0) + (text?.length ?? 0);
		const { isFull, count } = this.#packer;
		if (isFull || (count > 0 && this.#packer.characters + characters > CHARACTERS_A_PART)) {
			this.#packer = new RowPacker(Math.min(this.#left, ROWS_A_PART));
			this.#full.push(this.#packer);
		}
		this.#packer.add(row);
		this.#left--;
		this.#rows.push(at);
		this.#metadata.push(metadata ?? undefined);
	}

	packed(): Pick<Prepared, "parts" | "metadata" | "rows"> {
		const replaced = this.#replaced;
		const parts = this.#full.map((packer) => packer.packed());
		if (replaced.size === 0) return { parts, metadata: this.#metadata, rows: this.#rows };
		const isKept = (_: unknown, place: number) => !replaced.has(place);
		let from = 0;
		const kept = parts.map((part) => {
			const rows = keepRows(unpackRows(part), (row) => !replaced.has(from + row));
			from += part.count;
			return packRows(rows.ids.map((_, row) => rowAt(rows, row)));
		});
		return {
			parts: kept.filter(({ count }) => count > 0),
			metadata: this.#metadata.filter(isKept),
			rows: this.#rows.filter(isKept),
		};
	}
}

export function rowError(row: number, input: unknown, error: NighError): RowError {
	const id = idOf(input);
	return { row, ...(typeof id === "string" && { id }), error };
}

function idOf(input: unknown): unknown {
	try {
		return (input as { id?: unknown } | null | undefined)?.id;
	} catch {
		// A getter that throws, which is what the error says.
		return undefined;
	}
}
