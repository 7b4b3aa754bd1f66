import { BOUNDS } from "./bounds.ts";
import { describe, detailOf } from "./describe.ts";
import { NighError } from "./errors.ts";

const { max } = BOUNDS.nameLength;
const PATTERN = new RegExp(`^[a-z][a-z0-9_-]{0,${max - 1}}$`);

/**
 * Returns `name` when it can name a collection: a lower-case letter, then lower-case letters, digits, `_` and `-`, 48 characters at
 * most. That is a file name on every system (also where case does not count) and fits into an SQL identifier.
 *
 * @throws NighError `INVALID_OPTION`.
 */
export function checkCollectionName(name: unknown): string {
	if (typeof name === "string" && PATTERN.test(name)) return name;
	const hint =
		typeof name === "string" && PATTERN.test(name.toLowerCase()) ? ` Use ${describe(name.toLowerCase())}.` : "";
	throw new NighError(
		"INVALID_OPTION",
		`A collection cannot be named ${describe(name)}: a name is a lower-case letter, then lower-case letters, digits, _ and -, ${max} characters at most.${hint}`,
		{ field: "name", value: detailOf(name), bound: BOUNDS.nameLength },
	);
}
