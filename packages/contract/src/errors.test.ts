import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_CODES, isNighError, NighError } from "./errors.ts";

test("the codes are those of the contract, in its order", () => {
	const codes =
		"DIMENSION_MISMATCH INVALID_VECTOR INVALID_RECORD INVALID_FILTER INVALID_OPTION INVALID_FILE NOT_TRAINED COLLECTION_FULL MEMORY_LIMIT SEARCH_TIMEOUT ABORTED CORRUPT_SNAPSHOT CORRUPT_RECORDS NEWER_VERSION DISK_FULL SPEC_CONFLICT NOT_FOUND LOCKED READ_ONLY CLOSED UNSUPPORTED UNAVAILABLE CIRCUIT_OPEN";
	assert.deepEqual(ERROR_CODES, codes.split(" "));
});

test("an error carries its code, message, details and cause", () => {
	const cause = new Error("below");
	const error = new NighError("LOCKED", "Held by another process.", { pid: 7 }, { cause });
	assert.ok(error instanceof Error);
	assert.equal(error.name, "NighError");
	assert.equal(error.code, "LOCKED");
	assert.equal(error.message, "Held by another process.");
	assert.deepEqual(error.details, { pid: 7 });
	assert.equal(error.cause, cause);
	assert.deepEqual(new NighError("CLOSED", "Closed.").details, {});
});

test("an error is recognised by code, and by shape after crossing a thread", () => {
	const error = new NighError("CLOSED", "Closed.");
	assert.equal(isNighError(error), true);
	assert.equal(isNighError(error, "CLOSED"), true);
	assert.equal(isNighError(error, "LOCKED"), false);
	assert.equal(isNighError({ name: "NighError", code: "CLOSED", message: "Closed." }, "CLOSED"), true);
});

test("nothing else is taken for a NighError", () => {
	const system = Object.assign(new Error("no entry"), { code: "ENOENT" });
	for (const other of [undefined, null, "NighError", 1, {}, { name: "NighError" }, new Error("x"), system]) {
		assert.equal(isNighError(other), false);
	}
});
