import {
	BOUNDS,
	type Bound,
	checkBound,
	checkId,
	checkMetadata,
	checkOptions,
	isNighError,
	NighError,
	type RecordInput,
	type RecordPatch,
	type RowError,
	type VectorType,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { type PackedRows, packRows } from "../records/packed-rows.ts";
import { Slices } from "../workers/slices.ts";
import { turn } from "../workers/turn.ts";
import { checkAborted } from "./check-aborted.ts";

/** Rows that are checked before other work of the thread gets its turn: about 2 ms. */
const ROWS_A_TURN = 512;

/** One checked row. `undefined`: not given, `null`: taken away. */
interface Row {
	readonly id: string;
	readonly vector: Float32Array | Uint8Array | undefined;
	/** JSON text: the caller may change the object later. */
	readonly metadata: string | null | undefined;
	readonly text: string | null | undefined;
	readonly expiresAt: number | null | undefined;
}

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

const FIELDS = ["id", "vector", "metadata", "text", "expiresAt"] as const satisfies readonly (keyof RecordInput)[];

/**
 * Checks a batch, embeds what has a text and no vector, and packs it. Nothing is written yet: what is wrong is found before. Of an id that
 * comes twice in an upsert the later record stays. Up to {@link ROWS_A_TURN} rows are taken over before this returns, unless there is an
 * embedder: what the caller does to its vectors then does not reach the batch.
 *
 * @throws NighError for the first bad row, except with `partial`, which gives them back as errors. What is not a batch at all, and what the
 * embedder has failed with, is thrown in any case.
 */
export async function prepareRows(
	core: CollectionCore,
	inputs: readonly (RecordInput | RecordPatch)[],
	options: PrepareOptions,
): Promise<Prepared> {
	if (!Array.isArray(inputs)) {
		throw new NighError(
			"INVALID_RECORD",
			`${options.kind} takes an array of records, not ${typeof inputs}: wrap a single one as [record].`,
		);
	}
	checkBound("records", inputs.length, BOUNDS.recordsPerCall);
	const checked: (Row | undefined)[] = [];
	const errors: RowError[] = [];
	const length = { dimensions: core.spec.dimensions };
	const isSmall = inputs.length <= ROWS_A_TURN && core.embedder === undefined;
	for (let row = 0; row < inputs.length; row++) {
		if (row > 0 && row % ROWS_A_TURN === 0) await turn();
		try {
			const input = checkRow(core, inputs[row], row, length, options.kind);
			checked.push(isSmall ? input : { ...input, vector: input.vector?.slice() });
		} catch (cause) {
			const error = isNighError(cause) ? cause : unreadable(row, cause);
			if (!options.partial) throw error;
			errors.push(rowError(row, inputs[row], error));
			checked.push(undefined);
		}
	}
	checkAborted(options.signal);
	// Not awaited without need: a small batch is packed before the caller can go on and change its vectors.
	if (core.embedder !== undefined) {
		await embed(core, checked, options.signal);
		checkAborted(options.signal);
	}
	const keeping = keptRows(checked, options.kind);
	const kept = isSmall ? toTheEnd(keeping) : await inSlices(keeping);
	return {
		parts: isSmall ? [...pack(checked, kept)] : await inTurns(pack(checked, kept)),
		metadata: kept.map((i) => (checked[i] as Row).metadata ?? undefined),
		rows: kept,
		errors,
		dimensions: length.dimensions ?? core.spec.dimensions ?? 0,
	};
}

function checkRow(
	core: CollectionCore,
	input: unknown,
	row: number,
	length: { dimensions: number | null },
	kind: PrepareOptions["kind"],
): Row {
	if (typeof input !== "object" || input === null || Array.isArray(input)) {
		throw invalid(
			row,
			"",
			`is no object: a record has at least an id${kind === "upsert" ? " and a vector" : ""}.`,
			input,
		);
	}
	const { id, vector, metadata, text, expiresAt } = input as Record<string, unknown>;
	checkId(id, { row });
	checkFields(input, row);
	const nullable = kind === "update";
	return {
		id: id as string,
		vector: vector === undefined ? undefined : checkedVector(core, vector, row, length),
		metadata: checkedMetadata(metadata, row, nullable),
		text: checkedText(text, row, nullable),
		expiresAt: checkedTime(expiresAt, row, nullable),
		...(vector === undefined && kind === "upsert" && needsText(core, text, row)),
	};
}

function checkFields(input: object, row: number): void {
	for (const name in input) {
		if ((FIELDS as readonly string[]).includes(name)) continue;
		try {
			checkOptions(input, FIELDS, `record ${row}`);
		} catch (error) {
			if (!isNighError(error)) throw error;
			throw new NighError("INVALID_RECORD", error.message, { ...error.details, row });
		}
	}
}

/** The first vector that is one tells the length of all where nothing else has. */
function checkedVector(core: CollectionCore, vector: unknown, row: number, length: { dimensions: number | null }) {
	const dimensions = length.dimensions ?? dimensionsOf(core.spec.type, vector, row);
	const checked = core.rowsFor(dimensions).format.check(vector as Float32Array, row);
	length.dimensions = dimensions;
	return checked;
}

function dimensionsOf(type: VectorType, vector: unknown, row: number): number {
	const bound = type === "bit" ? BOUNDS.bits : BOUNDS.dimensions;
	// What is no vector at all is told so by the check that follows.
	if (!Array.isArray(vector) && !ArrayBuffer.isView(vector)) return bound.min;
	const elements = (vector as { readonly length?: number }).length ?? 0;
	const told = elements * (type === "bit" ? 8 : 1);
	if (told >= bound.min && told <= bound.max) return told;
	throw new NighError(
		"INVALID_VECTOR",
		`The vector of row ${row} has ${told} dimensions; it must have ${bound.min} to ${bound.max}.`,
		{
			field: "vector",
			row,
			value: told,
			bound,
		},
	);
}

function checkedMetadata(metadata: unknown, row: number, nullable: boolean): string | null | undefined {
	if (metadata === undefined || (metadata === null && nullable)) return metadata as null | undefined;
	const json = JSON.stringify(checkMetadata(metadata, { row }));
	if (json.length > BOUNDS.metadataLength.max) throw tooLong(row, "metadata", json.length, BOUNDS.metadataLength);
	return json;
}

function checkedText(text: unknown, row: number, nullable: boolean): string | null | undefined {
	if (text === undefined || (text === null && nullable)) return text as null | undefined;
	if (typeof text !== "string") throw invalid(row, "text", "must be a string.", text);
	if (text.length > BOUNDS.textLength.max) throw tooLong(row, "text", text.length, BOUNDS.textLength);
	if (!text.isWellFormed()) {
		throw invalid(
			row,
			"text",
			"is not well-formed Unicode: was it cut in the middle of a character? text.toWellFormed() mends it.",
			text,
		);
	}
	if (text.includes("\u0000"))
		throw invalid(row, "text", "has the character U+0000, which databases cannot store.", text);
	return text;
}

function checkedTime(time: unknown, row: number, nullable: boolean): number | null | undefined {
	if (time === undefined || (time === null && nullable)) return time as null | undefined;
	try {
		return checkBound("expiresAt", time, BOUNDS.time);
	} catch (error) {
		if (!isNighError(error)) throw error;
		throw new NighError("INVALID_RECORD", `Row ${row}: ${error.message}`, { ...error.details, row });
	}
}

function needsText(core: CollectionCore, text: unknown, row: number): object {
	if (core.embedder !== undefined && typeof text === "string") return {};
	const advice =
		core.embedder === undefined
			? "Give one, or open the collection with an embedder and give a text."
			: "Give one, or a text for the embedder.";
	throw new NighError("INVALID_RECORD", `The record of row ${row} has no vector. ${advice}`, { field: "vector", row });
}

/** Embeds the texts of rows that have no vector of their own. */
async function embed(core: CollectionCore, rows: (Row | undefined)[], signal: AbortSignal | undefined): Promise<void> {
	const at: number[] = [];
	rows.forEach((row, i) => {
		if (row !== undefined && row.vector === undefined && typeof row.text === "string") at.push(i);
	});
	if (at.length === 0) return;
	const vectors = await core.embed(
		at.map((i) => (rows[i] as Row).text as string),
		signal,
	);
	at.forEach((i, j) => {
		rows[i] = { ...(rows[i] as Row), vector: vectors[j] as Float32Array };
	});
}

/** The rows that are written. Patches are, all of them; of records of one id the last. */
function* keptRows(
	checked: readonly (Row | undefined)[],
	kind: PrepareOptions["kind"],
): Generator<void, readonly number[]> {
	const seen = new Set<string>();
	const kept: number[] = [];
	for (let i = checked.length - 1; i >= 0; i--) {
		if (i % ROWS_A_TURN === 0) yield;
		const row = checked[i];
		if (row === undefined || (kind === "upsert" && seen.has(row.id))) continue;
		if (kind === "upsert") seen.add(row.id);
		kept.push(i);
	}
	return kept.reverse();
}

function toTheEnd<T>(steps: Generator<void, T>): T {
	for (;;) {
		const { done, value } = steps.next();
		if (done === true) return value;
	}
}

async function inSlices<T>(steps: Generator<void, T>): Promise<T> {
	const slices = new Slices();
	for (;;) {
		const { done, value } = steps.next();
		if (done === true) return value;
		await slices.pause();
	}
}

function* pack(checked: readonly (Row | undefined)[], kept: readonly number[]): Generator<PackedRows> {
	for (let from = 0; from < kept.length; ) {
		const rows: Row[] = [];
		for (let characters = 0; from < kept.length && rows.length < ROWS_A_PART; from++) {
			const row = checked[kept[from] as number] as Row;
			characters += (row.metadata?.length ?? 0) + (row.text?.length ?? 0);
			if (rows.length > 0 && characters > CHARACTERS_A_PART) break;
			rows.push(row);
		}
		yield packRows({
			ids: rows.map(({ id }) => id),
			metadata: rows.map(({ metadata }) => metadata),
			texts: rows.map(({ text }) => text),
			expiresAt: rows.map(({ expiresAt }) => expiresAt),
			vectors: rows.map(({ vector }) => vector),
		});
	}
}

async function inTurns<T>(steps: Iterable<T>): Promise<T[]> {
	const all: T[] = [];
	for (const each of steps) {
		all.push(each);
		await turn();
	}
	return all;
}

/** Rows that are packed together at most: about 2 ms. */
const ROWS_A_PART = 1_024;
/** UTF-16 units of texts and metadata that are, but for a single row that has more: no string may be longer than 2^29. */
const CHARACTERS_A_PART = 2 ** 24;

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

/** Something of a row throws when it is looked at, or is another thing the second time: a getter, a proxy. */
function unreadable(row: number, cause: unknown): NighError {
	const reason = cause instanceof Error ? cause.message : String(cause);
	return new NighError(
		"INVALID_RECORD",
		`Record ${row} could not be read: ${reason}. Give plain objects, without getters.`,
		{ field: "record", row },
		{ cause },
	);
}

function tooLong(row: number, field: string, value: number, bound: Bound): NighError {
	const what = field === "metadata" ? "metadata, as JSON," : field;
	const message = `The ${what} of row ${row} has ${value} UTF-16 units; it may have ${bound.max}: split the record.`;
	return new NighError("INVALID_RECORD", message, { field, row, value, bound });
}

function invalid(row: number, field: string, problem: string, value: unknown): NighError {
	const what = field === "" ? `Record ${row}` : `The ${field} of row ${row}`;
	const shown = typeof value === "string" ? value.slice(0, 100) : typeof value === "object" ? undefined : value;
	return new NighError("INVALID_RECORD", `${what} ${problem}`, {
		field: field || "record",
		row,
		...(shown !== undefined && { value: String(shown) }),
	});
}
