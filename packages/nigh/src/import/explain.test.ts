import assert from "node:assert/strict";
import { test } from "node:test";
import { NighError } from "@nigh/contract";
import { contradiction, noVector } from "./explain.ts";

const READING = { format: "jsonl", idPrefix: "", fields: {}, metadata: undefined } as const;
const missing = (field: string) => new NighError("INVALID_FILE", "no vector", { field });
const MODEL = { name: "openai-compatible", model: "m", dimensions: 3 };

test("a row without a vector is told what can make one", () => {
	assert.match(noVector(missing("vector"), READING, "c", null) ?? "", /--embedder hashed-ngrams\.$/);
	const named = { ...READING, fields: { vectorField: "v" } };
	assert.match(noVector(missing("v"), named, "c", null) ?? "", /--embedder/);
	const foreign = noVector(missing("vector"), READING, "c", MODEL) ?? "";
	assert.match(foreign, /^c was made with the embedder openai-compatible \(m\), which a command cannot use: /);
});

test("every other error has its own words", () => {
	assert.equal(noVector(missing("id"), READING, "c", null), undefined);
	const other = new NighError("INVALID_RECORD", "no vector", { field: "vector" });
	assert.equal(noVector(other, READING, "c", null), undefined);
	assert.equal(contradiction(other, "c"), other);
});

test("a contradiction names the option to leave out", () => {
	const conflict = (field: string, expected: unknown, value: unknown) =>
		(contradiction(new NighError("SPEC_CONFLICT", "", { field, expected, value }), "c") as NighError).message;
	const end = ", or import into a collection of another name.";
	assert.equal(conflict("metric", "l2", "ip"), `c was made with metric "l2", not "ip": leave out --metric${end}`);
	assert.equal(conflict("type", "float", "bit"), `c was made with type "float", not "bit": leave out --metric${end}`);
	assert.equal(
		conflict("embedder", MODEL, {}),
		`c was made with the embedder openai-compatible (m): leave out --embedder${end}`,
	);
});
