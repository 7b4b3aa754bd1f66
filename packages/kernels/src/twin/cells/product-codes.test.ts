import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench, randomNumbers, randomVector } from "../../kernels.test-support.ts";
import { TERM_BYTES } from "../../layout.ts";
import { type CellsOptions, type SearchOptions, TERMS, TestCells } from "./cells.test-support.ts";

interface Quantiser {
	readonly subs: number;
	readonly width: number;
	readonly entries: number;
}

const quantisers = fc.record({
	subs: fc.integer({ min: 1, max: 9 }),
	width: fc.integer({ min: 1, max: 7 }),
	entries: fc.constantFrom(16, 32, 64, 128, 256),
});

/** Entry e of part s as a vector. */
function entryOf(books: Float32Array, { width, entries }: Quantiser, s: number, e: number): number[] {
	return Array.from({ length: width }, (_, j) => books[(s * width + j) * entries + e] as number);
}

function partOf(row: Float32Array, { width }: Quantiser, s: number): number[] {
	return Array.from(row.subarray(s * width, (s + 1) * width));
}

function squared(a: readonly number[], b: readonly number[]): number {
	return a.reduce((sum, x, j) => sum + (x - (b[j] as number)) ** 2, 0);
}

test("a row is coded by the first of the nearest entries, and decoded into them", () => {
	fc.assert(
		fc.property(fc.nat(2 ** 30), quantisers, (seed, quantiser) => {
			const { subs, width, entries } = quantiser;
			const random = randomNumbers(seed);
			const bench = new Bench();
			// Whole numbers, so that sums are exact and ties common.
			const whole = (n: number) => Float32Array.from({ length: n }, () => Math.floor(9 * random()) - 4);
			const books = whole(subs * width * entries);
			const booksAt = bench.put(books);
			const row = whole(subs * width);
			const code = bench.room(subs);
			const error = bench.run("productEncode", bench.put(row), booksAt, subs, width, entries, code);
			const parts = Array.from({ length: subs }, (_, s) => {
				const distances = Array.from({ length: entries }, (_, e) =>
					squared(partOf(row, quantiser, s), entryOf(books, quantiser, s, e)),
				);
				const least = Math.min(...distances);
				return { least, nearest: distances.indexOf(least) };
			});
			assert.deepEqual(
				Array.from(new Uint8Array(bench.buffer, code, subs)),
				parts.map(({ nearest }) => nearest),
			);
			assert.equal(
				error,
				parts.reduce((sum, { least }) => sum + least, 0),
			);
			const decoded = bench.room(4 * subs * width);
			bench.run("productDecode", code, booksAt, subs, width, entries, decoded);
			assert.deepEqual(
				Array.from(bench.f32(decoded, subs * width)),
				parts.flatMap(({ nearest }, s) => entryOf(books, quantiser, s, nearest)),
			);
		}),
		{ numRuns: 50 },
	);
});

test("no entry is nearer than the one that codes a part, but for rounding", () => {
	const quantiser = { subs: 6, width: 11, entries: 64 };
	const { subs, width, entries } = quantiser;
	const random = randomNumbers(5);
	const bench = new Bench();
	const books = randomVector(random, subs * width * entries);
	const booksAt = bench.put(books);
	const code = bench.room(subs);
	for (let i = 0; i < 20; i++) {
		const row = randomVector(random, subs * width);
		const error = bench.run("productEncode", bench.put(row), booksAt, subs, width, entries, code);
		const chosen = Array.from(new Uint8Array(bench.buffer, code, subs));
		let sum = 0;
		chosen.forEach((nearest, s) => {
			const part = partOf(row, quantiser, s);
			const own = squared(part, entryOf(books, quantiser, s, nearest));
			sum += own;
			for (let e = 0; e < entries; e++) {
				assert.ok(squared(part, entryOf(books, quantiser, s, e)) >= own * (1 - 1e-5));
			}
		});
		assert.ok(Math.abs(error - sum) <= 1e-5 * sum);
	}
});

test("tables hold products with the entries, and what is told of them is true", () => {
	fc.assert(
		fc.property(fc.nat(2 ** 30), quantisers, fc.constantFrom(-2, -1, 1, 0.5), (seed, quantiser, factor) => {
			const { subs, width, entries } = quantiser;
			const random = randomNumbers(seed);
			const bench = new Bench();
			const books = randomVector(random, subs * width * entries);
			const query = randomVector(random, subs * width);
			const [tablesAt, left] = [bench.room(4 * subs * entries), bench.room(24)];
			const queryAt = bench.put(query);
			bench.run("productTables", queryAt, bench.put(books), subs, width, entries, factor, tablesAt, left);
			const tables = bench.f32(tablesAt, subs * entries);
			const told = { leasts: 0, widest: 0, spreads: 0 };
			for (let s = 0; s < subs; s++) {
				const part = partOf(query, quantiser, s);
				const table = Array.from(tables.subarray(s * entries, (s + 1) * entries));
				table.forEach((value, e) => {
					const entry = entryOf(books, quantiser, s, e);
					const product = part.reduce((sum, x, j) => sum + x * (entry[j] as number), 0);
					assert.ok(Math.abs(value - factor * product) <= 1e-6 * width);
				});
				const [least, most] = [Math.min(...table), Math.max(...table)];
				told.leasts += least;
				told.widest = Math.max(told.widest, Math.fround(most - least));
				told.spreads += Math.fround(most - least);
			}
			assert.deepEqual([...new Float64Array(bench.buffer, left, 3)], [told.leasts, told.widest, told.spreads]);
		}),
		{ numRuns: 40 },
	);
});

test("quantised tables begin at 0, are rounded to the nearest and end at 127", () => {
	const bench = new Bench();
	const quantised = (values: readonly number[], inverse: number) => {
		const bytes = bench.room(values.length);
		bench.run("quantizeTables", bench.put(Float32Array.from(values)), values.length / 16, inverse, bytes);
		return Array.from(new Uint8Array(bench.buffer, bytes, values.length));
	};
	const steps = Array.from({ length: 16 }, (_, e) => e - 3);
	assert.deepEqual(
		quantised([...steps, ...steps.toReversed()], 4),
		[...steps, ...steps.toReversed()].map((x) => 4 * (x + 3)),
	);
	assert.deepEqual(
		quantised(steps, 0.5),
		steps.map((_, e) => Math.ceil(e / 2)),
	);
	assert.deepEqual(
		quantised(steps, 10),
		steps.map((_, e) => Math.min(127, 10 * e)),
	);
	assert.deepEqual(
		quantised(steps, 2 ** 100),
		steps.map((_, e) => (e === 0 ? 0 : 127)),
	);
	assert.deepEqual(quantised(new Array(16).fill(-7.25), 127), new Array(16).fill(0));
	assert.deepEqual(quantised(steps, 0), new Array(16).fill(0));
});

test("quantised tables are within half a step of the tables, for any", () => {
	fc.assert(
		fc.property(fc.nat(2 ** 30), fc.integer({ min: 1, max: 6 }), (seed, subs) => {
			const random = randomNumbers(seed);
			const bench = new Bench();
			const tables = randomVector(random, 16 * subs);
			const inverse = 63;
			const bytes = bench.room(16 * subs);
			bench.run("quantizeTables", bench.put(tables), subs, inverse, bytes);
			const quantised = new Uint8Array(bench.buffer, bytes, 16 * subs);
			for (let s = 0; s < subs; s++) {
				const table = tables.subarray(16 * s, 16 * s + 16);
				const least = Math.min(...table);
				table.forEach((x, e) => {
					const step = (quantised[16 * s + e] as number) / inverse;
					assert.ok(Math.abs(step - (x - least)) <= 0.5001 / inverse);
				});
			}
		}),
		{ numRuns: 40 },
	);
});

function options(subs: number, entries: number, termBytes: number, termOf: CellsOptions["termOf"]): CellsOptions {
	return {
		cells: 5,
		mostRows: 90,
		subs,
		entries,
		termBytes,
		codeBytes: 32 * subs,
		termOf,
		putCode: (bench, codes, row, code) => bench.write(codes + subs * row, code),
	};
}

/** Eighths of small numbers, whose sums are exact in float32. */
const eighths = (random: () => number) => Math.floor(200 * random() - 100) / 8;

test("the candidates are those of a plain sum over the codes, for any chains, budget, pool and eligibility", () => {
	fc.assert(
		fc.property(
			fc.nat(2 ** 30),
			fc.integer({ min: 1, max: 11 }),
			fc.constantFrom(16, 32, 256),
			fc.constantFrom(...TERMS),
			fc.constantFrom(1, 7, 40, 600),
			fc.boolean(),
			(seed, subs, entries, termBytes, room, isFiltered) => {
				const random = randomNumbers(seed);
				const cells = new TestCells(random, options(subs, entries, termBytes, eighths));
				const tables = Float32Array.from({ length: subs * entries }, () => eighths(random));
				const tablesAt = cells.bench.put(tables);
				const { at, admits } = isFiltered ? cells.eligibility() : { at: 0, admits: () => true };
				const probes = cells.probes(eighths);
				for (const budget of [0, 1, Math.floor(200 * random()), 1_000]) {
					const asked: SearchOptions = { probes, room, budget };
					const search = cells.search(asked);
					const args = [cells.cells, search, tablesAt, subs, entries, termBytes, at] as const;
					assert.equal(cells.bench.run("productScan", ...args), 0);
					const keyOf = (code: Uint8Array, start: number) =>
						code.reduce((sum, entry, s) => sum + (tables[s * entries + entry] as number), start);
					assert.deepEqual(
						cells.found(search),
						cells.expected(asked, ({ code, term }, bias) => keyOf(code, termBytes === 0 ? bias : bias + term), admits),
					);
					cells.checkCounts(search, asked);
				}
			},
		),
		{ numRuns: 50 },
	);
});

test("keys are rounded as float32 is: even and odd parts apart, then with bias and term", () => {
	const random = randomNumbers(8);
	const [subs, entries] = [7, 64];
	const float = () => Math.fround(2 * random() - 1);
	const cells = new TestCells(random, options(subs, entries, TERM_BYTES, float));
	const tables = randomVector(random, subs * entries);
	const asked = { probes: cells.probes(float), room: 40 };
	const search = cells.search(asked);
	cells.bench.run("productScan", cells.cells, search, cells.bench.put(tables), subs, entries, TERM_BYTES, 0);
	const sum = (values: readonly number[]) => values.reduce((sum, x) => Math.fround(sum + x), 0);
	const expected = cells.expected(asked, ({ code, term }, bias) => {
		const values = Array.from(code, (entry, s) => tables[s * entries + entry] as number);
		const halves = [0, 1].map((half) => sum(values.filter((_, s) => s % 2 === half)));
		return sum([sum([bias, term]), sum(halves)]);
	});
	assert.deepEqual(cells.found(search), expected);
});

test("cells above 2 GiB are scanned like those below, named by signed addresses or not", () => {
	const found = [1_024, 2 ** 31].map((start) => {
		const random = randomNumbers(12);
		const cells = new TestCells(random, { ...options(6, 16, TERM_BYTES, eighths), start });
		const tables = cells.bench.put(randomVector(random, 96));
		const search = cells.search({ probes: cells.probes(eighths), room: 30 });
		cells.bench.run("productScan", cells.cells | 0, search | 0, tables | 0, 6, 16, TERM_BYTES, 0);
		return cells.found(search);
	});
	assert.deepEqual(found[0], found[1]);
});

test("an abort word that is raised ends a scan before its first cell", () => {
	const cells = new TestCells(randomNumbers(3), options(3, 16, 0, eighths));
	const { bench } = cells;
	const abort = bench.put(Int32Array.of(1));
	const tables = bench.put(new Float32Array(48));
	const asked = { probes: cells.probes(eighths), room: 5, abort };
	const search = cells.search(asked);
	assert.equal(bench.run("productScan", cells.cells, search, tables, 3, 16, 0, 0), -1);
	assert.deepEqual(cells.found(search), []);
	cells.checkCounts(search, { ...asked, budget: 0 });
});
