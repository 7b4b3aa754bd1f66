import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench, randomNumbers } from "../../kernels.test-support.ts";
import { METRIC_CODES, RABITQ_BLOCK, RABITQ_CANDIDATE, RABITQ_QUERY } from "../../layout.ts";
import { FINE_FACTORS, SCALE, SPREAD } from "./payload.ts";

type MetricName = "l2" | "ip" | "cosine";

const { rows: BLOCK, factorBytes, factors, fineFactors } = RABITQ_BLOCK;

/** The rows of a cell, as many as there are, coded without a rotation: rows, centroid and query count as rotated already. */
class Cell {
	readonly bench = new Bench({ bytes: 1 << 19 });
	readonly dimensions: number;
	readonly bits: number;
	readonly metric: MetricName;
	readonly centroid: Float32Array;
	readonly rows: readonly Float32Array[];
	readonly stride: number;
	readonly payload: number;
	readonly places: number;
	readonly #centroidAt: number;
	readonly #struct: number;

	constructor(metric: MetricName, bits: number, centroid: Float32Array, rows: readonly Float32Array[]) {
		const { bench } = this;
		[this.metric, this.bits, this.centroid, this.rows] = [metric, bits, centroid, rows];
		const d = centroid.length;
		this.dimensions = d;
		this.stride = 4 * d * bits + factorBytes * (bits === 1 ? factors : fineFactors);
		const blocks = Math.ceil(rows.length / BLOCK);
		this.payload = bench.room(blocks * this.stride);
		// What a block held before must not matter.
		bench.write(this.payload, new Uint8Array(blocks * this.stride).fill(0xa5));
		this.places = bench.put(
			Uint32Array.from({ length: blocks * BLOCK }, (_, i) => (i < rows.length ? 1_000 + i : 0xffffffff)),
		);
		this.#centroidAt = bench.put(centroid);
		this.#struct = bench.room(RABITQ_QUERY.bytes);
		const residual = bench.room(4 * d);
		rows.forEach((values, i) => {
			bench.write(residual, minus(values, centroid));
			const block = this.payload + Math.floor(i / BLOCK) * this.stride;
			bench.run("rabitqEncode", METRIC_CODES[metric], residual, this.#centroidAt, d, bits, block, i % BLOCK);
		});
	}

	/** The candidates of a query by place. */
	scan(query: Float32Array, { bits = this.bits, threshold = Infinity, epsilon = 1.9 } = {}) {
		const { bench, dimensions: d } = this;
		const struct = this.#struct;
		const row = bench.put(query);
		const rooms = [bench.room(4 * d), bench.room(2 * d)];
		bench.write(struct, Uint32Array.from([d, bits, METRIC_CODES[this.metric], row, 4 * d, row, ...rooms]));
		bench.write(struct + RABITQ_QUERY.epsilon, Float32Array.of(epsilon));
		bench.write(struct + RABITQ_QUERY.refined, Uint32Array.of(0));
		bench.run("rabitqPrepare", struct);
		bench.run("rabitqProbe", struct, this.#centroidAt);
		const out = bench.room(this.rows.length * RABITQ_CANDIDATE.bytes);
		const n = bench.run("rabitqScan", struct, this.payload, this.stride, this.places, this.rows.length, threshold, out);
		const refined = bench.u32(struct + RABITQ_QUERY.refined, 1)[0] as number;
		const candidates = Array.from({ length: n }, (_, i) => {
			const at = out + i * RABITQ_CANDIDATE.bytes;
			const [lower, estimate] = bench.f32(at, 2) as unknown as [number, number];
			return { lower, estimate, row: (bench.u32(at + RABITQ_CANDIDATE.place, 1)[0] as number) - 1_000 };
		});
		return { candidates, refined };
	}

	/** A factor of a row, by how far it is from `own` by the top bits. */
	factor(row: number, which: number): number {
		const block = this.payload + Math.floor(row / BLOCK) * this.stride;
		return this.bench.f32(block + 4 * this.dimensions + which + 4 * (row % BLOCK), 1)[0] as number;
	}

	/** The code of a row, dimension by dimension, read by the table in assembly/rabitq/payload.ts. */
	code(row: number): number[] {
		const { dimensions: d, bits, bench } = this;
		const bytes = new Uint8Array(bench.buffer, this.payload + Math.floor(row / BLOCK) * this.stride, this.stride);
		const slot = row % BLOCK;
		const width = bits - 1;
		const rest = 4 * d + fineFactors * factorBytes + (slot * d * width) / 8;
		return Array.from({ length: d }, (_, i) => {
			const top = ((bytes[16 * (i >> 2) + (slot % 16)] as number) >> ((slot < 16 ? 0 : 4) + (i % 4))) & 1;
			const [group, vector] = [(i % 64) >> 2, i % 4];
			let at = rest + 8 * width * Math.floor(i / 64);
			let low = 0;
			if (width & 4) {
				low = ((bytes[at + (vector >> 1) * 16 + group] as number) >> (4 * (vector % 2))) % 16;
				at += 32;
			}
			if (width & 2) {
				low += (((bytes[at + group] as number) >> (2 * vector)) % 4) * 2 ** (width & 4);
				at += 16;
			}
			if (width & 1) {
				low += (((bytes[at + (group % 8)] as number) >> (2 * vector + (group >> 3))) % 2) * 2 ** (width & 6);
			}
			return top * 2 ** width + low;
		});
	}
}

function gaussian(random: () => number, dimensions: number): Float32Array {
	return Float32Array.from(
		{ length: dimensions },
		() => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
	);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
	return Array.from(a).reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}

function minus(a: Float32Array, b: Float32Array): Float32Array {
	return a.map((x, i) => x - (b[i] as number));
}

/** The cosine that the best rescaling reaches, by all scales at which a component changes its level. */
function bestCosine(r: Float32Array, bits: number): number {
	const most = 2 ** (bits - 1) - 1;
	const sizes = Array.from(r, Math.abs).filter((x) => x > 0);
	const changes = sizes.flatMap((x) => Array.from({ length: most }, (_, level) => (level + 1) / x));
	return Math.max(
		...[1e-9, ...changes].map((t) => {
			const g = sizes.map((x) => Math.min(most, Math.floor(x * t * (1 + 1e-12))) + 0.5);
			return dot(g, sizes) / Math.sqrt(dot(g, g) * dot(sizes, sizes));
		}),
	);
}

for (const bits of [1, 2, 3, 4, 5, 6, 7, 8]) {
	test(`a code of ${bits} bits is near the best point of the grid, and its factors are what they are drawn to be`, () => {
		const random = randomNumbers(bits);
		const centroid = gaussian(random, 64);
		const rows = Array.from({ length: 34 }, () => gaussian(random, 64));
		const cell = new Cell("l2", bits, centroid, rows);
		rows.forEach((row, i) => {
			const r = minus(row, centroid);
			const g = cell.code(i).map((code) => code - (2 ** bits - 1) / 2);
			assert.ok(g.every((x, j) => x > 0 === (r[j] as number) > 0));
			const length = Math.sqrt(dot(r, r));
			const cosine = dot(g, r) / (Math.sqrt(dot(g, g)) * length);
			const error = (f: number) => Math.sqrt(1 - f * f);
			if (i < 4) assert.ok(error(cosine) <= 1.05 * error(bestCosine(r, bits)), `row ${i}`);
			const signs = r.map(Math.sign);
			const spread = (f: number) => length * Math.sqrt((1 - f * f) / (f * f * 63));
			const near = (which: number, expected: number) => {
				const actual = cell.factor(i, which);
				assert.ok(Math.abs(actual - expected) <= 1e-5 * (1 + Math.abs(expected)), `${actual} is not ${expected}`);
			};
			const hold = (first: number, x: ArrayLike<number>, f: number) => {
				const scale = length ** 2 / dot(x, r);
				near(first, length ** 2 + 2 * scale * dot(x, centroid));
				near(first + SCALE, scale);
				near(first + SPREAD, spread(f));
			};
			hold(0, signs, dot(signs, r) / (8 * length));
			if (bits === 1) return;
			hold(
				FINE_FACTORS,
				g.map((x) => 2 * x),
				cosine,
			);
		});
	});
}

test("estimates are what their factors say, whatever the metric, the bits and the dimensions", () => {
	const cases = fc.record({
		metric: fc.constantFrom<MetricName>("l2", "ip", "cosine"),
		bits: fc.integer({ min: 1, max: 8 }),
		dimensions: fc.constantFrom(64, 128, 192),
		n: fc.integer({ min: 1, max: 40 }),
		isZero: fc.boolean(),
		seed: fc.nat(),
	});
	fc.assert(
		fc.property(cases, ({ metric, bits, dimensions, n, isZero, seed }) => {
			const random = randomNumbers(seed);
			const centroid = gaussian(random, dimensions);
			const query = isZero ? new Float32Array(dimensions) : gaussian(random, dimensions);
			const rows = Array.from({ length: n }, () => gaussian(random, dimensions));
			const cell = new Cell(metric, bits, centroid, rows);
			const { candidates, refined } = cell.scan(query);
			assert.deepEqual(
				candidates.map(({ row }) => row),
				rows.map((_, i) => i),
			);
			assert.equal(refined, bits === 1 ? 0 : n);
			const t = metric === "ip" ? dot(query, centroid) / dot(centroid, centroid) : 1;
			const q = query.map((x, i) => x - t * (centroid[i] as number));
			const fine = bits === 1 ? 0 : FINE_FACTORS;
			for (const { lower, estimate, row } of candidates) {
				const x = cell.code(row).map((code) => 2 * code - (2 ** bits - 1));
				const r = minus(rows[row] as Float32Array, centroid);
				const product = cell.factor(row, fine + SCALE) * dot(x, q);
				const key = {
					l2: dot(q, q) + dot(r, r) - 2 * product,
					// A query without a direction is 1 from every row of length 1, not half of that.
					cosine: (dot(q, q) + dot(r, r)) / 2 - product + (isZero ? 0.5 : 0),
					ip: -dot(query, centroid) - t * dot(centroid, r) - product,
				}[metric];
				const reach = dot(r, r) + dot(query, query);
				// What rounding the query leaves out is small beside the bound.
				assert.ok(Math.abs(estimate - key) < (bits === 1 ? 0.01 : 0.0001) * reach, `${estimate} is not ${key}`);
				const width = 1.9 * (metric === "l2" ? 2 : 1) * cell.factor(row, fine + SPREAD) * Math.sqrt(dot(q, q));
				assert.ok(lower <= estimate - 0.999 * width && lower >= estimate - 1.1 * width - 1e-3 * reach);
			}
		}),
		{ numRuns: 40 },
	);
});

test("sums of more dimensions than a 16-bit lane holds do not overflow", () => {
	for (const dimensions of [1_024, 1_088, 2_112]) {
		const query = new Float32Array(dimensions).fill(1);
		const rows = [1, -1].map((x) => new Float32Array(dimensions).fill(x));
		for (const bits of [1, 8]) {
			const cell = new Cell("l2", bits, new Float32Array(dimensions), rows);
			const [same, opposite] = cell.scan(query).candidates.map(({ estimate }) => estimate) as [number, number];
			assert.ok(Math.abs(same) < dimensions / 100, `${same}`);
			assert.ok(Math.abs(opposite - 4 * dimensions) < dimensions / 100, `${opposite}`);
		}
	}
});

test("a threshold keeps just the rows whose lower bounds are at most it, and the top bits spare the others' codes", () => {
	const random = randomNumbers(3);
	const centroid = gaussian(random, 128);
	const rows = Array.from({ length: 100 }, (_, i) =>
		gaussian(random, 128).map((x, j) => (centroid[j] as number) + x * (i % 4 === 0 ? 0.3 : 3)),
	);
	const cell = new Cell("l2", 4, centroid, rows);
	const query = gaussian(random, 128).map((x, i) => (centroid[i] as number) + 0.3 * x);
	const all = cell.scan(query).candidates;
	const coarse = cell.scan(query, { bits: 1 }).candidates;
	const threshold = all.map(({ lower }) => lower).toSorted((a, b) => a - b)[10] as number;
	const { candidates, refined } = cell.scan(query, { threshold });
	const expected = all.filter(({ lower, row }) => lower <= threshold && (coarse[row]?.lower as number) <= threshold);
	assert.deepEqual(candidates, expected);
	assert.ok(candidates.length >= 10);
	assert.equal(refined, coarse.filter(({ lower }) => lower <= threshold).length);
	assert.ok(refined < 40, `${refined} of 100`);
	assert.deepEqual(cell.scan(query, { threshold: -1e30 }).candidates, []);
});

test("places that hold no row are passed over, wherever they are", () => {
	const random = randomNumbers(4);
	const rows = Array.from({ length: 70 }, () => gaussian(random, 64));
	const cell = new Cell("ip", 2, gaussian(random, 64), rows);
	const gone = [0, 3, 31, 32, 50, 69];
	for (const row of gone) cell.bench.write(cell.places + 4 * row, Uint32Array.of(0xffffffff));
	assert.deepEqual(
		cell.scan(rows[0] as Float32Array).candidates.map(({ row }) => row),
		rows.map((_, i) => i).filter((i) => !gone.includes(i)),
	);
});

test("zero residuals, zero queries and values at the ends of float32 give finite keys", () => {
	const zero = new Float32Array(64);
	const at = (x: number) => new Float32Array(64).fill(x);
	const one = (x: number) => zero.map((_, i) => (i === 5 ? x : 0));
	const values = [zero, at(1), one(1), at(1e-30), one(1e-42), at(-1e-45), at(5e17), one(-4e18), one(1e-36)];
	for (const metric of ["l2", "ip"] as const) {
		for (const centroid of values) {
			for (const bits of [1, 4]) {
				const cell = new Cell(metric, bits, centroid, values);
				for (const query of values) {
					for (const { lower, estimate, row } of cell.scan(query).candidates) {
						assert.ok(Number.isFinite(estimate) && lower <= estimate, `${lower} ${estimate} of row ${row}`);
						const v = values[row] as Float32Array;
						const key = metric === "l2" ? dot(minus(query, v), minus(query, v)) : -dot(query, v);
						const isCentroid = v === centroid;
						if (isCentroid) assert.ok(lower <= key + 1e-6 * Math.abs(key) + 1e-40, `${lower} ${key}`);
					}
				}
			}
		}
	}
});
