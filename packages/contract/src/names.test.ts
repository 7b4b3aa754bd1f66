import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "./errors.ts";
import { checkCollectionName } from "./names.ts";

test("lower-case letters, digits, _ and - make a name", () => {
	for (const name of ["a", "notes", "notes-2_b", `a${"b".repeat(47)}`]) assert.equal(checkCollectionName(name), name);
});

test("names that some file system or SQL would take for something else are refused", () => {
	for (const name of [
		"",
		"2notes",
		"_a",
		"a b",
		"a/b",
		"..",
		"a.b",
		"é",
		"Notes",
		`a${"b".repeat(48)}`,
		"a\n",
		7,
		undefined,
	]) {
		assert.throws(
			() => checkCollectionName(name),
			(error) => isNighError(error, "INVALID_OPTION"),
		);
	}
	assert.throws(() => checkCollectionName("Notes"), /Use "notes"\./);
});
