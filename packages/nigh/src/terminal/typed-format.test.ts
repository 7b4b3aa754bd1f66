import assert from "node:assert/strict";
import { test } from "node:test";
import { typedFormat } from "./typed-format.ts";

test("the extension tells the format, and one that is not known is wrong usage", () => {
	assert.deepEqual(["a.fvecs", "b/c.NDJSON"].map(typedFormat), ["fvecs", "jsonl"]);
	for (const name of ["notes.md", "notes"]) {
		assert.throws(() => typedFormat(name), {
			name: "UsageError",
			message: `The format of ${name} cannot be told: its name must end in one of .fvecs .bvecs .ivecs .npy .jsonl .ndjson`,
		});
	}
});
