import assert from "node:assert/strict";
import { refusal, rejection } from "../refusal.test-support.ts";
import { type AnyIndex, type Bench, createVariant, type Run, type Variant } from "./bench.test-support.ts";

/** What is refused, with which code, and that nothing is written then. */
export function refusalCases(run: Run, { kind, metric }: Variant): void {
	/** Everything that a write could have changed. */
	const state = (bench: Bench, index: AnyIndex) => ({
		size: index.size,
		labels: [...index.labels()].sort((a, b) => a - b),
		vectors: [...index.labels()].sort((a, b) => a - b).map((label) => index.vector(label)),
		hits: [index.search(bench.vector(1), 100), index.search(bench.vector(2), 5)],
	});

	/** Runs calls that must fail on an index and asserts that it is as before, and that it still takes vectors in. */
	const unchanged = async (bench: Bench, index: AnyIndex, calls: () => Promise<void>) => {
		const before = state(bench, index);
		const next = Math.max(...index.labels()) + 1;
		await calls();
		assert.deepEqual(state(bench, index), before);
		if (index.effective().maxElements !== undefined) return;
		await index.insertMany(bench.vector(70));
		assert.ok(index.has(next), "labels go on where they were");
	};

	run("a vector that cannot be one is refused with its row, and nothing is written", async (bench) => {
		const index = await bench.filled(12, 1);
		await unchanged(bench, index, async () => {
			const short = bench.vector(3).subarray(1);
			refusal("DIMENSION_MISMATCH", () => index.insert(1, short));
			refusal("DIMENSION_MISMATCH", () => index.search(short, 1));
			refusal("DIMENSION_MISMATCH", () => index.searchMany(short, 1));
			await rejection("DIMENSION_MISMATCH", index.insertMany(bench.rows(3, 4).subarray(1)));
			const wrong = (bench.isBits ? new Float32Array(bench.length) : new Uint8Array(bench.length)) as Float32Array;
			refusal("INVALID_VECTOR", () => index.insert(1, wrong));
			refusal("INVALID_VECTOR", () => index.search(wrong, 1));
			await rejection("INVALID_VECTOR", index.insertMany(wrong));
			await rejection("INVALID_VECTOR", index.insertMany([1, 2] as unknown as Float32Array));
			if (bench.isBits) return;
			for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 63]) {
				const rows = bench.rows(4, 5);
				rows[2 * bench.length + 3] = value;
				const error = await rejection(
					"INVALID_VECTOR",
					index.insertMany(rows, { labels: Uint32Array.of(1, 2, 3, 99) }),
				);
				assert.equal(error.details.row, 2);
				assert.match(error.message, /row 2/);
				assert.equal(refusal("INVALID_VECTOR", () => index.searchMany(rows, 1)).details.row, 2);
				refusal("INVALID_VECTOR", () => index.insert(1, bench.row(rows, 2)));
				refusal("INVALID_VECTOR", () => index.insert(99, bench.row(rows, 2)));
				refusal("INVALID_VECTOR", () => index.search(bench.row(rows, 2), 1));
			}
		});
	});

	run("a flag that is neither true nor false is refused, rather than taken for one of them", async (bench) => {
		const index = await bench.filled(12, 1);
		await unchanged(bench, index, async () => {
			for (const value of ["yes", 1, null]) {
				const flag = value as unknown as boolean;
				const inserting = index.insertMany(bench.rows(3, 2), { stored: flag });
				assert.equal((await rejection("INVALID_OPTION", inserting)).details.field, "stored");
				const search = () => index.search(bench.vector(1), 1, { exact: flag });
				assert.equal(refusal("INVALID_OPTION", search).details.field, "exact");
			}
		});
	});

	run("a label that cannot be one is refused with its row, and nothing is written", async (bench) => {
		const index = await bench.filled(12, 2);
		await unchanged(bench, index, async () => {
			for (const label of [-1, 1.5, 4_294_967_295, Number.NaN, "1" as unknown as number]) {
				const error = refusal("INVALID_RECORD", () => index.insert(label, bench.vector(1)));
				assert.deepEqual(error.details.value, label);
			}
			const insert = (...labels: number[]) => index.insertMany(bench.rows(3, 6), { labels: Uint32Array.from(labels) });
			assert.equal((await rejection("INVALID_RECORD", insert(1, 4_294_967_295, 2))).details.row, 1);
			const twice = await rejection("INVALID_RECORD", insert(1, 50, 1));
			assert.equal(twice.details.row, 2);
			assert.equal(twice.details.value, 1);
			await rejection("INVALID_RECORD", insert(1, 2));
			await rejection("INVALID_RECORD", insert(1, 2, 3, 4));
		});
	});

	run("no labels are left behind the last one", async (bench) => {
		const index = await bench.filled(3, 3);
		index.insert(4_294_967_294, bench.vector(1));
		await rejection("INVALID_RECORD", index.insertMany(bench.vector(2)));
		assert.equal(index.size, 4);
		index.insert(3, bench.vector(2));
		assert.equal(index.size, 5);
	});

	run("an index takes maxElements vectors and no more, replaced ones not counted", async (bench) => {
		const index = await bench.filled(8, 4, { maxElements: 10 });
		await unchanged(bench, index, async () => {
			const error = await rejection("COLLECTION_FULL", index.insertMany(bench.rows(3, 5)));
			assert.deepEqual([error.details.size, error.details.bound], [8, 10]);
			await rejection("COLLECTION_FULL", index.insertMany(bench.rows(4, 5), { labels: Uint32Array.of(1, 20, 21, 22) }));
		});
		await index.insertMany(bench.rows(4, 5), { labels: Uint32Array.of(1, 2, 20, 21) });
		assert.equal(index.size, 10);
		await unchanged(bench, index, async () => {
			refusal("COLLECTION_FULL", () => index.insert(30, bench.vector(1)));
		});
		index.insert(21, bench.vector(1));
		index.remove([0]);
		index.insert(30, bench.vector(1));
		assert.equal(index.size, 10);
		assert.equal(index.effective().maxElements, 10);
		const loaded = bench.load(index.serialize());
		refusal("COLLECTION_FULL", () => loaded.insert(31, bench.vector(1)));
	});

	run("a k that is no whole number from 1 to 10,000 is refused", async (bench) => {
		const index = await bench.filled(3, 5);
		for (const k of [0, -1, 1.5, 10_001, Number.NaN, Number.POSITIVE_INFINITY, "5", undefined, null]) {
			const search = refusal("INVALID_OPTION", () => index.search(bench.vector(1), k as number));
			assert.equal(search.details.field, "k");
			assert.equal(refusal("INVALID_OPTION", () => index.searchMany(bench.rows(0, 1), k as number)).details.field, "k");
		}
	});

	run("an option that is unknown or out of bounds is refused by name, and takes no memory", (bench) => {
		const create = (options: object) => () =>
			createVariant(bench.variant, { dimensions: bench.dimensions, ...options });
		const unknown = refusal("INVALID_OPTION", create({ maxElement: 10 }));
		assert.equal(unknown.details.nearest, "maxElements");
		assert.match(unknown.message, /maxElement".*maxElements/);
		const dimensions = bench.isBits ? [0, 4, 12, 131_080, "8", undefined] : [0, -1, 1.5, 16_385, Number.NaN, undefined];
		for (const value of dimensions) {
			assert.equal(refusal("INVALID_OPTION", create({ dimensions: value })).details.field, "dimensions");
		}
		const maxElements = [0, -1, 1.5, 2 ** 33, Number.NaN, "5", null];
		for (const value of kind === "flat" ? maxElements : maxElements.slice(0, -1)) {
			assert.equal(refusal("INVALID_OPTION", create({ maxElements: value })).details.field, "maxElements");
		}
		for (const value of ["sq8", "pq", true, false, null, 7]) {
			assert.equal(refusal("INVALID_OPTION", create({ codes: value })).details.field, "codes");
		}
		for (const value of [
			"euclidean",
			"cosin",
			"",
			null,
			5,
			{},
			{ name: "", distance: () => 0 },
			{ name: "x" },
			undefined,
		]) {
			assert.equal(refusal("INVALID_OPTION", create({ metric: value })).details.field, "metric");
		}
		assert.match(refusal("INVALID_OPTION", create({ metric: "cosin" })).message, /did you mean cosine\?/);
		for (const value of [1, "true", null]) {
			assert.equal(refusal("INVALID_OPTION", create({ shared: value })).details.field, "shared");
		}
		if (bench.isCustom) {
			assert.equal(refusal("INVALID_OPTION", create({ arena: bench.arena })).details.field, "arena");
			assert.equal(refusal("INVALID_OPTION", create({ shared: true })).details.field, "shared");
		} else {
			assert.equal(refusal("INVALID_OPTION", create({ arena: bench.arena, shared: true })).details.field, "shared");
		}
		if (["l2", "cosine", "ip"].some((name) => name === metric)) return;
		const memory = bench.isCustom ? {} : { arena: bench.arena };
		assert.equal(refusal("UNSUPPORTED", create({ codes: "sq7", ...memory })).details.field, "codes");
	});
}
