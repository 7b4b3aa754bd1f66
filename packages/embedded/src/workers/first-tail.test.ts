// Collections that have no main index yet, and more to take in than their tail may have room for: the writer and the indexer, on one thread.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { rowBytes } from "@nigh/kernels";
import type { VectorFormat } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import { flatSize, mostRecords } from "../memory/sizes.ts";
import { chosenIndex } from "../records/catalogue.ts";
import { specOf } from "../spec.ts";
import { mostFirstRows } from "./memory-plan.ts";
import { emptyGeneration } from "./next-generation.ts";
import { begun, type Shape, vectorFor } from "./one-thread.test-support.ts";

const L2: VectorFormat = { metric: "l2", dimensions: 64, weights: null };

const BOUNDED: readonly (Shape & { readonly name: string; readonly kind: string; readonly count?: number })[] = [
	{ name: "ivf on disk", index: { kind: "ivf", storage: "disk" }, mostTailRows: 2_100, kind: "ivf" },
	{ name: "ivfpq on disk", index: { kind: "ivfpq", storage: "disk" }, mostTailRows: 2_100, kind: "ivfpq" },
	{ name: "ivfrabitq on disk under a cap", index: { kind: "ivfrabitq", storage: "disk" }, maxMB: 3, kind: "ivfrabitq" },
	{ name: "cells that need more than the tail's share", index: { kind: "ivf", nlist: 60 }, maxMB: 3, kind: "ivf" },
	{ name: "l1 under a cap", index: { kind: "ivf" }, metric: "l1", maxMB: 3, kind: "ivf" },
	{ name: "a graph under a cap", index: { kind: "hnsw" }, maxMB: 3, kind: "hnsw" },
	{ name: "a graph of bits under a cap", index: { kind: "hnsw" }, metric: "hamming", maxMB: 1, kind: "hnsw" },
];

for (const { name, kind, count = 6_000, ...shape } of BOUNDED) {
	for (const way of ["append", "upsert"] as const) {
		test(`${name}: an index is built from a part of ${way === "append" ? "the records" : "one upsert"}, and what is left is taken in`, async (t) => {
			const life = await begun(t, way === "append" ? count : 0, shape);
			const { collection, rings, first } = life;
			assert.ok(first !== undefined && first < count / 1.2, `${first} rows in the first tail`);
			await life[way](count);
			await life.settle();
			assert.equal(life.kind, kind);
			if (shape.maxMB !== undefined) assert.ok(Math.max(...rings) <= first, `no tail has more room: ${rings}`);
			assert.equal(collection.tail, 0);
			life.checkAll();
		});
	}
}

test("what nothing can be learnt from waits in a tail that becomes larger, and is an index once others have come", async (t) => {
	const alike = 5_000;
	for (const maxMB of [undefined, 3]) {
		const life = await begun(t, 0, {
			index: { kind: "ivf", storage: "disk" },
			...(maxMB === undefined ? { mostTailRows: 2_100 } : { maxMB }),
			vector: (n) => (n < alike ? new Float32Array(64).fill(1) : vectorFor(L2, n)),
		});
		await life.upsert(alike);
		assert.equal(life.kind, undefined);
		life.checkAll();
		await life.upsert(4_000);
		await life.settle();
		assert.equal(life.kind, "ivf");
		life.checkAll();
	}
});

test("a tail that is full of what has been deleted is emptied, not waited for", async (t) => {
	const life = await begun(t, 0, { index: { kind: "ivfpq", storage: "disk" }, maxMB: 3 });
	const { collection, written } = life;
	assert.equal(life.first, 2_048);
	for (let round = 0; round < 8; round++) {
		await life.upsert(700);
		for (let label = round * 700; label < (round + 1) * 700; label++) written.kill(label, 1);
		await life.settle();
	}
	assert.equal(life.kind, undefined);
	assert.ok(collection.generation.size.ringRows <= 4 * 2_048);
	await life.upsert(5_000);
	await life.settle();
	assert.equal(life.kind, "ivfpq");
	life.checkAll(5_600);
});

test("bits that are only compared under a cap, and what is in memory without one, have all of it in the tail", async (t) => {
	for (const shape of [
		{ index: { kind: "flat" }, maxMB: 8 },
		{ index: { kind: "hnsw" } },
		{ index: "auto" },
		{ index: { kind: "ivf" } },
	] as const) {
		const life = await begun(t, 3_000, shape);
		assert.equal(life.first, undefined, JSON.stringify(shape));
		const { ringRows, capacity } = life.collection.generation.size;
		assert.equal(ringRows, capacity);
	}
	// With any other index they would take more.
	const bits = { type: "bit", dimensions: 64, metric: "hamming", memory: { maxMB: 8 } } as const;
	const spec = await specOf(bits, undefined);
	const format = { metric: "hamming", dimensions: 64, weights: null } as const;
	const most = (records: number) => mostFirstRows({ choice: chosenIndex(spec), spec, format }, records);
	assert.equal(most(35_000), undefined);
	assert.ok(most(1_000) !== undefined);
});

test("records that no memory could hold with their vectors begin without these", async () => {
	const format: VectorFormat = { metric: "l2", dimensions: 1_152, weights: null };
	const row = rowBytes(vectorBytes(format));
	const records = 1_000_000;
	assert.ok(records > mostRecords(row) && records < mostRecords(row, true));
	assert.throws(
		() => flatSize(records, 0, row),
		(error) => isNighError(error, "MEMORY_LIMIT"),
	);
	const spec = await specOf({ dimensions: 1_152, metric: "l2", index: { kind: "ivfpq", storage: "disk" } }, undefined);
	const most = mostFirstRows({ choice: chosenIndex(spec), spec, format }, records) as number;
	const { generation } = emptyGeneration(1, format, row, records, null, most);
	assert.ok(generation.size.capacity >= records);
	assert.equal(generation.size.ringRows, most);
	assert.ok(most * row <= 2 ** 27);
});
