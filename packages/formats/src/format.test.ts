import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { formatOf, VECTOR_FORMATS, type VectorFormat } from "./format.ts";
import { readVectors } from "./read-vectors.ts";

test("the extension tells the format, in any letter case and behind any path", () => {
	for (const format of VECTOR_FORMATS) {
		for (const name of [`base.${format}`, `a.b/c.d.${format.toUpperCase()}`, `C:\\data\\x.${format}`, `.${format}`]) {
			assert.equal(formatOf(name), format);
		}
	}
	assert.equal(formatOf("rows.ndjson"), "jsonl");
});

test("an unknown extension is refused, and the message lists the known ones", () => {
	for (const name of [
		"base.hdf5",
		"base",
		"",
		"fvecs",
		"dir.npy/base",
		"dir.npy\\base",
		"x.npy.gz",
		"x.",
		"x.jsonl ",
	]) {
		assert.throws(
			() => formatOf(name),
			(error) => {
				assert.ok(isNighError(error, "INVALID_OPTION"));
				assert.match(error.message, /\.fvecs \.bvecs \.ivecs \.npy \.jsonl \.ndjson/);
				assert.equal(error.details.value, name);
				return true;
			},
		);
	}
});

test("a format that does not exist is refused by name", () => {
	for (const format of ["hdf5", "toString", undefined]) {
		assert.throws(
			() => readVectors(format as VectorFormat, []),
			(error) => {
				return isNighError(error, "INVALID_OPTION") && error.message.includes(VECTOR_FORMATS.join(" "));
			},
		);
	}
});

test("an option of another format is refused", () => {
	assert.throws(
		() => readVectors("fvecs", [], { vectorField: "v" } as object),
		(error) => {
			return isNighError(error, "INVALID_OPTION") && error.details.field === "vectorField";
		},
	);
	assert.throws(
		() => readVectors("jsonl", [], { maxBytes: 5 } as object),
		(error) => {
			return isNighError(error, "INVALID_OPTION") && error.details.field === "maxBytes";
		},
	);
});
