import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, isNighError, type RebuildOptions } from "@nigh/contract";
import type { IndexChoice } from "../records/catalogue.ts";
import { rebuiltIndex } from "./rebuilt-index.ts";

const HNSW = { kind: "hnsw", M: 6, efConstruction: 40 } as const;
const SPACE = { dimensions: 8, metric: "l2" } as const;

function rebuilt(converted: IndexChoice, options: RebuildOptions) {
	return rebuiltIndex({ ...SPACE, index: { kind: "flat" }, converted }, options);
}

test("what is not named stays as it is, the kind too", () => {
	const rows: [stored: IndexChoice, options: RebuildOptions, expected: IndexChoice][] = [
		[HNSW, { efConstruction: 80 }, { kind: "hnsw", M: 6, efConstruction: 80 }],
		[HNSW, { M: 8 }, { kind: "hnsw", M: 8, efConstruction: 40 }],
		[HNSW, { M: 8, efConstruction: 16 }, { kind: "hnsw", M: 8, efConstruction: 16 }],
		[{ kind: "hnsw" }, { M: 8 }, { kind: "hnsw", M: 8 }],
		[{ kind: "auto" }, { efConstruction: 200 }, { kind: "auto", efConstruction: 200 }],
		[{ kind: "auto", M: 8 }, { efConstruction: 20 }, { kind: "auto", M: 8, efConstruction: 20 }],
		[{ kind: "ivf", nprobe: 4 }, { nlist: 20 }, { kind: "ivf", nprobe: 4, nlist: 20 }],
		[{ kind: "ivf", nlist: 20 }, { nlist: "adaptive" }, { kind: "ivf", nlist: "adaptive" }],
		[
			{ kind: "ivf", nlist: 20, nprobe: 8 },
			{ nlist: 5, nprobe: 5 },
			{ kind: "ivf", nlist: 5, nprobe: 5 },
		],
		[{ kind: "ivfpq", M: 4, residual: false }, { bits: 8 }, { kind: "ivfpq", M: 4, residual: false, bits: 8 }],
		[{ kind: "ivfrabitq", bits: 2 }, { epsilon: 3 }, { kind: "ivfrabitq", bits: 2, epsilon: 3 }],
	];
	for (const [index, options, expected] of rows) assert.deepEqual(rebuilt(index, options), expected);
	assert.deepEqual(rebuiltIndex({ ...SPACE, index: HNSW }, { M: 5 }), { ...HNSW, M: 5 });
	assert.equal(rebuiltIndex({ ...SPACE, index: HNSW }, {}), undefined);
	assert.equal(rebuilt({ kind: "ivf" }, { onProgress: () => {} }), undefined);
});

test("a profile takes the place of what it stands for, and of nothing else", () => {
	const stored = { kind: "ivfpq", M: 2, bits: 5, nlist: 7, nprobe: 7, rerank: 50, profile: "speed" } as const;
	assert.deepEqual(rebuilt(stored, { profile: "memory" }), { kind: "ivfpq", rerank: 50, profile: "memory" });
	assert.deepEqual(rebuilt(stored, { profile: "memory", M: 4 }), {
		kind: "ivfpq",
		rerank: 50,
		profile: "memory",
		M: 4,
	});
});

test("cells that a cap has chosen take no parameters, whatever their names; a graph does, also one that is still to be", () => {
	const auto = { ...SPACE, index: { kind: "auto" } } as const;
	const cells: readonly IndexChoice[] = [
		{ kind: "ivf", storage: "memory" },
		{ kind: "ivfpq", storage: "disk" },
		{ kind: "ivfrabitq", bits: 1, storage: "disk" },
	];
	for (const serves of cells) {
		for (const options of [{ nlist: 20 }, { M: 4 }, { bits: 4 }, { efConstruction: 80 }]) {
			const [field] = Object.keys(options);
			assert.throws(
				() => rebuiltIndex(auto, options, serves),
				(error) => {
					assert.ok(isNighError(error, "INVALID_OPTION"), String(error));
					assert.equal(error.details.field, field);
					const storage = "storage" in serves && serves.storage === "disk" ? ', storage: "disk"' : "";
					assert.ok(error.message.includes(`convert({ kind: "${serves.kind}"${storage}, ${field}: ... })`));
					return true;
				},
			);
		}
		assert.equal(rebuiltIndex(auto, {}, serves), undefined);
		assert.deepEqual(rebuiltIndex({ ...SPACE, index: { kind: "ivf" } }, { nlist: 20 }, serves), {
			kind: "ivf",
			nlist: 20,
		});
	}
	for (const serves of [undefined, { kind: "hnsw", M: 16 }] as const) {
		assert.deepEqual(rebuiltIndex(auto, { M: 8 }, serves), { kind: "auto", M: 8 });
		assert.throws(() => rebuiltIndex(auto, { nlist: 20 }, serves), { code: "INVALID_OPTION", message: /has a graph/ });
	}
});

test("what does not go with what stays, or belongs to another kind, is refused", () => {
	assert.deepEqual(rebuilt(HNSW, { efConstruction: 12 }), { ...HNSW, efConstruction: 12 });
	const refused: [index: IndexChoice, options: RebuildOptions, field: string, message: RegExp, code?: ErrorCode][] = [
		[HNSW, { efConstruction: 11 }, "efConstruction", /from 12 to/],
		[{ kind: "hnsw" }, { efConstruction: 31 }, "efConstruction", /from 32 to/],
		[HNSW, { M: 21 }, "efConstruction", /is 40 and stays so, but with M 21 it must be at least 42/],
		[HNSW, { M: 1 }, "M", /from 2 to 200/],
		[HNSW, { M: 8, efConstruction: 4_001 }, "efConstruction", /to 4,000/],
		[HNSW, { nlist: 10 }, "nlist", /nlist is of ivf and ivfpq and ivfrabitq, and the collection has a graph/],
		[{ kind: "auto" }, { epsilon: 2 }, "epsilon", /convert\(\{ kind: "ivfrabitq"/],
		[{ kind: "flat" }, { M: 8 }, "M", /is flat.*convert\(/],
		[{ kind: "flat" }, { efConstruction: 80 }, "efConstruction", /convert\(/],
		[{ kind: "ivf" }, { efConstruction: 80 }, "efConstruction", /has an index of kind ivf,/],
		[{ kind: "ivf" }, { bits: 4 }, "bits", /convert\(/],
		[{ kind: "ivf" }, { nlist: 0 }, "nlist", /from 1 to 1,000,000/],
		[{ kind: "ivf", nprobe: 8 }, { nlist: 0 }, "nlist", /from 1 to 1,000,000/],
		[{ kind: "ivf", nprobe: 8 }, { nlist: 5 }, "nprobe", /is 8 and stays so, but there are to be 5 cells/],
		[{ kind: "ivf" }, { nlist: "adaptiv" as never }, "nlist", /Did you mean adaptive\?/],
		[{ kind: "ivfpq" }, { M: 3 }, "M", /^M is 3; it must divide the 8 dimensions/],
		[{ kind: "ivfpq" }, { M: null as never }, "M", /^M is null/],
		[{ kind: "ivfpq" }, { bits: 9 }, "bits", /kernels for 4 to 8/, "UNSUPPORTED"],
		[{ kind: "ivfpq" }, { epsilon: 2 }, "epsilon", /is of ivfrabitq/],
		[{ kind: "ivfrabitq" }, { residual: true }, "residual", /is of ivfpq/],
	];
	for (const [index, options, field, message, code = "INVALID_OPTION"] of refused) {
		assert.throws(
			() => rebuilt(index, options),
			(error) => {
				assert.ok(isNighError(error, code), String(error));
				assert.equal(error.details.field, field);
				assert.match(error.message, message);
				return true;
			},
		);
	}
});
