import { BOUNDS } from "./bounds.ts";
import { detailOf } from "./describe.ts";
import { NighError } from "./errors.ts";
import { findJsonProblem, formatPath } from "./json.ts";

/** A value of JSON. A property that is `undefined` counts as absent. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * What a record carries beside its vector, and what filters look at: an object of JSON.
 *
 * A type of your own must be a `type`, since TypeScript does not take an `interface` for an object of JSON:
 * `type Note = { kind: "lesson" | "skill"; stars?: number }`, then `db.collection<Note>("notes")`.
 */
export type Metadata = { readonly [key: string]: Json | undefined };

/**
 * Returns `metadata` when it is an object of JSON that every back end can store: plain objects, arrays, well-formed strings without
 * U+0000, finite numbers, booleans and null, not nested deeper than `BOUNDS.metadataDepth` and with at most
 * `BOUNDS.metadataValues` values.
 *
 * @param place `row` is the record's place in its batch, for the message.
 * @throws NighError `INVALID_RECORD`; details hold field (the path of the offending part), value and row.
 */
export function checkMetadata(metadata: unknown, place: { readonly row?: number } = {}): Metadata {
	const found = findJsonProblem(metadata, {
		depth: BOUNDS.metadataDepth.max,
		values: BOUNDS.metadataValues.max,
		undefinedProperties: true,
	});
	const isObject = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
	if (found === undefined && isObject) return metadata as Metadata;
	const { path, problem, value } = found ?? { path: [], problem: "must be an object", value: metadata };
	const field = formatPath("metadata", path);
	const at = place.row === undefined ? "" : ` of row ${place.row}`;
	throw new NighError("INVALID_RECORD", `${field}${at} ${problem}.`, {
		field,
		value: detailOf(value),
		...(place.row !== undefined && { row: place.row }),
	});
}
