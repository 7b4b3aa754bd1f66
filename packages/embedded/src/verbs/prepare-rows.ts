import {
	BOUNDS,
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
 * @throws NighError for the first bad row, except with `partial`, which gives them back as errors.
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
		} catch (error) {
			if (!options.partial || !isNighError(error)) throw error;
			errors.push(rowError(row, inputs[row], error));
			checked.push(undefined);
		}
	}
	checkAborted(options.signal);
	// Not awaited without need: a small batch is packed before the caller can go on and change its vectors.
	if (core.embedder !== undefined) await embed(core, checked, options.signal);
	const kept = keptRows(checked, options.kind);
	return {
		parts: isSmall ? [...pack(checked, kept, options.kind)] : await inTurns(pack(checked, kept, options.kind)),
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

/** The first vector tells the length of all where nothing else has. */
function checkedVector(core: CollectionCore, vector: unknown, row: number, length: { dimensions: number | null }) {
	length.dimensions ??= dimensionsOf(core.spec.type, vector, row);
	return core.rowsFor(length.dimensions).format.check(vector as Float32Array, row);
}

function dimensionsOf(type: VectorType, vector: unknown, row: number): number {
	const bound = type === "bit" ? BOUNDS.bits : BOUNDS.dimensions;
	const elements = (vector as { readonly length?: unknown } | null)?.length;
	// What is no vector at all is told so by the check that follows.
	if (typeof elements !== "number") return bound.min;
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
	return JSON.stringify(checkMetadata(metadata, { row }));
}

function checkedText(text: unknown, row: number, nullable: boolean): string | null | undefined {
	if (text === undefined || (text === null && nullable)) return text as null | undefined;
	if (typeof text !== "string") throw invalid(row, "text", "must be a string.", text);
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
function keptRows(checked: readonly (Row | undefined)[], kind: PrepareOptions["kind"]): number[] {
	const last = new Map<string, number>();
	checked.forEach((row, i) => {
		if (row !== undefined) last.set(row.id, i);
	});
	const kept: number[] = [];
	checked.forEach((row, i) => {
		if (row !== undefined && (kind === "update" || last.get(row.id) === i)) kept.push(i);
	});
	return kept;
}

function* pack(
	checked: readonly (Row | undefined)[],
	kept: readonly number[],
	kind: PrepareOptions["kind"],
): Generator<PackedRows> {
	const step = kind === "update" ? kept.length : ROWS_A_PART;
	for (let from = 0; from < kept.length; from += step) {
		const rows = kept.slice(from, from + step).map((i) => checked[i] as Row);
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

/** Rows of an upsert that are packed together. Patches stay together: one of a row may follow another of the same. */
const ROWS_A_PART = 4_096;

export function rowError(row: number, input: unknown, error: NighError): RowError {
	const id = (input as { id?: unknown } | null)?.id;
	return { row, ...(typeof id === "string" && { id }), error };
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
