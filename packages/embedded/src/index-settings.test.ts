import assert from "node:assert/strict";
import { test } from "node:test";
import {
	CELL_KINDS,
	type ErrorCode,
	type IndexSettings,
	isNighError,
	type Metric,
	NLIST_RULES,
	STORAGES,
} from "@nigh/contract";
import { checkFirstVector, indexOf } from "./index-settings.ts";
import { specOf } from "./spec.ts";

const SPACE = { dimensions: 8, metric: "l2" } as const;

/** Checks that a call is refused so. */
function refuses(call: () => unknown, code: ErrorCode, field: string, message?: RegExp): void {
	assert.throws(call, (error) => {
		assert.ok(isNighError(error, code), `${code} was expected: ${error}`);
		assert.equal(error.details.field, field, error.message);
		if (message !== undefined) assert.match(error.message, message);
		return true;
	});
}

test("an index comes out as it was given, without what was left undefined", () => {
	const indexes: readonly IndexSettings[] = [
		{ kind: "auto" },
		{ kind: "flat" },
		{ kind: "hnsw", M: 8, efConstruction: 16 },
		{ kind: "ivf", nlist: 1, nprobe: 1 },
		...NLIST_RULES.map((nlist) => ({ kind: "ivf", nlist }) as const),
		{ kind: "ivfpq", nlist: 10, nprobe: 10, M: 4, bits: 8, rotation: "opq", residual: false, rerank: 0 },
		{ kind: "ivfpq", profile: "accuracy", M: 2 },
		...CELL_KINDS.flatMap((kind) => STORAGES.map((storage) => ({ kind, storage }) as const)),
		{ kind: "ivfrabitq", nlist: "adaptive", bits: 8, epsilon: 0.1, rerank: 16_000 },
	];
	for (const index of indexes) {
		assert.deepEqual(indexOf(index, SPACE), index);
	}
	assert.deepEqual(indexOf("auto", SPACE), { kind: "auto" });
	assert.deepEqual(indexOf({ kind: "ivf", nlist: undefined, nprobe: 3 }, SPACE), { kind: "ivf", nprobe: 3 });
});

for (const [index, field, message, code = "INVALID_OPTION"] of [
	["hnsw", "index", /"auto", or an object/],
	[{ kind: "ivfqp" }, "index.kind", /Did you mean "ivfpq"\?/],
	[{ kind: "auto", nlist: 3 }, "nlist"],
	[{ kind: "ivf", cells: "pq" }, "cells"],
	[{ kind: "ivf", rerank: 9 }, "rerank"],
	[{ kind: "ivf", rotation: "none" }, "rotation"],
	[{ kind: "ivfrabitq", M: 4 }, "M"],
	[{ kind: "ivf", nlist: 0 }, "index.nlist", /^index\.nlist is 0; it must be .* from 1 to 1,000,000/],
	[{ kind: "ivf", nlist: null }, "index.nlist", /leave it out/],
	[{ kind: "ivf", nlist: "adaptiv" }, "index.nlist", /Did you mean adaptive\?/],
	[{ kind: "ivf", nlist: 9, nprobe: 10 }, "index.nprobe", /from 1 to 9/],
	[{ kind: "ivf", storage: "tape" }, "index.storage", /memory, disk/],
	[{ kind: "ivf", storage: null }, "index.storage", /leave it out/],
	[{ kind: "hnsw", storage: "disk" }, "storage"],
	[{ kind: "ivfpq", M: 3 }, "index.M", /^index\.M is 3; it must divide the 8 dimensions/],
	[{ kind: "ivfpq", M: 0 }, "index.M"],
	[{ kind: "ivfpq", bits: 17 }, "index.bits"],
	[{ kind: "ivfpq", bits: 12 }, "index.bits", /kernels for 4 to 8/, "UNSUPPORTED"],
	[{ kind: "ivfpq", rotation: "random" }, "index.rotation", /auto, none, opq/],
	[{ kind: "ivfpq", residual: 1 }, "index.residual"],
	[{ kind: "ivfpq", profile: "tiny" }, "index.profile", /memory, accuracy, speed/],
	[{ kind: "ivfpq", rerank: 16_001 }, "index.rerank"],
	[{ kind: "ivfpq", profile: "memory", nprobe: 101 }, "index.nprobe"],
	[{ kind: "ivfrabitq", bits: 9 }, "index.bits"],
	[{ kind: "ivfrabitq", epsilon: 11 }, "index.epsilon"],
] as const satisfies readonly (readonly [index: unknown, field: string, message?: RegExp, code?: ErrorCode])[]) {
	test(`refused: ${JSON.stringify(index)}`, () => {
		refuses(() => indexOf(index, SPACE), code, field, message);
		// A profile is as good as any where there are as many dimensions as it needs: what is wrong stays so without them.
		if (field === "index.M" && message !== undefined) return;
		refuses(() => indexOf(index, { ...SPACE, dimensions: null }), code, field, message);
	});
}

test("metrics that cells, or codes, cannot compare by are UNSUPPORTED", () => {
	const rows = [
		...CELL_KINDS.map((kind) => [kind, "hamming"] as const),
		["ivfpq", "l1"] as const,
		["ivfrabitq", "l1"] as const,
	];
	for (const [kind, metric] of rows) {
		const index = () => indexOf({ kind }, { dimensions: 32, metric });
		refuses(index, "UNSUPPORTED", "index.kind");
		assert.throws(index, ({ details }) => details.value === kind && details.metric === metric);
	}
	refuses(
		() => indexOf({ kind: "ivf", storage: "disk" }, { dimensions: 32, metric: "l1" }),
		"UNSUPPORTED",
		"index.storage",
	);
	const metrics: readonly Metric[] = ["l2", "cosine", "ip"];
	for (const metric of metrics) for (const kind of CELL_KINDS) indexOf({ kind }, { dimensions: 32, metric });
	assert.deepEqual(indexOf({ kind: "ivf" }, { dimensions: 32, metric: "l1" }), { kind: "ivf" });
});

test("M is held against the dimensions as soon as they are known, whoever tells them", async () => {
	const index = { kind: "ivfpq", M: 7 } as const;
	const open = await specOf({ metric: "l2", index }, undefined);
	assert.deepEqual(open.index, index);
	await assert.rejects(specOf({ dimensions: 8 }, open), { code: "INVALID_OPTION" });
	assert.equal((await specOf({ dimensions: 14 }, open)).dimensions, 14);
	const converted = { ...(await specOf({ metric: "l2" }, undefined)), converted: index };
	await assert.rejects(specOf({ dimensions: 8 }, converted), { code: "INVALID_OPTION" });
	for (const spec of [open, converted]) {
		checkFirstVector(spec, 14, 3);
		refuses(() => checkFirstVector(spec, 8, 3), "DIMENSION_MISMATCH", "vector", /row 3 .* 7; it must divide the 8/);
	}
	checkFirstVector(await specOf({ index: { kind: "hnsw", M: 7 } }, undefined), 8, 0);
});
