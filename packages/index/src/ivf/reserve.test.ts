import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CELLS } from "@nigh/kernels";
import { mixture, range, rowOf } from "../hnsw/graphs.test-support.ts";
import { restoreIvf } from "../load.ts";
import { refusal } from "../refusal.test-support.ts";
import { createFile, type IvfOptions } from "./create-file.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { createIvf, IvfIndex } from "./ivf.ts";

const N = 2_000;
const D = 32;
const NLIST = 25;
const { rows: ROWS } = mixture(N + 200, D, 7);

function create(options: Partial<IvfOptions> = {}): { index: IvfIndex; file: InvertedFile } {
	const file = createFile({ kind: "ivf", dimensions: D, metric: "l2", nlist: NLIST, ...options });
	return { index: new IvfIndex(file), file };
}

async function build(n: number, options: Partial<IvfOptions> = {}, labels?: Uint32Array) {
	const built = create(options);
	await built.index.train(ROWS);
	await built.index.insertMany(ROWS.subarray(0, n * D), labels === undefined ? {} : { labels });
	return built;
}

/** Whatever other threads are told of where a file is. */
function addresses(file: InvertedFile): Record<string, unknown> {
	return {
		struct: [...file.arena.u32(file.address, CELLS.bytes / 4)],
		vectors: file.vectors,
		codeRows: file.codeRows,
		errors: file.errors,
		leastTerms: file.cells.leastTermsAddress,
		origin: file.codes?.origin,
		capacity: file.capacity,
		blocks: file.cells.blockCapacity,
	};
}

describe("within what has been reserved nothing moves", () => {
	for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
		for (const [way, step] of [
			["one by one", 0],
			["37 at a time", 37],
			["all at once", N],
		] as const) {
			test(`${way}, ${kind}, and answers are those that come without reserving`, async () => {
				const { index, file } = create({ kind });
				const plain = createIvf({ kind, dimensions: D, metric: "l2", nlist: NLIST });
				for (const one of [index, plain]) await one.train(ROWS);
				index.reserve(N);
				const before = addresses(file);
				assert.equal(before.capacity, N);
				assert.equal(index.room, N);
				for (let from = 0; from < N; from += Math.max(1, step)) {
					const labels = range(from, Math.min(N, from + Math.max(1, step)));
					assert.ok(index.fits(labels));
					const rows = ROWS.subarray(from * D, (from + labels.length) * D);
					for (const one of [index, plain]) {
						if (step === 0) one.insert(from, rows);
						else await one.insertMany(rows, { labels });
					}
					assert.deepEqual(addresses(file), before);
				}
				assert.equal(index.room, 0);
				assert.ok(!index.fits([N]));
				const queries = ROWS.subarray(N * D, (N + 20) * D);
				assert.deepEqual(index.searchMany(queries, 10), plain.searchMany(queries, 10));
				index.insert(N, rowOf(ROWS, N, D));
				assert.ok(file.capacity > N);
			});
		}
	}

	test("all of one cell, and then one of each other", async () => {
		const { index, file } = await build(0);
		index.reserve(100 + NLIST);
		const before = addresses(file);
		const one = rowOf(ROWS, 0, D);
		await index.insertMany(Float32Array.from({ length: 100 * D }, (_, i) => one[i % D] as number));
		let label = 100;
		const centroids = file.arena.f32(file.learnt?.coarse.centroids as number, NLIST * D).slice();
		for (let cell = 0; cell < NLIST; cell++) index.insert(label++, rowOf(centroids, cell, D));
		assert.deepEqual(addresses(file), before);
		assert.equal(index.room, 0);
	});

	test("beside what is there already, removed places included", async () => {
		const { index, file } = await build(500);
		index.remove(range(100, 200));
		index.reserve(700);
		const before = addresses(file);
		// Free places and blocks may do for more, but 300 are certain.
		assert.ok(index.room >= 300 && index.room <= 300 + 100);
		assert.ok(index.fits(range(500, 800)));
		await index.insertMany(ROWS.subarray(500 * D, 800 * D), { labels: range(500, 800) });
		assert.deepEqual(addresses(file), before);
		assert.equal(index.size, 700);
		assert.deepEqual(index.validate(200).found, 200);
	});

	test("when it is reserved before training, or when it is trained anew", async () => {
		const { index, file } = create();
		index.reserve(N);
		assert.equal(index.room, N);
		await index.train(ROWS);
		assert.equal(index.room, N);
		const before = addresses(file);
		await index.insertMany(ROWS.subarray(0, 1_000 * D));
		assert.deepEqual(addresses(file), before);
		await index.train();
		assert.equal(index.room, N - 1_000);
		const then = addresses(file);
		await index.insertMany(ROWS.subarray(1_000 * D, N * D));
		assert.deepEqual(addresses(file), then);
		assert.equal(index.room, 0);
		assert.deepEqual(index.validate(N).found, N);
	});
});

test("an index that is as large as its room can be trained again", async () => {
	const { index } = await build(640);
	index.compact();
	assert.equal(index.room, 0);
	await index.train();
	assert.equal(index.size, 640);
	assert.deepEqual(index.validate(640).found, 640);
});

test("labels that are there already, or outside those that were reserved, do not fit", async () => {
	const { index } = await build(10, {}, range(50, 60));
	index.reserve(20);
	assert.ok(index.fits(range(60, 70)));
	assert.ok(!index.fits(range(60, 71)));
	assert.ok(!index.fits([59]));
	assert.ok(!index.fits([70]) && !index.fits([49]));
	index.reserve(20, { from: 0, count: 100 });
	assert.ok(index.fits([49, 70, 99]) && !index.fits([100]));
	assert.ok(index.fits([]));
	refusal("INVALID_RECORD", () => index.fits("12" as unknown as number[]));
});

test("a reservation that cannot be is refused, and changes nothing", async () => {
	const { index, file } = create({ maxElements: 100 });
	const before = addresses(file);
	for (const vectors of [0, -1, 1.5, 101, Number.NaN, "7" as unknown as number]) {
		assert.equal(refusal("INVALID_OPTION", () => index.reserve(vectors)).details.field, "vectors");
	}
	refusal("INVALID_OPTION", () => index.reserve(10, { from: -1, count: 10 }));
	refusal("INVALID_OPTION", () => index.reserve(10, { from: 4_294_967_290, count: 10 }));
	assert.deepEqual(addresses(file), before);
	const large = await build(10);
	refusal("MEMORY_LIMIT", () => large.index.reserve(2_000_000_000));
	large.index.insert(10, rowOf(ROWS, 10, D));
	assert.equal(large.index.search(rowOf(ROWS, 10, D), 1)[0]?.label, 10);
});

test("a reservation for which there is room in part leaves everything in its place or tells where it is", async () => {
	const { index, file } = await build(1_000, { kind: "ivfpq" });
	// Rows fit, and what comes after them does not.
	const rows = Math.floor((file.arena.maxBytes - 3_000_000) / file.rows.bytes);
	refusal("MEMORY_LIMIT", () => index.reserve(rows));
	await index.insertMany(ROWS.subarray(1_000 * D, N * D));
	assert.deepEqual(index.validate(N).found, N);
});

test("what was reserved counts as memory, and compacting gives it back unless it is told to keep it", async () => {
	const { index } = await build(100);
	index.compact();
	const before = index.memory().total;
	index.reserve(10_000);
	const reserved = index.memory().total;
	assert.ok(reserved > before + 9_900 * (4 * D + 4));
	const { room } = index;
	refusal("INVALID_OPTION", () => index.compact({ keepRoom: 1 as unknown as boolean }));
	index.compact({ keepRoom: true });
	assert.equal(index.memory().total, reserved);
	assert.equal(index.room, room);
	index.compact();
	assert.ok(index.memory().total < before + 10_200 * 4);
	index.dispose();
	assert.equal(index.arena.usedBytes, 0);
});

describe("7-bit codes of rows", () => {
	const KINDS: readonly [options: Partial<IvfOptions>, coded: boolean][] = [
		[{ kind: "ivf" }, true],
		[{ kind: "ivf", codes: "none" }, false],
		[{ kind: "ivf", metric: "l1" }, false],
		[{ kind: "ivfpq" }, true],
		[{ kind: "ivfpq", metric: "ip" }, true],
		[{ kind: "ivfrabitq", metric: "cosine" }, true],
		[{ kind: "ivfrabitq", dimensions: 16 }, false],
	];
	for (const [options, coded] of KINDS) {
		test(`are ${coded ? "" : "not "}learnt by ${JSON.stringify(options)}`, async () => {
			const { index, file } = create(options);
			assert.equal(index.codes, undefined);
			await index.train(ROWS.subarray(0, N * (options.dimensions ?? D)));
			assert.equal(index.codes !== undefined, coded);
			if (!coded) return;
			const { origin, unit } = index.codes as unknown as { origin: number; unit: number };
			assert.ok(unit > 0 && file.arena.f32(origin, D).some((x) => x !== 0));
			// Rows have codes of their own only where these are scanned.
			assert.equal(file.codeStride > 0, index.kind === "ivf");
			// They are kept with what is saved.
			const { state, sections } = index.parts();
			const bytesOf = new Map(sections.map(({ name, bytes }) => [name, bytes]));
			const copy = restoreIvf({
				state,
				sections: sections.map(({ name, bytes }) => ({ name, bytes: bytes.length })),
				read: (name, into) => into.set(bytesOf.get(name) as Uint8Array),
			});
			assert.equal(copy.codes?.unit, unit);
			assert.deepEqual(copy.arena.f32(copy.codes?.origin as number, D), file.arena.f32(origin, D));
		});
	}
});

test("labels can be changed for others, all of them at once", async () => {
	const { index } = await build(500, { kind: "ivfpq" });
	const queries = ROWS.subarray(N * D, (N + 20) * D);
	const before = index.searchMany(queries, 10);
	index.relabel((label) => 1_000 - label);
	const after = before.map((found) => found.map(({ label, distance }) => ({ label: 1_000 - label, distance })));
	assert.deepEqual(index.searchMany(queries, 10), after);
	assert.equal(index.nextLabel, 1_001);
	assert.ok(index.has(501) && !index.has(500));
	assert.deepEqual(index.vector(1_000), rowOf(ROWS, 0, D));
	refusal("INVALID_RECORD", () => index.relabel(() => 7));
	refusal("INVALID_RECORD", () => index.relabel((label) => label + 0.5));
	refusal("INVALID_RECORD", () => index.relabel((label) => label - 800));
	assert.deepEqual(index.searchMany(queries, 10), after);
	assert.equal(index.remove([501]), 1);
});
