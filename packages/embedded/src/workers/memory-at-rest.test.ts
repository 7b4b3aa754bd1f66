import assert from "node:assert/strict";
import { test } from "node:test";
import { rowBytes } from "@nigh/kernels";
import type { VectorFormat } from "../memory/generation.ts";
import { RowMaker, vectorBytes } from "../memory/rows.ts";
import { ID_BYTES } from "../memory/sizes.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import type { PlannedChoice } from "../plan-memory-bytes.ts";
import { specOf } from "../spec.ts";
import { memoryOf } from "./index-report.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { bytesAtRest } from "./memory-at-rest.ts";
import { emptyGeneration } from "./next-generation.ts";
import { surroundings } from "./surroundings.test-support.ts";

const N = 1_500;

/** A finished collection of vectors whose ids are as long as is counted on. */
async function finished(index: PlannedChoice, { metric, dimensions }: Pick<VectorFormat, "metric" | "dimensions">) {
	const format = { metric, dimensions, weights: null };
	const rows = new RowMaker(format);
	const owned = emptyGeneration(1, format, rowBytes(vectorBytes(format)), N, null);
	const type = metric === "hamming" ? "bit" : "float";
	const collection = new IndexedCollection(
		1,
		"notes",
		await specOf({ type, metric, dimensions, index }, undefined),
		owned,
		surroundings(),
	);
	const slots = new SlotWriter(owned.generation);
	for (let i = 0; i < N; i++) {
		const at = (d: number) => Math.sin((i + 1) * (d + 1));
		const vector =
			metric === "hamming"
				? Uint8Array.from({ length: dimensions / 8 }, (_, d) => 128 + 127 * at(d))
				: Float32Array.from({ length: dimensions }, (_, d) => at(d));
		const id = `${i}`.padEnd(ID_BYTES, ".");
		slots.append({ label: i, id, born: 1, expires: Number.POSITIVE_INFINITY, row: rows.row(vector) });
	}
	owned.generation.publish(1);
	await collection.optimize({ fresh: true });
	return memoryOf(collection);
}

test("vectors that are all compared take just what is counted", async () => {
	for (const space of [
		{ metric: "l2", dimensions: 5 },
		{ metric: "hamming", dimensions: 72 },
	] as const) {
		const { formula } = await finished({ kind: "flat" }, space);
		assert.equal(formula, N * bytesAtRest({ kind: "flat" }, space));
	}
});

test("an index that is finished takes what is counted, but for what it has once and for the ends of cells", async () => {
	const rows: readonly (readonly [PlannedChoice, Pick<VectorFormat, "metric" | "dimensions">])[] = [
		[{ kind: "hnsw" }, { metric: "l2", dimensions: 64 }],
		[
			{ kind: "hnsw", M: 40, efConstruction: 80 },
			{ metric: "cosine", dimensions: 33 },
		],
		[
			{ kind: "hnsw", M: 4, efConstruction: 8 },
			{ metric: "l2", dimensions: 8 },
		],
		[{ kind: "hnsw" }, { metric: "hamming", dimensions: 128 }],
		[
			{ kind: "ivf", nlist: 3 },
			{ metric: "l2", dimensions: 64 },
		],
		[
			{ kind: "ivfpq", nlist: 3, M: 16 },
			{ metric: "l2", dimensions: 64 },
		],
		[
			{ kind: "ivfrabitq", nlist: 3, bits: 4 },
			{ metric: "ip", dimensions: 64 },
		],
	];
	for (const [index, space] of rows) {
		const { formula } = await finished(index, space);
		const counted = N * bytesAtRest(index, space);
		const share = formula / counted;
		assert.ok(share > 0.98 && share < 1.1, `${JSON.stringify(index)}: ${formula} bytes, and ${counted} counted`);
	}
});
