import assert from "node:assert/strict";
import { test } from "node:test";
import { BINS, palettes } from "./palettes.ts";

const SHAPE = { n: 300, queries: 40, seed: 7 };
const { base, queries } = palettes(SHAPE);
const rowsOf = (rows: Float32Array) =>
	Array.from({ length: rows.length / BINS }, (_, at) => rows.subarray(at * BINS, (at + 1) * BINS));

test("palettes have 8 x 12 x 12 bins, none negative, whose squares sum to 1", () => {
	assert.equal(BINS, 1_152);
	assert.deepEqual([base.length, queries.length], [300 * 1_152, 40 * 1_152]);
	for (const row of [...rowsOf(base), ...rowsOf(queries)]) {
		assert.ok(row.every((value) => value >= 0 && value <= 1));
		const squares = row.reduce((sum, value) => sum + value * value, 0);
		assert.ok(Math.abs(squares - 1) < 1e-5, `the squares sum to ${squares}`);
	}
});

test("palettes are the same for a seed and others for another", () => {
	assert.deepEqual(palettes(SHAPE), { base, queries });
	assert.notDeepEqual(palettes({ ...SHAPE, seed: 8 }).base, base);
});

test("the base of palettes is the same however many queries there are", () => {
	assert.deepEqual(palettes({ ...SHAPE, queries: 1 }).base, base);
});

test("no palette is another, nor a query in the base", () => {
	const texts = new Set(
		[...rowsOf(base), ...rowsOf(queries)].map((row) => Buffer.from(row.slice().buffer).toString("hex")),
	);
	assert.equal(texts.size, 300 + 40);
});

test("a palette is of a few colours: most of it lies in few bins, that touch", () => {
	for (const row of rowsOf(base)) {
		const shares = [...row].map((value) => value * value).sort((a, b) => b - a);
		const inTenth = shares.slice(0, BINS / 10).reduce((sum, share) => sum + share, 0);
		// Five Gaussians of the widest spread, apart from one another, fill more than a tenth; a uniform row would have a tenth of it there.
		assert.ok(inTenth > 0.5, `a tenth of the bins holds ${inTenth}`);
	}
	// Neighbours along the last axis differ little beside bins that are drawn at random.
	const difference = (row: Float32Array, step: number) =>
		row.reduce((sum, value, at) => sum + Math.abs(value - (row[(at + step) % BINS] as number)), 0);
	const [near, far] = [1, 613].map((step) => rowsOf(base).reduce((sum, row) => sum + difference(row, step), 0)) as [
		number,
		number,
	];
	assert.ok(near < 0.6 * far, `${near} beside ${far}`);
});
