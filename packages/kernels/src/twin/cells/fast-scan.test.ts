import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench, randomNumbers } from "../../kernels.test-support.ts";
import { CELL_ROWS, CELL_SEARCH, FAST_SUB_BYTES, TERM_BYTES } from "../../layout.ts";
import { type CellsOptions, type SearchOptions, TERMS, TestCells } from "./cells.test-support.ts";

/** Row r of a sub-quantiser stands in byte 2 (r mod 8) + (r mod 16 >= 8), rows from 16 on in the high nibble. */
function entryAt(codes: Uint8Array, sub: number, row: number): number {
	const byte = codes[16 * sub + 2 * (row % 8) + (row % 16 >= 8 ? 1 : 0)] as number;
	return row < 16 ? byte % 16 : byte >> 4;
}

function putCode(bench: Bench, codes: number, row: number, code: Uint8Array): void {
	bench.run("putFastCodes", bench.put(code), code.length, codes, row);
}

function options(subs: number, termBytes: number, termOf: CellsOptions["termOf"]): CellsOptions {
	const codeBytes = FAST_SUB_BYTES * subs;
	return { cells: 5, mostRows: 90, subs, entries: 16, termBytes, codeBytes, termOf, putCode };
}

test("a code is found where the layout says, and the codes of other rows stay as they are", () => {
	const bench = new Bench();
	const random = randomNumbers(1);
	const subs = 5;
	const codes = bench.put(Uint8Array.from({ length: FAST_SUB_BYTES * subs }, () => 256 * random()));
	const expected = Array.from({ length: CELL_ROWS }, (_, row) =>
		Array.from({ length: subs }, (_, sub) => entryAt(new Uint8Array(bench.buffer, codes), sub, row)),
	);
	for (const row of [31, 0, 7, 8, 15, 16, 23, 24, 8]) {
		const code = Uint8Array.from({ length: subs }, () => 16 * random());
		putCode(bench, codes, row, code);
		expected[row] = [...code];
		const held = new Uint8Array(bench.buffer, codes, FAST_SUB_BYTES * subs);
		expected.forEach((row, r) => {
			assert.deepEqual(
				Array.from(row, (_, sub) => entryAt(held, sub, r)),
				row,
			);
		});
	}
});

interface Scale {
	readonly inverse: number;
	readonly offset: number;
}

/** Terms and biases are eighths of small numbers and scales powers of two, so that plain arithmetic is exact. */
const eighths = (random: () => number) => Math.floor(800 * random() - 200) / 8;

function keyOf(tables: Uint8Array, code: Uint8Array, term: number, { inverse, offset }: Scale, bias: number): number {
	const scaled = Math.max(0, Math.min(65_535, Math.floor((term + bias - offset) * inverse)));
	return Math.min(
		65_535,
		code.reduce((sum, entry, sub) => sum + (tables[16 * sub + entry] as number), scaled),
	);
}

function checkScan(seed: number, subs: number, termBytes: number, scale: Scale, room: number, isFiltered: boolean) {
	const random = randomNumbers(seed);
	const cells = new TestCells(random, options(subs, termBytes, eighths));
	const { bench } = cells;
	const tables = Uint8Array.from({ length: 16 * subs }, () => 128 * random());
	const { at, admits } = isFiltered ? cells.eligibility() : { at: 0, admits: () => true };
	const tablesAt = bench.put(tables);
	const probes = cells.probes(eighths);
	for (const budget of [0, 1, Math.floor(200 * random()), 1_000]) {
		const asked: SearchOptions = { probes, room, budget };
		const search = cells.search(asked);
		const { inverse, offset } = scale;
		assert.equal(bench.run("fastScan", cells.cells, search, tablesAt, subs, termBytes, inverse, offset, at), 0);
		const expected = cells.expected(
			asked,
			({ code, term }, bias) => keyOf(tables, code, termBytes === 0 ? 0 : term, scale, bias),
			admits,
		);
		assert.deepEqual(cells.found(search), expected);
		cells.checkCounts(search, asked);
	}
}

test("the candidates are those of a plain sum over the codes, for any chains, budget, pool and eligibility", () => {
	const scale = fc.record({
		inverse: fc.constantFrom(0.25, 1, 8, 2_048),
		offset: fc.integer({ min: -400, max: 400 }).map((eighth) => eighth / 8),
	});
	fc.assert(
		fc.property(
			fc.nat(2 ** 30),
			fc.integer({ min: 1, max: 19 }),
			fc.constantFrom(...TERMS),
			scale,
			fc.constantFrom(1, 7, 40, 600),
			fc.boolean(),
			checkScan,
		),
		{ numRuns: 60 },
	);
});

/** So many entries of 127 add up to what 16 bits hold. */
const MOST_FULL_SUBS = 516;

for (const subs of [1, 2, 63, 64, MOST_FULL_SUBS]) {
	test(`largest entries of ${subs} sub-quantisers add up to what 16 bits hold`, () => {
		const random = randomNumbers(subs);
		const cells = new TestCells(random, { ...options(subs, TERM_BYTES, () => 1), cells: 1, mostRows: 40 });
		const asked = { probes: [{ cell: 0, bias: 0 }], room: 50 };
		const tables = cells.bench.put(new Uint8Array(16 * subs).fill(127));
		for (const [inverse, key] of [
			[0, 127 * subs],
			[2, 127 * subs + 2],
			[65_535 - 127 * subs, 65_535],
			[60_000, Math.min(65_535, 127 * subs + 60_000)],
			[2 ** 40, 65_535],
			[-1, 127 * subs],
			[-(2 ** 40), 127 * subs],
		] as const) {
			const search = cells.search(asked);
			cells.bench.run("fastScan", cells.cells, search, tables, subs, TERM_BYTES, inverse, 0, 0);
			assert.deepEqual(
				cells.found(search),
				cells.expected(asked, () => key),
			);
			assert.ok(cells.found(search).length > 0);
		}
	});
}

test("terms are rounded as float32 is, one operation after the other", () => {
	fc.assert(
		fc.property(fc.nat(2 ** 30), fc.integer({ min: 1, max: 9 }), (seed, subs) => {
			const random = randomNumbers(seed);
			const float = () => Math.fround(20 * random() - 8);
			const cells = new TestCells(random, options(subs, TERM_BYTES, float));
			const tables = Uint8Array.from({ length: 16 * subs }, () => 128 * random());
			const asked = { probes: cells.probes(float), room: 30 };
			const search = cells.search(asked);
			const [inverse, offset] = [float(), float()];
			const tablesAt = cells.bench.put(tables);
			cells.bench.run("fastScan", cells.cells, search, tablesAt, subs, TERM_BYTES, inverse, offset, 0);
			const expected = cells.expected(asked, ({ code, term }, bias) => {
				const f32 = Float32Array.of(bias, term);
				f32[0] = (f32[0] as number) - offset;
				f32[1] = (f32[1] as number) + (f32[0] as number);
				f32[1] = (f32[1] as number) * inverse;
				return keyOf(tables, code, f32[1] as number, { inverse: 1, offset: 0 }, 0);
			});
			assert.deepEqual(cells.found(search), expected);
		}),
		{ numRuns: 30 },
	);
});

test("a pool that holds candidates keeps them beside what is nearer", () => {
	const random = randomNumbers(9);
	const cells = new TestCells(random, { ...options(4, 0, eighths), cells: 4 });
	const { bench } = cells;
	const tables = Uint8Array.from({ length: 64 }, () => 128 * random());
	const tablesAt = bench.put(tables);
	const probes = cells.probes(eighths);
	const all = { probes, room: 20 };
	const parted = { ...all, budget: 1 };
	const search = cells.search(parted);
	bench.run("fastScan", cells.cells, search, tablesAt, 4, 0, 1, -50, 0);
	const scale = { inverse: 1, offset: -50 };
	const expected = (asked: SearchOptions) =>
		cells.expected(asked, ({ code }, bias) => keyOf(tables, code, 0, scale, bias));
	assert.deepEqual(cells.found(search), expected(parted));
	// With more budget the same search goes on at the next cell.
	bench.write(search + CELL_SEARCH.budget, Int32Array.of(1_000));
	bench.run("fastScan", cells.cells, search, tablesAt, 4, 0, 1, -50, 0);
	assert.deepEqual(cells.found(search), expected(all));
	cells.checkCounts(search, all);
});

test("cells above 2 GiB are scanned like those below, named by signed addresses or not", () => {
	const found = [1_024, 2 ** 31].map((start) => {
		const random = randomNumbers(12);
		const cells = new TestCells(random, { ...options(6, TERM_BYTES, eighths), start });
		const tables = cells.bench.put(Uint8Array.from({ length: 96 }, () => 128 * random()));
		const search = cells.search({ probes: cells.probes(eighths), room: 30 });
		cells.bench.run("fastScan", cells.cells | 0, search | 0, tables | 0, 6, TERM_BYTES, 1, 0, 0);
		return cells.found(search);
	});
	assert.deepEqual(found[0], found[1]);
});

test("nothing is read behind the last block, however short blocks are", () => {
	for (const termBytes of TERMS) {
		for (let subs = 1; subs <= 9; subs++) {
			const random = randomNumbers(subs);
			const cells = new TestCells(random, { ...options(subs, termBytes, eighths), isFlush: true });
			const tables = Uint8Array.from({ length: 16 * subs }, () => 128 * random());
			const tablesAt = cells.bench.put(tables);
			const asked = { probes: cells.probes(eighths), room: 40 };
			const search = cells.search(asked);
			cells.bench.run("fastScan", cells.cells, search, tablesAt, subs, termBytes, 1, -50, 0);
			const scale = { inverse: 1, offset: -50 };
			assert.deepEqual(
				cells.found(search),
				cells.expected(asked, ({ code, term }, bias) => keyOf(tables, code, termBytes === 0 ? 0 : term, scale, bias)),
			);
		}
	}
});

test("an abort word that is raised ends a scan before its first cell", () => {
	const cells = new TestCells(randomNumbers(3), options(3, 0, eighths));
	const { bench } = cells;
	const abort = bench.put(Int32Array.of(1));
	const tables = bench.put(new Uint8Array(48));
	const asked = { probes: cells.probes(eighths), room: 5, abort };
	const search = cells.search(asked);
	assert.equal(bench.run("fastScan", cells.cells, search, tables, 3, 0, 1, 0, 0), -1);
	assert.deepEqual(cells.found(search), []);
	cells.checkCounts(search, { ...asked, budget: 0 });
	bench.write(abort, Int32Array.of(0));
	assert.equal(bench.run("fastScan", cells.cells, search, tables, 3, 0, 1, 0, 0), 0);
	assert.equal(cells.found(search).length, 5);
});
