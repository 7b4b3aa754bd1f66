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
	type Vector,
	type VectorType,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { checkFirstVector } from "../index-settings.ts";
import type { Row } from "../records/packed-rows.ts";

const FIELDS = ["id", "vector", "metadata", "text", "expiresAt"] as const satisfies readonly (keyof RecordInput)[];

/**
 * Checks one record or patch.
 *
 * @param row Its place in the batch.
 * @param length What all vectors are like; the first one tells it where nothing else has.
 * @throws NighError for what is wrong with it.
 */
export function checkRow(
	core: CollectionCore,
	input: unknown,
	row: number,
	length: { dimensions: number | null },
	kind: "upsert" | "update",
): Row {
	try {
		if (typeof input !== "object" || input === null || Array.isArray(input)) throw noObject(input, row, kind);
		const { id, vector, metadata, text, expiresAt } = input as Record<string, unknown>;
		checkId(id, { row });
		checkFields(input, row);
		if (vector === undefined && kind === "upsert") checkHasText(core, text, row);
		const nullable = kind === "update";
		const checked = {
			id: id as string,
			vector: vector === undefined ? undefined : checkedVector(core, vector, row, length.dimensions),
			metadata: checkedMetadata(metadata, row, nullable),
			text: checkedText(text, row, nullable),
			expiresAt: checkedTime(expiresAt, row, nullable),
		};
		// Not before: one that is refused tells the others nothing.
		if (checked.vector !== undefined) length.dimensions ??= told(core.spec.type, checked.vector);
		return checked;
	} catch (cause) {
		throw isNighError(cause) ? cause : unreadable(row, cause);
	}
}

function noObject(input: unknown, row: number, kind: "upsert" | "update"): NighError {
	const problem = `is no object: a record has at least an id${kind === "upsert" ? " and a vector" : ""}.`;
	return invalid(row, "", problem, input);
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

function checkedVector(core: CollectionCore, vector: unknown, row: number, known: number | null): Vector {
	const dimensions = known ?? dimensionsOf(core, vector, row);
	return core.rowsFor(dimensions).format.check(vector as Float32Array, row);
}

/** Dimensions of so many elements. */
function told(type: VectorType, { length }: { readonly length: number }): number {
	return length * (type === "bit" ? 8 : 1);
}

/** Dimensions that the first vector tells. */
function dimensionsOf({ spec }: CollectionCore, vector: unknown, row: number): number {
	const { type } = spec;
	const bound = type === "bit" ? BOUNDS.bits : BOUNDS.dimensions;
	// What is no vector at all is told so by the check that follows.
	if (!Array.isArray(vector) && !ArrayBuffer.isView(vector)) return bound.min;
	const dimensions = told(type, { length: (vector as { readonly length?: number }).length ?? 0 });
	if (dimensions >= bound.min && dimensions <= bound.max) {
		checkFirstVector(spec, dimensions, row);
		return dimensions;
	}
	throw new NighError(
		"INVALID_VECTOR",
		`The vector of row ${row} has ${dimensions} dimensions; it must have ${bound.min} to ${bound.max}.`,
		{
			field: "vector",
			row,
			value: dimensions,
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

function checkHasText({ embedder }: CollectionCore, text: unknown, row: number): void {
	if (embedder !== undefined && typeof text === "string") return;
	const advice =
		embedder === undefined
			? "Give one, or open the collection with an embedder and give a text."
			: "Give one, or a text for the embedder.";
	throw new NighError("INVALID_RECORD", `The record of row ${row} has no vector. ${advice}`, { field: "vector", row });
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
