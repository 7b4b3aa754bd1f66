import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Bench, randomNumbers, randomVector } from "../kernels.test-support.ts";
import { assignScratch, CODE_PANEL, centroidCodesBytes, meanScratch, PANEL, panelBytes, rowBytes } from "../layout.ts";

/** Below what a bench compares: the twin needs no scratch to assign. */
const SCRATCH = 1_024;
const START = SCRATCH + 64 * 1_024;

interface Panels {
	readonly address: number;
	/** 0 without. */
	readonly codes: number;
	readonly k: number;
}

/** Packs centroids as assembly/kmeans.ts draws them, the squared lengths for constants. */
function putPanels(bench: Bench, centroids: readonly Float32Array[], bytes: number): Panels {
	const panels = Math.ceil(centroids.length / PANEL.centroids);
	const floats = panelBytes(bytes) / 4;
	const packed = new Float32Array(panels * floats);
	for (let c = 0; c < panels * PANEL.centroids; c++) {
		const at = Math.floor(c / PANEL.centroids) * floats + (c % PANEL.centroids);
		const centroid = centroids[c];
		packed[at] = centroid === undefined ? Number.POSITIVE_INFINITY : squares(centroid);
		centroid?.forEach((x, i) => {
			packed[at + PANEL.elements / 4 + PANEL.centroids * i] = x;
		});
	}
	return { address: bench.put(packed), codes: 0, k: centroids.length };
}

/** The same with codes, as assembly/kmeans/filter.ts draws them, seen from `origin`; the constants are those of centroids less the origin. */
function putCoded(bench: Bench, centroids: readonly Float32Array[], origin: Float32Array): Panels {
	const d = origin.length;
	const bytes = rowBytes(4 * d);
	const seen = centroids.map((centroid) => centroid.map((x, i) => x - (origin[i] as number)));
	const panels = putPanels(bench, seen, bytes);
	const coded = new Uint8Array(centroidCodesBytes(bytes, centroids.length));
	const floats = new Float32Array(coded.buffer);
	floats.set(origin);
	const floatsOfPanel = panelBytes(bytes) / 4;
	for (let c = 0; c < Math.ceil(seen.length / PANEL.centroids) * PANEL.centroids; c++) {
		const [panel, within] = [Math.floor(c / PANEL.centroids), c % PANEL.centroids];
		const at = bytes + panel * (CODE_PANEL.codes + 2 * bytes);
		const put = (field: number, value: number) => {
			floats[(at + field) / 4 + within] = value;
		};
		const row = seen[c];
		put(CODE_PANEL.squares, row === undefined ? Number.POSITIVE_INFINITY : squares(row));
		if (row === undefined) continue;
		const constant = row.reduce((sum, x, i) => sum + x * (x + 2 * (origin[i] as number)), 0);
		bench.write(panels.address + 4 * (panel * floatsOfPanel + within), Float32Array.of(constant));
		const unit = Math.fround(row.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 63);
		const codes = row.map((x) => (unit === 0 ? 0 : Math.max(-63, Math.min(63, Math.round(x / unit)))));
		const left = row.map((x, i) => x - unit * (codes[i] as number));
		const length = Math.sqrt(squares(row));
		put(CODE_PANEL.units, unit);
		put(CODE_PANEL.lengths, 1.001 * length);
		put(CODE_PANEL.errors, 1.001 * Math.sqrt(squares(left)));
		put(CODE_PANEL.roundings, 1.001 * 2 ** -20 * (length * length + 2 * length * Math.sqrt(squares(origin))));
		codes.forEach((code, i) => {
			coded[at + CODE_PANEL.codes + 32 * (i >> 2) + 4 * within + (i & 3)] = CODE_PANEL.zero + code;
		});
	}
	return { ...panels, codes: bench.put(coded) };
}

function squares(row: Float32Array): number {
	return row.reduce((sum, x) => sum + x * x, 0);
}

function assign(bench: Bench, points: readonly Float32Array[], { address, codes, k }: Panels, ids?: Uint32Array) {
	const { base, stride } = bench.putRows(points);
	const n = ids?.length ?? points.length;
	const [labels, keys] = [bench.room(4 * n), bench.room(4 * n)];
	const named = ids === undefined ? 0 : bench.put(ids);
	const cursor = bench.room(4);
	const run = (end: number) =>
		bench.run("assignRange", base, stride, stride, named, address, codes, k, SCRATCH, labels, keys, end, cursor);
	return { run, cursor, labels: bench.u32(labels, n), keys: bench.f32(keys, n) };
}

describe("assignRange", () => {
	for (const [n, k, d] of [
		[1, 1, 1],
		[3, 7, 5],
		[4, 8, 4],
		[5, 9, 17],
		[63, 16, 128],
		[64, 17, 33],
		[131, 40, 100],
	] as const) {
		test(`${n} points and ${k} centroids of ${d} dimensions: as near as plain float64 finds, bit for bit on all engines`, () => {
			const random = randomNumbers(n + k + d);
			const points = Array.from({ length: n }, () => randomVector(random, d));
			const centroids = Array.from({ length: k }, () => randomVector(random, d));
			const bench = new Bench({ start: START });
			const { run, labels, keys } = assign(bench, points, putPanels(bench, centroids, Math.ceil(d / 4) * 16));
			run(n);
			points.forEach((point, i) => {
				const truth = centroids.map((c) => squares(c) - 2 * c.reduce((sum, x, j) => sum + x * (point[j] as number), 0));
				const tolerance = (d + 4) * 2 ** -24 * (d + 2 * d);
				const label = labels[i] as number;
				assert.ok((truth[label] as number) <= Math.min(...truth) + 2 * tolerance, `point ${i}`);
				assert.ok(Math.abs((keys[i] as number) - (truth[label] as number)) <= tolerance, `key of point ${i}`);
			});
		});
	}

	test("of equal centroids the lowest is named, wherever in the panels they lie", () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 40 }), (values) => {
				const bench = new Bench({ start: START, bytes: 131_072 });
				const centroids = values.map((value) => Float32Array.of(value, 0, 0, 0));
				const points = [0, 1, 2].map((value) => Float32Array.of(value, 0, 0, 0));
				const { run, labels, keys } = assign(bench, points, putPanels(bench, centroids, 16));
				run(3);
				const truth = [0, 1, 2].map((value) => Math.min(...values.map((each) => (each - value) ** 2)));
				const expected = truth.map((least, value) => values.findIndex((each) => (each - value) ** 2 === least));
				assert.deepEqual([...labels], expected);
				assert.deepEqual(
					[...keys],
					truth.map((least, value) => least - value * value),
				);
			}),
			{ numRuns: 60 },
		);
	});

	test("points may be named by number, and the work may be begun anywhere", () => {
		const random = randomNumbers(5);
		const points = Array.from({ length: 200 }, () => randomVector(random, 8));
		const centroids = Array.from({ length: 20 }, () => randomVector(random, 8));
		const bench = new Bench({ start: START });
		const panels = putPanels(bench, centroids, 32);
		const all = assign(bench, points, panels);
		all.run(200);
		const ids = Uint32Array.from({ length: 150 }, (_, i) => 199 - i);
		const named = assign(bench, points, panels, ids);
		bench.write(named.cursor, Uint32Array.of(64));
		named.run(150);
		assert.deepEqual([...named.labels.subarray(0, 64)], new Array(64).fill(0));
		for (let i = 64; i < 150; i++) {
			assert.equal(named.labels[i], all.labels[199 - i]);
			assert.equal(named.keys[i], all.keys[199 - i]);
		}
	});

	describe("with codes names the same centroids with the same keys, bit for bit on all engines:", () => {
		const mean = (rows: readonly Float32Array[]) =>
			(rows[0] as Float32Array).map((_, i) => rows.reduce((sum, row) => sum + (row[i] as number), 0) / rows.length);

		function compare(
			points: readonly Float32Array[],
			centroids: readonly Float32Array[],
			origin = mean(centroids),
		): void {
			const bench = new Bench({ start: START });
			const coded = putCoded(bench, centroids, origin);
			assert.ok(assignScratch(rowBytes(4 * origin.length), centroids.length, true) <= START - SCRATCH);
			const filtered = assign(bench, points, coded);
			const plain = assign(bench, points, { ...coded, codes: 0 });
			filtered.run(points.length);
			plain.run(points.length);
			assert.deepEqual(filtered.labels, plain.labels);
			assert.deepEqual(filtered.keys, plain.keys);
		}

		const vectors = (seed: number, n: number, d: number, make = (x: number) => x) => {
			const random = randomNumbers(seed);
			return Array.from({ length: n }, () => randomVector(random, d).map(make));
		};

		for (const [n, k, d] of [
			[1, 64, 3],
			[15, 65, 16],
			[16, 100, 17],
			[81, 203, 64],
			[130, 90, 130],
		] as const) {
			test(`${n} points and ${k} centroids of ${d} dimensions`, () => compare(vectors(1, n, d), vectors(2, k, d)));
		}

		test("what the codes of a point leave out decides", () => {
			// Coded, the point is 127 and zeros, which is nearer to the first centroid; what is left, 0.49 each, brings it to the second.
			const row = (first: number, others: number) => new Float32Array(20).fill(others).fill(first, 0, 1);
			const far = Array.from({ length: 70 }, () => row(-630, 0));
			const centroids = [row(1, -63), ...far, row(0, 63), ...far];
			compare([row(127, 0.49)], centroids, new Float32Array(20));
			const bench = new Bench({ start: START });
			const { run, labels } = assign(bench, [row(127, 0.49)], putCoded(bench, centroids, new Float32Array(20)));
			run(1);
			assert.equal(labels[0], 71);
		});

		test("what the codes of a centroid leave out decides", () => {
			const row = (first: number, others: number) => new Float32Array(20).fill(others).fill(first, 0, 1);
			const far = Array.from({ length: 70 }, () => row(-630, 0));
			const centroids = [row(63, -0.49), ...far, row(66, 0.49), ...far];
			compare([row(1, 127)], centroids, new Float32Array(20));
			const bench = new Bench({ start: START });
			const { run, labels } = assign(bench, [row(1, 127)], putCoded(bench, centroids, new Float32Array(20)));
			run(1);
			assert.equal(labels[0], 71);
		});

		test("rows that lie together far from the origin", () => {
			compare(
				vectors(3, 70, 40, (x) => 1_000 + x),
				vectors(4, 120, 40, (x) => 1_000 + x),
			);
		});

		test("an origin that is far from everything", () => {
			compare(vectors(5, 40, 12), vectors(6, 80, 12), new Float32Array(12).fill(500));
		});

		test("points that are centroids, and centroids that are equal", () => {
			const centroids = vectors(7, 60, 24);
			compare([...centroids, ...centroids.slice(0, 5)], [...centroids, ...centroids.toReversed(), ...centroids]);
		});

		test("only zeros, and numbers at both ends of float32", () => {
			const zeros = new Array<Float32Array>(70).fill(new Float32Array(8));
			compare(zeros, zeros);
			compare(
				vectors(8, 40, 8, (x) => x * 1e-42),
				vectors(9, 70, 8, (x) => x * 1e-42),
			);
			compare(
				vectors(8, 40, 8, (x) => x * 1e38),
				vectors(9, 70, 8, (x) => x * 1e38),
			);
			compare(
				vectors(8, 40, 8, (x) => x * 1e-20),
				vectors(9, 70, 8, (x) => x * 1e18),
			);
		});

		test("one element that is far larger than the others", () => {
			const tall = (seed: number, n: number) =>
				vectors(seed, n, 20).map((row) => row.map((x, i) => (i === 7 ? 1e4 * x : x)));
			compare(tall(10, 50), tall(11, 100));
		});

		test("whole numbers, among which many keys are equal", () => {
			const row = fc
				.array(fc.integer({ min: -3, max: 3 }), { minLength: 5, maxLength: 5 })
				.map((x) => Float32Array.from(x));
			fc.assert(
				fc.property(
					fc.array(row, { minLength: 1, maxLength: 40 }),
					fc.array(row, { minLength: 1, maxLength: 80 }),
					row,
					(points, centroids, origin) => compare(points, centroids, origin),
				),
				{ numRuns: 40 },
			);
		});
	});

	test("where every key overflows, the label is still one of the centroids", () => {
		const bench = new Bench({ start: START });
		const huge = Array.from({ length: 3 }, () => Float32Array.of(3e38, 3e38, 3e38, 3e38));
		const { run, labels } = assign(bench, huge, putPanels(bench, huge, 16));
		run(3);
		assert.deepEqual([...labels], [0, 0, 0]);
	});
});

describe("meanRange", () => {
	test("means and spreads are those of float64, empty cells keep their centroid, and all engines agree", () => {
		const random = randomNumbers(9);
		for (const [n, k, d] of [
			[1, 1, 1],
			[40, 6, 7],
			[300, 11, 20],
		] as const) {
			const points = Array.from({ length: n }, () => randomVector(random, d));
			const centroids = Array.from({ length: k }, () => randomVector(random, d));
			const cells = Array.from({ length: k }, (): number[] => []);
			for (let i = 0; i < n; i++) cells[k === 1 ? 0 : Math.floor(random() * (k - 1))]?.unshift(i);
			const bench = new Bench();
			const { base, stride } = bench.putRows(points);
			const old = bench.putRows(centroids);
			const offsets = [0];
			for (const cell of cells) offsets.push((offsets.at(-1) as number) + cell.length);
			const [members, starts] = [bench.put(Uint32Array.from(cells.flat())), bench.put(Uint32Array.from(offsets))];
			const [means, spreads] = [bench.room(k * stride), bench.room(8 * k)];
			const [scratch, cursor] = [bench.room(meanScratch(stride)), bench.room(4)];
			bench.run(
				"meanRange",
				...([base, stride, stride, members, starts, old.base, stride, means, spreads, scratch, k, cursor] as const),
			);
			cells.forEach((cell, c) => {
				const centroid = centroids[c] as Float32Array;
				const mean = bench.f32(means + c * stride, d);
				const expected = centroid.map((x, j) =>
					cell.length === 0 ? x : cell.reduce((sum, i) => sum + (points[i]?.[j] as number), 0) / cell.length,
				);
				assert.deepEqual([...mean], [...expected]);
				const squared = (i: number) => centroid.reduce((sum, x, j) => sum + (x - (points[i]?.[j] as number)) ** 2, 0);
				const truth = cell.reduce((sum, i) => sum + squared(i), 0);
				const spread = new Float64Array(bench.buffer, spreads + 8 * c, 1)[0] as number;
				assert.ok(Math.abs(spread - truth) <= 1e-12 * (1 + truth), `cell ${c}: ${spread} and ${truth}`);
			});
		}
	});

	test("the mean of equal rows is the row itself, bit for bit", () => {
		const row = randomVector(randomNumbers(3), 12);
		const bench = new Bench();
		const { base, stride } = bench.putRows(new Array<Float32Array>(100).fill(row));
		const members = bench.put(Uint32Array.from({ length: 100 }, (_, i) => i));
		const offsets = bench.put(Uint32Array.of(0, 100));
		const [means, spreads] = [bench.room(stride), bench.room(8)];
		const [scratch, cursor] = [bench.room(meanScratch(stride)), bench.room(4)];
		bench.run(
			"meanRange",
			...([base, stride, stride, members, offsets, base, stride, means, spreads, scratch, 1, cursor] as const),
		);
		assert.deepEqual([...bench.f32(means, 12)], [...row]);
		assert.equal(new Float64Array(bench.buffer, spreads, 1)[0], 0);
	});
});
