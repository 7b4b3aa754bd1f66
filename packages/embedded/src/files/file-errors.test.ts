import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { NighError } from "@nigh/contract";
import { asFileError } from "./file-errors.ts";

test("each kind of failure has its code, what was being done, and what to do", () => {
	const cases = [
		["ENOSPC", "DISK_FULL", /free some space/],
		["EDQUOT", "DISK_FULL", /free some space/],
		["EROFS", "READ_ONLY", /another place/],
		["EACCES", "READ_ONLY", /another place/],
		["EPERM", "READ_ONLY", /another place/],
		["ENOENT", "NOT_FOUND", /not there/],
		["ENOTDIR", "NOT_FOUND", /is not a folder/],
	] as const;
	for (const [system, code, advice] of cases) {
		const cause = Object.assign(new Error(`${system}: no luck`), { code: system, path: "/data/x" });
		const error = asFileError(cause, "copying /data/x");
		assert.ok(error instanceof NighError);
		assert.equal(error.code, code);
		assert.match(error.message, /^Failed at copying \/data\/x \(.*no luck\)/);
		assert.match(error.message, advice);
		assert.deepEqual(error.details, { system, path: "/data/x" });
		assert.equal(error.cause, cause);
	}
});

test("a real error of the file system is recognised", () => {
	try {
		readFileSync("/nowhere/at/all");
		assert.fail();
	} catch (error) {
		assert.equal((asFileError(error, "reading") as NighError).code, "NOT_FOUND");
	}
});

test("what is not a failure of the file system stays as it is", () => {
	const own = new NighError("ABORTED", "enough");
	const others = [own, new TypeError("a mistake"), Object.assign(new Error("busy"), { code: "EBUSY" })];
	for (const error of others) assert.equal(asFileError(error, "copying"), error);
});
