import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, rowBytes } from "@nigh/kernels";
import { randomNumbers } from "../vectors.test-support.ts";
import { ScalarCodes } from "./scalar-codes.ts";

interface Trained {
	readonly codes: ScalarCodes;
	readonly origin: Float32Array;
	/** What the code of row i stands for. */
	readonly decoded: (i: number) => number[];
	readonly row: (i: number) => number[];
	/** Mean squared error of a component. */
	readonly error: number;
}

/** Codes trained on rows and used for them. */
function train(rows: readonly (readonly number[])[]): Trained {
	const arena = new Arena();
	const d = rows[0]?.length ?? 0;
	const bytes = rowBytes(4 * d);
	const base = arena.alloc(rows.length * bytes);
	rows.forEach((row, i) => {
		arena.f32(base + i * bytes, d).set(row);
	});
	const codes = new ScalarCodes(arena, d, bytes);
	codes.train(rows.length, (i) => base + i * bytes);
	const origin = arena.f32(codes.origin, d);
	const code = arena.alloc(codes.bytes + 16);
	const decoded = (i: number) => {
		const norm = codes.encode(base + i * bytes, code);
		const list = [...arena.u8(code, codes.bytes)];
		assert.equal(
			norm,
			list.reduce((sum, c) => sum + c * c, 0),
		);
		assert.ok(list.every((c) => c <= 127) && list.slice(d).every((c) => c === 0));
		return list.slice(0, d).map((c, j) => (origin[j] as number) + c * codes.unit);
	};
	const row = (i: number) => [...arena.f32(base + i * bytes, d)];
	let sum = 0;
	for (let i = 0; i < rows.length; i++) {
		const stored = row(i);
		decoded(i).forEach((x, j) => {
			sum += (x - (stored[j] as number)) ** 2;
		});
	}
	return { codes, origin, decoded, row, error: sum / (rows.length * d) };
}

const randomRows = (n: number, d: number, value: (random: () => number, i: number, j: number) => number) => {
	const random = randomNumbers(9);
	return Array.from({ length: n }, (_, i) => Array.from({ length: d }, (_, j) => value(random, i, j)));
};

test("values inside the range are coded within half a step", () => {
	for (const scale of [1e-20, 1, 1e15]) {
		const { codes, decoded, row } = train(randomRows(500, 12, (random) => scale * (2 * random() - 1)));
		assert.ok(codes.unit > 0);
		let outside = 0;
		for (let i = 0; i < 500; i++) {
			const stored = row(i);
			decoded(i).forEach((x, j) => {
				if (Math.abs(x - (stored[j] as number)) > 0.5001 * codes.unit) outside++;
			});
		}
		assert.ok(outside < 0.05 * 500 * 12, `${outside} values are cut off at scale ${scale}`);
	}
});

test("each dimension has an origin of its own, and all have the same step", () => {
	const offsets = [0, 1_000, -50, 3];
	const { codes, origin, error } = train(
		randomRows(400, 4, (random, _, j) => (offsets[j] as number) + 2 * random() - 1),
	);
	offsets.forEach((offset, j) => {
		assert.ok(Math.abs((origin[j] as number) + 63.5 * codes.unit - offset) < 0.1);
	});
	assert.ok(codes.unit < 2.3 / 127, `a step of ${codes.unit} for a range of 2`);
	assert.ok(error < codes.unit ** 2 / 6);
});

test("the range is that of the least mean squared error, however the values lie", () => {
	const kinds: Readonly<Record<string, (random: () => number, i: number, j: number) => number>> = {
		"spread evenly": (random) => 2 * random() - 1,
		"one value far out": (random, i, j) => (2 * random() - 1) * (i === 0 && j === 0 ? 30 : 1),
		"one in a hundred ten times as far": (random, i) => (2 * random() - 1) * (i % 100 === 0 ? 10 : 1),
		"heavy tails": (random) => (2 * random() - 1) / Math.max(0.01, random()),
		"normal in each dimension": (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(6.2831853 * random()),
	};
	for (const [name, value] of Object.entries(kinds)) {
		const rows = randomRows(1_000, 8, value);
		const { error } = train(rows);
		const mean = Array.from(
			{ length: 8 },
			(_, j) => rows.reduce((sum, row) => sum + (row[j] as number), 0) / rows.length,
		);
		const deviations = rows.flatMap((row) => row.map((x, j) => x - (mean[j] as number)));
		const widest = Math.max(...deviations.map(Math.abs));
		const errorOf = (range: number) => {
			const unit = (2 * range) / 127;
			const codeOf = (x: number) => Math.min(127, Math.max(0, Math.floor((x + range) / unit + 0.5)));
			return deviations.reduce((sum, x) => sum + (codeOf(x) * unit - range - x) ** 2, 0) / deviations.length;
		};
		const least = Math.min(...Array.from({ length: 100 }, (_, i) => errorOf(widest * 0.96 ** i)));
		assert.ok(error <= 1.05 * least, `${name}: ${error}, at best ${least}`);
	}
});

test("equal rows are coded without an error, with a step that can be divided by", () => {
	const { codes, error, decoded, row } = train(Array.from({ length: 10 }, () => [0.5, -3, 0, 7]));
	assert.equal(codes.unit, 1);
	decoded(0).forEach((x, j) => {
		assert.ok(Math.abs(x - (row(0)[j] as number)) <= 0.5);
	});
	assert.ok(error <= 0.25);
});

describe("F-15: 384 dimensions", () => {
	const d = 384;
	const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
	const unit = (row: readonly number[]) => row.map((x) => x / Math.sqrt(dot(row, row)));
	const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
	const SETS = {
		"evenly spread": randomRows(50, d, (random) => 2 * random() - 1).map(unit),
		"normal, with dimensions of their own spread and mean": randomRows(
			50,
			d,
			(random, _, j) => Math.sin(j) + (0.3 + Math.cos(j) ** 2) * normal(random),
		).map(unit),
	};

	for (const [name, rows] of Object.entries(SETS)) {
		test(`rows ${name}: each lies at a cosine above 0.99 to its code, with a mean squared error below 0.01, and so little that the order holds`, () => {
			const { codes, decoded, error } = train(rows);
			const all = rows.map((_, i) => decoded(i));
			for (const [i, row] of rows.entries()) {
				const cosine = dot(row, unit(all[i] as number[]));
				assert.ok(cosine > 0.99, `row ${i}: ${cosine}`);
			}
			assert.ok(error < 0.01);
			// Components of unit rows are small: as a share of their mean square it is small, too.
			assert.ok(error * d < 0.01, `${error * d} of the square of a row`);
			assert.equal(codes.trainedOn, 50);
		});

		test(`rows ${name}: of the five nearest of 50 at least three are the five nearest by codes`, () => {
			const { decoded } = train(rows);
			const coded = rows.map((_, i) => decoded(i));
			const nearest = (query: readonly number[], list: readonly (readonly number[])[]) =>
				list
					.map((row, i) => ({ i, key: row.reduce((sum, x, j) => sum + (x - (query[j] as number)) ** 2, 0) }))
					.sort((a, b) => a.key - b.key)
					.slice(0, 5)
					.map(({ i }) => i);
			for (let i = 0; i < 50; i++) {
				const wanted = nearest(rows[i] as number[], rows);
				const found = nearest(coded[i] as number[], coded);
				const overlap = found.filter((label) => wanted.includes(label)).length / 5;
				assert.ok(overlap >= 0.6, `query ${i}: ${overlap}`);
			}
		});
	}

	test("a code with its norm and error is at least 74 % smaller than the row", () => {
		const { codes } = train(SETS["evenly spread"]);
		assert.equal(codes.bytes, 384);
		assert.ok(1 - (codes.bytes + 8) / (4 * d) >= 0.74);
	});

	test("the same rows give the same codes", () => {
		const [a, b] = [train(SETS["evenly spread"]), train(SETS["evenly spread"])];
		assert.equal(a.codes.unit, b.codes.unit);
		assert.deepEqual(a.origin, b.origin);
		for (let i = 0; i < 50; i++) assert.deepEqual(a.decoded(i), b.decoded(i));
	});

	test("every row it is given calibrates: 25 serve 25 others as well, and the last one counts", () => {
		const rows = SETS["evenly spread"];
		const half = train(rows.slice(0, 25));
		const bytes = rowBytes(4 * d);
		const arena = new Arena();
		const [row, code] = [arena.alloc(bytes), arena.alloc(half.codes.bytes + 16)];
		const codes = new ScalarCodes(arena, d, bytes);
		const from = arena.alloc(25 * bytes);
		for (let i = 0; i < 25; i++) arena.f32(from + i * bytes, d).set(rows[i] as number[]);
		codes.train(25, (i) => from + i * bytes);
		const origin = arena.f32(codes.origin, d).slice();
		for (const other of rows.slice(25)) {
			arena.f32(row, d).set(other);
			codes.encode(row, code);
			const decoded = [...arena.u8(code, d)].map((c, j) => (origin[j] as number) + c * codes.unit);
			assert.ok(dot(other, unit(decoded)) > 0.99);
		}
		const wide = train([...rows.slice(0, 24), ...rows.slice(0, 10).map((each) => each.map((x) => 30 * x))]);
		assert.ok(wide.codes.unit > 5 * half.codes.unit);
	});
});

test("training is due at first and whenever the rows have doubled, until the sample is full", () => {
	const codes = new ScalarCodes(new Arena(), 4, 16);
	assert.ok(codes.isStale(1));
	codes.trainedOn = 100;
	assert.ok(!codes.isStale(1));
	assert.ok(!codes.isStale(199));
	assert.ok(codes.isStale(200));
	codes.trainedOn = 16_383;
	assert.ok(codes.isStale(32_766));
	codes.trainedOn = 16_384;
	assert.ok(!codes.isStale(1_000_000));
});

test("what is taken is given back", () => {
	const arena = new Arena();
	const codes = new ScalarCodes(arena, 100, 400);
	assert.ok(arena.usedBytes > 0);
	codes.dispose();
	assert.equal(arena.usedBytes, 0);
});
