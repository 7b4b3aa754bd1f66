import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError, type RebuildOptions } from "@nigh/contract";
import type { IndexChoice } from "../records/catalogue.ts";
import { rebuiltIndex } from "./rebuilt-index.ts";

const HNSW = { kind: "hnsw", M: 6, efConstruction: 40 } as const;

test("what is not named stays as it is, the kind too", () => {
	const rows: [stored: IndexChoice, options: RebuildOptions, expected: IndexChoice][] = [
		[HNSW, { efConstruction: 80 }, { kind: "hnsw", M: 6, efConstruction: 80 }],
		[HNSW, { M: 8 }, { kind: "hnsw", M: 8, efConstruction: 40 }],
		[HNSW, { M: 8, efConstruction: 16 }, { kind: "hnsw", M: 8, efConstruction: 16 }],
		[{ kind: "hnsw" }, { M: 8 }, { kind: "hnsw", M: 8 }],
		[{ kind: "auto" }, { efConstruction: 200 }, { kind: "auto", efConstruction: 200 }],
		[{ kind: "auto", M: 8 }, { efConstruction: 20 }, { kind: "auto", M: 8, efConstruction: 20 }],
	];
	for (const [index, options, expected] of rows) {
		assert.deepEqual(rebuiltIndex({ index: { kind: "flat" }, converted: index }, options), expected);
	}
	assert.deepEqual(rebuiltIndex({ index: HNSW }, { M: 5 }), { ...HNSW, M: 5 });
	assert.equal(rebuiltIndex({ index: HNSW }, {}), undefined);
});

test("efConstruction is held against the M that there will be, not against the default", () => {
	assert.deepEqual(rebuiltIndex({ index: HNSW }, { efConstruction: 12 }), { ...HNSW, efConstruction: 12 });
	const refused: [index: IndexChoice, options: RebuildOptions, field: string, message: RegExp][] = [
		[HNSW, { efConstruction: 11 }, "efConstruction", /from 12 to/],
		[{ kind: "hnsw" }, { efConstruction: 31 }, "efConstruction", /from 32 to/],
		[HNSW, { M: 21 }, "efConstruction", /is 40 and stays so, but with M 21 it must be at least 42/],
		[HNSW, { M: 1 }, "M", /from 2 to 200/],
		[HNSW, { M: 8, efConstruction: 4_001 }, "efConstruction", /to 4,000/],
		[{ kind: "flat" }, { M: 8 }, "M", /convert\(/],
		[{ kind: "flat" }, { efConstruction: 80 }, "efConstruction", /convert\(/],
	];
	for (const [index, options, field, message] of refused) {
		assert.throws(
			() => rebuiltIndex({ index: { kind: "auto" }, converted: index }, options),
			(error) => {
				assert.ok(isNighError(error, "INVALID_OPTION"), String(error));
				assert.equal(error.details.field, field);
				assert.match(error.message, message);
				return true;
			},
		);
	}
});
