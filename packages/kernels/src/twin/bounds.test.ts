import assert from "node:assert/strict";
import { test } from "node:test";
import {
	Bench,
	bitmapOf,
	randomNumbers,
	randomVector,
	referenceKey,
	roundingOf,
	unitVector,
} from "../kernels.test-support.ts";
import { BOUND_QUERY, ELIGIBILITY, METRIC_CODES } from "../layout.ts";

type Metric = (typeof METRIC_CODES)["l2" | "ip" | "cosine"];

interface Coded {
	readonly bench: Bench;
	readonly base: number;
	readonly stride: number;
	readonly codes: number;
	readonly codeStride: number;
	readonly codeBytes: number;
	readonly origin: number;
	readonly unit: number;
	readonly labels: number;
	/** The length of the longest code row, as codes. */
	readonly longest: number;
}

/** Codes all rows over their whole range but for 1 % on either side, so that some are clipped. */
function encodeAll(rows: readonly Float32Array[]): Coded {
	const bench = new Bench({ bytes: 1 << 20 });
	const dimensions = (rows[0] as Float32Array).length;
	const { base, stride } = bench.putRows(rows);
	const all = rows.flatMap((row) => [...row]).sort((a, b) => a - b);
	const least = all[Math.floor(all.length * 0.01)] as number;
	const most = all[Math.ceil(all.length * 0.99) - 1] as number;
	const unit = Math.fround((most - least) / 127) || 1;
	const origin = bench.putRows([new Float32Array(dimensions).fill(least)]).base;
	const codeBytes = Math.ceil(dimensions / 16) * 16;
	const codeStride = codeBytes + 16;
	const codes = bench.room(rows.length * codeStride);
	let longest = 0;
	rows.forEach((_, i) => {
		const row = base + i * stride;
		const code = codes + i * codeStride;
		const norm = bench.run("encodeRow", row, origin, Math.fround(1 / unit), stride, code, codeBytes);
		bench.write(code + codeBytes + 4, Float32Array.of(bench.run("residual", row, origin, unit, stride, code)));
		longest = Math.max(longest, Math.sqrt(norm));
	});
	const labels = bench.put(Uint32Array.from(rows, (_, i) => 1000 - i));
	return { bench, base, stride, codes, codeStride, codeBytes, origin, unit, labels, longest };
}

/** Norms and residuals of the code rows, apart from them; those of every ninth row are not known. */
function errorsOf({ bench, codes, codeStride, codeBytes }: Coded, n: number): number {
	const errors = bench.room(8 * n);
	for (let row = 0; row < n; row++) {
		if (row % 9 === 4) continue;
		const at = codes + row * codeStride + codeBytes;
		bench.write(errors + 8 * row, new Uint32Array(bench.buffer, at, 2).slice());
		// A residual of 0 would say that it is not known.
		const residual = bench.f32(at + 4, 1)[0] as number;
		bench.write(errors + 8 * row + 4, Float32Array.of(Math.max(residual, 2 ** -126)));
	}
	return errors;
}

/** Scans for one query in two calls, row by row or by number; returns the rows that are still wanted at the end. */
function scan(
	coded: Coded,
	metric: Metric,
	query: Float32Array,
	rows: readonly Float32Array[],
	k: number,
	eligibility = 0,
	isByNumber = false,
) {
	const { bench, codes, codeStride, codeBytes, origin, unit, labels } = coded;
	const dimensions = query.length;
	const n = rows.length;
	const q = bench.putRows([query]).base;
	const zero = bench.room(coded.stride);
	const planes = { high: bench.room(codeBytes), low: bench.room(codeBytes) };
	const left = bench.room(16);
	const pool = bench.room(8 * k);
	const keptRows = bench.room(4 * n);
	const keptBounds = bench.room(4 * n);
	const isL2 = metric === METRIC_CODES.l2;
	const largest = query.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
	const unitOfQuery = isL2 ? unit : largest / 127;
	const from = isL2 ? origin : zero;
	bench.run("encodePlanes", q, from, unitOfQuery, coded.stride, planes.high, planes.low, codeBytes, left);
	const [leftOver, squared] = new Float64Array(bench.buffer, left, 2) as unknown as [number, number];
	const length = Math.sqrt(query.reduce((sum, x) => sum + x * x, 0));
	const start = bench.f32(origin, dimensions).reduce((sum, x, i) => sum + x * (query[i] as number), 0);
	const magnitude = Math.max(...rows.map((row) => referenceKey(metric, query, row).magnitude));
	const struct = bench.putWords(BOUND_QUERY, { ...planes, form: isL2 ? 0 : 1, k, pool, keptRows, keptBounds });
	const write = (field: "constant" | "factor" | "slack" | "perResidual" | "rounding", value: number) =>
		bench.write(struct + BOUND_QUERY[field], Float64Array.of(value));
	if (isL2) {
		write("constant", squared);
		write("factor", unit * unit);
		write("slack", leftOver + 1e-20);
		write("perResidual", 1);
		write("rounding", roundingOf(dimensions));
	} else {
		write("constant", (metric === METRIC_CODES.cosine ? 1 : 0) - start);
		write("factor", (-unit * unitOfQuery) / 128);
		write("slack", leftOver * unit * coded.longest + roundingOf(dimensions) * magnitude + 1e-20);
		write("perResidual", length);
	}
	const half = Math.floor(n / 2);
	if (isByNumber) {
		// The other way round, so that a number is not a place in the list.
		const numbers = bench.put(Uint32Array.from({ length: n }, (_, i) => n - 1 - i));
		const named = bench.put(Uint32Array.from(bench.u32(labels, n)).reverse());
		const errors = errorsOf(coded, n);
		const list = (from: number, count: number) =>
			[errors, numbers + 4 * from, count, named + 4 * from, eligibility] as const;
		bench.run("boundMany", struct, codes, codeStride, codeBytes, ...list(0, half));
		bench.run("boundMany", struct, codes, codeStride, codeBytes, ...list(half, n - half));
	} else {
		bench.run("boundScan", struct, codes, codeStride, codeBytes, 0, half, labels, eligibility);
		const rest = codes + half * codeStride;
		bench.run("boundScan", struct, rest, codeStride, codeBytes, half, n - half, labels + 4 * half, eligibility);
	}
	const size = bench.u32(struct + BOUND_QUERY.poolSize, 1)[0] as number;
	const kept = bench.u32(struct + BOUND_QUERY.kept, 1)[0] as number;
	const most = size < k ? Infinity : (bench.f32(pool + 8 * (k - 1), 1)[0] as number);
	const bounds = bench.f32(keptBounds, kept);
	const wanted = Array.from(bench.u32(keptRows, kept)).filter((_, i) => (bounds[i] as number) <= most);
	return { wanted, q };
}

/** The rows that an exact scan would answer with: those whose float key is at most the k-th smallest. */
function nearest(coded: Coded, metric: Metric, q: number, rows: readonly number[], k: number): number[] {
	const { bench, base, stride } = coded;
	const keys = rows.map((row) => bench.run("distance", metric, q, base + row * stride, stride));
	const last = keys.toSorted((a, b) => a - b)[Math.min(k, rows.length) - 1] as number;
	return rows.filter((_, i) => (keys[i] as number) <= last);
}

const DATA: Readonly<Record<string, (random: () => number) => Float32Array[]>> = {
	random: (random) => Array.from({ length: 121 }, () => randomVector(random, 19)),
	clustered: (random) => {
		const centres = Array.from({ length: 6 }, () => randomVector(random, 33));
		return Array.from({ length: 120 }, (_, i) =>
			(centres[i % 6] as Float32Array).map((x) => x + 0.001 * (random() - 0.5)),
		);
	},
	duplicate: (random) => {
		const few = Array.from({ length: 4 }, () => randomVector(random, 8));
		return Array.from({ length: 90 }, (_, i) => (few[i % 4] as Float32Array).slice());
	},
	"far from zero": (random) => Array.from({ length: 100 }, () => randomVector(random, 16).map((x) => 1000 + x)),
	// Codes of 0..127 in steps of 1, from which these rows leave nothing out: all that a bound has to allow for is what the query's planes do.
	"on the grid of the codes": (random) =>
		Array.from({ length: 150 }, () =>
			Float32Array.from({ length: 24 }, (_, i) => (i === 0 ? 0 : i === 1 ? 127 : 60 + Math.floor(7 * random()))),
		),
	"of one value": () => Array.from({ length: 20 }, () => new Float32Array(5).fill(0.25)),
};

for (const [name, make] of Object.entries(DATA)) {
	test(`a bound scan of ${name} rows never excludes one of the k nearest, under l2, ip and cosine`, () => {
		for (const metric of [METRIC_CODES.l2, METRIC_CODES.ip, METRIC_CODES.cosine]) {
			const random = randomNumbers(17 + metric);
			const prepare = metric === METRIC_CODES.cosine ? unitVector : (row: Float32Array) => row;
			const rows = make(random).map(prepare);
			const dimensions = (rows[0] as Float32Array).length;
			const coded = encodeAll(rows);
			const all = rows.map((_, i) => i);
			const queries = [
				rows[3] as Float32Array,
				prepare(randomVector(random, dimensions)),
				prepare((rows[7] as Float32Array).map((x) => x * (1 + 0.01 * random()))),
				prepare((rows[9] as Float32Array).map((x) => x + 0.45)),
				new Float32Array(dimensions),
			];
			for (const query of queries) {
				for (const k of [1, 7, rows.length + 1]) {
					for (const isByNumber of [false, true]) {
						const { wanted, q } = scan(coded, metric, query, rows, k, 0, isByNumber);
						const missing = nearest(coded, metric, q, all, k).filter((row) => !wanted.includes(row));
						assert.deepEqual(missing, [], `metric ${metric}, k ${k}, by number: ${isByNumber}`);
					}
				}
			}
		}
	});
}

test("a bound scan excludes most rows of clustered data", () => {
	const random = randomNumbers(3);
	const centres = Array.from({ length: 10 }, () => randomVector(random, 32));
	const rows = Array.from({ length: 300 }, (_, i) =>
		(centres[i % 10] as Float32Array).map((x) => x + 0.1 * (random() - 0.5)),
	);
	const coded = encodeAll(rows);
	for (const metric of [METRIC_CODES.l2, METRIC_CODES.ip]) {
		const { wanted } = scan(coded, metric, centres[4] as Float32Array, rows, 5);
		assert.ok(wanted.length < 60, `metric ${metric}: ${wanted.length} of 300 are left`);
		const named = scan(coded, metric, centres[4] as Float32Array, rows, 5, 0, true).wanted;
		// Of every ninth nothing is known.
		const known = named.filter((row) => row % 9 !== 4);
		assert.equal(named.length - known.length, rows.filter((_, row) => row % 9 === 4).length);
		assert.ok(known.length < 60, `metric ${metric}: ${known.length} of 300 are left`);
	}
});

test("rows that are not eligible are not kept and do not push others out", () => {
	const random = randomNumbers(9);
	const rows = Array.from({ length: 101 }, () => randomVector(random, 20));
	const coded = encodeAll(rows);
	const allow = coded.bench.put(bitmapOf(1024, (label) => label % 3 === 0));
	const eligibility = coded.bench.putWords(ELIGIBILITY, { allow, allowed: 1024 });
	const admitted = rows.map((_, i) => i).filter((i) => (1000 - i) % 3 === 0);
	for (const metric of [METRIC_CODES.l2, METRIC_CODES.ip]) {
		for (const isByNumber of [false, true]) {
			const { wanted, q } = scan(coded, metric, rows[5] as Float32Array, rows, 4, eligibility, isByNumber);
			assert.deepEqual(
				wanted.filter((row) => !admitted.includes(row)),
				[],
			);
			assert.deepEqual(
				nearest(coded, metric, q, admitted, 4).filter((row) => !wanted.includes(row)),
				[],
			);
		}
	}
});

test("a residual is at least the length of what the code leaves out, and hardly more", () => {
	const random = randomNumbers(11);
	for (const dimensions of [1, 3, 17, 127, 784]) {
		const rows = Array.from({ length: 6 }, () => randomVector(random, dimensions));
		const coded = encodeAll(rows);
		const { bench, codes, codeStride, codeBytes, origin, unit } = coded;
		rows.forEach((row, i) => {
			const code = new Uint8Array(bench.buffer, codes + i * codeStride, codeBytes);
			const start = bench.f32(origin, dimensions);
			const left = row.reduce((sum, x, d) => sum + (x - (start[d] as number) - unit * (code[d] as number)) ** 2, 0);
			const stored = bench.f32(codes + i * codeStride + codeBytes + 4, 1)[0] as number;
			assert.ok(stored >= Math.sqrt(left) && stored <= Math.sqrt(left) * (1 + 1e-6));
		});
	}
});
