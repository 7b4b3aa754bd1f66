import { BOUNDS } from "./bounds.ts";
import { describe, detailOf } from "./describe.ts";
import { NighError } from "./errors.ts";
import { compareUtf8, utf8Length } from "./utf8.ts";

/** The user's name for a record: well-formed Unicode without U+0000, 1 to 512 bytes of UTF-8. */
export type Id = string;

/**
 * Returns `id` when it can name a record. Two different ids stay different in every store: that is why ill-formed Unicode, which
 * UTF-8 cannot tell apart, is refused.
 *
 * @param place `row` is the record's place in its batch, for the message.
 * @throws NighError `INVALID_RECORD`; details hold field, value and row.
 */
export function checkId(id: unknown, place: { readonly row?: number } = {}): Id {
	const problem = findProblem(id);
	if (problem === undefined) return id as Id;
	const at = place.row === undefined ? "" : ` of row ${place.row}`;
	throw new NighError("INVALID_RECORD", `The id${at} ${problem}`, {
		field: "id",
		value: detailOf(id),
		...(place.row !== undefined && { row: place.row }),
	});
}

/** Orders ids by their UTF-8 bytes: the order of `scan`, and of hits at equal distances. */
export function compareIds(a: Id, b: Id): number {
	return compareUtf8(a, b);
}

function findProblem(id: unknown): string | undefined {
	if (typeof id !== "string") return `is ${describe(id)}; it must be a string. Use String(...) for a number.`;
	if (id === "") return "is empty; it must have at least one character.";
	const { max } = BOUNDS.idBytes;
	// UTF-8 is never shorter than UTF-16 has units, so a huge string is refused without being walked.
	const bytes = id.length > max ? id.length : utf8Length(id);
	if (bytes > max) {
		return `${describe(id)} is longer than ${max} bytes of UTF-8. Use a shorter one, or a hash, and keep the long one in the metadata.`;
	}
	if (!id.isWellFormed()) {
		return `${describe(id)} is not well-formed Unicode: it has half of a surrogate pair. Was it cut in the middle of a character? id.toWellFormed() mends it.`;
	}
	if (id.includes("\u0000")) return `${describe(id)} has the character U+0000, which databases cannot store.`;
	return undefined;
}
