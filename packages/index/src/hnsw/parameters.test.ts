import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { uniform } from "../random.ts";
import { refusal } from "../refusal.test-support.ts";
import {
	adaptiveEf,
	efConstructionFor,
	HNSW_BOUNDS,
	type HnswParameterOptions,
	levelFor,
	M_BY_SIZE,
	mForSize,
	PRESETS,
	resolveParameters,
} from "./parameters.ts";

/** The field that the options are refused for. */
const field = (options: object) => refusal("INVALID_OPTION", () => resolveParameters(options)).details.field;

test("the presets are the published ones, and balanced is the default", () => {
	assert.deepEqual(PRESETS, {
		dev: { M: 8, efConstruction: 32, ef: 20 },
		balanced: { M: 16, efConstruction: 64, ef: 40 },
		high: { M: 24, efConstruction: 128, ef: 80 },
		max: { M: 32, efConstruction: 200, ef: 100 },
		accuracy: { M: 32, efConstruction: 500, ef: 500 },
		speed: { M: 8, efConstruction: 64, ef: 50 },
	});
	for (const preset of Object.keys(PRESETS) as (keyof typeof PRESETS)[]) {
		const { M, efConstruction, ef, mL } = resolveParameters({ preset });
		assert.deepEqual({ M, efConstruction, ef }, PRESETS[preset]);
		assert.equal(mL, 1 / Math.log(M));
	}
	assert.deepEqual(resolveParameters({}), {
		...PRESETS.balanced,
		efConstruction: undefined,
		mL: 1 / Math.log(16),
		seed: 42,
		maxElements: undefined,
	});
	assert.deepEqual(resolveParameters({ preset: undefined, M: undefined } as object), resolveParameters({}));
	const unknown = refusal("INVALID_OPTION", () => resolveParameters({ preset: "fast" as "speed" }));
	assert.equal(unknown.details.field, "preset");
	assert.match(unknown.message, /speed/);
	for (const preset of ["toString", "__proto__", "", 5]) assert.equal(field({ preset }), "preset");
});

test("a single setting beside a preset wins", () => {
	assert.deepEqual(resolveParameters({ preset: "speed", ef: 7, seed: 1, mL: 0.5, maxElements: 5 }), {
		...{ M: 8, efConstruction: 64, ef: 7 },
		...{ mL: 0.5, seed: 1, maxElements: 5 },
	});
	assert.equal(resolveParameters({ preset: "dev", efConstruction: 16 }).efConstruction, 16);
});

describe("efConstruction", () => {
	test("below 2 M or below 4 is refused by name, with the bound", () => {
		for (const [M, efConstruction] of [
			[16, 31],
			[200, 399],
			[32, 63],
			[2, 3],
			[2, 0],
		] as const) {
			const { details } = refusal("INVALID_OPTION", () => resolveParameters({ M, efConstruction }));
			assert.equal(details.field, "efConstruction");
			assert.equal(details.value, efConstruction);
			assert.equal((details.bound as { min: number }).min, Math.max(4, 2 * M));
			assert.equal(resolveParameters({ M, efConstruction: Math.max(4, 2 * M) }).efConstruction, Math.max(4, 2 * M));
		}
	});

	test("that comes from a preset is raised to fit an M given beside it", () => {
		assert.equal(resolveParameters({ preset: "dev", M: 100 }).efConstruction, 200);
	});

	test("that nobody has asked for grows with the number of vectors, and fits M", () => {
		const unasked = resolveParameters({});
		assert.equal(unasked.efConstruction, undefined);
		const sizes = [0, 99_999, 100_000, 999_999, 1_000_000, 1e8];
		assert.deepEqual(
			sizes.map((n) => efConstructionFor(n, unasked)),
			[64, 64, 128, 128, 200, 200],
		);
		assert.equal(efConstructionFor(0, resolveParameters({ M: 150 })), 300);
		assert.equal(efConstructionFor(1e8, resolveParameters({ preset: "balanced" })), 64);
		assert.equal(efConstructionFor(1e8, resolveParameters({ efConstruction: 40 })), 40);
	});
});

test("both ends of every bound are taken, and what lies beyond is refused by name", () => {
	for (const name of ["M", "efConstruction", "ef", "mL", "seed", "maxElements"] as const) {
		const { min, max } = HNSW_BOUNDS[name];
		const around: HnswParameterOptions = name === "efConstruction" ? { M: 2 } : {};
		for (const value of [min, max]) assert.equal(resolveParameters({ ...around, [name]: value })[name], value);
		for (const value of [min - 1, max + 1, Number.NaN, Number.POSITIVE_INFINITY, false]) {
			assert.equal(field({ ...around, [name]: value }), name, `${name}: ${value}`);
		}
		if (name !== "mL")
			for (const value of [min + 0.5, `${min}`]) assert.equal(field({ ...around, [name]: value }), name);
	}
	assert.deepEqual([HNSW_BOUNDS.M.min, HNSW_BOUNDS.M.max], [2, 200]);
	assert.deepEqual([HNSW_BOUNDS.efConstruction.min, HNSW_BOUNDS.efConstruction.max], [4, 4_000]);
	assert.deepEqual([HNSW_BOUNDS.ef.min, HNSW_BOUNDS.ef.max], [1, 10_000]);
});

test("the M for a size changes at 100,000, above 1,000,000 and above 10,000,000", () => {
	const sizes = [0, 1, 99_999, 100_000, 1_000_000, 1_000_001, 10_000_000, 10_000_001, 1e9];
	assert.deepEqual(sizes.map(mForSize), [8, 8, 8, 16, 16, 32, 32, 48, 48]);
	for (const { from, M } of M_BY_SIZE) assert.equal(mForSize(from), M);
});

test("the ef for a k is 40 to k = 10, 80 to 40, 2 k to 50, 3 k to 66, and never below 2 k", () => {
	const expected = (k: number): number => {
		if (k <= 10) return 40;
		if (k <= 40) return 80;
		if (k <= 50) return 2 * k;
		if (k <= 66) return 3 * k;
		return Math.max(200, 2 * k);
	};
	let last = 0;
	for (let k = 1; k <= 10_000; k++) {
		const ef = adaptiveEf(k);
		assert.equal(ef, expected(k), `k ${k}`);
		assert.ok(ef >= 2 * k && ef >= last);
		last = ef;
	}
});

describe("levels", () => {
	test("are spread as floor(-ln U * mL): level 0 has the share 1 - exp(-1 / mL), and each next one exp(-1 / mL) of the last", () => {
		const n = 100_000;
		for (const [mL, share] of [
			[1 / Math.LN2, 0.5],
			[1 / Math.log(16), 0.9375],
			[0.01, 1],
		] as const) {
			for (const seed of [0, 42, 0xffffffff]) {
				const counts: number[] = [];
				for (let label = 0; label < n; label++) {
					const level = levelFor(label, { seed, mL });
					counts[level] = (counts[level] ?? 0) + 1;
				}
				let rest = n;
				for (let level = 0; level < 3; level++) {
					// Five standard deviations: the numbers are fixed by the seed, so this holds always or never.
					const tolerance = 5 * Math.sqrt(rest * share * (1 - share));
					const count = counts[level] ?? 0;
					assert.ok(Math.abs(count - rest * share) <= tolerance, `mL ${mL}, level ${level}: ${count} of ${rest}`);
					rest -= count;
				}
			}
		}
	});

	test("depend on seed and label alone, differ between seeds, and stay below the mark of a free place", () => {
		fc.assert(
			fc.property(
				fc.nat(0xfffffffe),
				fc.nat(0xffffffff),
				fc.double({ min: 0.01, max: 10, noNaN: true }),
				(label, seed, mL) => {
					const level = levelFor(label, { seed, mL });
					assert.equal(levelFor(label, { seed, mL }), level);
					assert.ok(Number.isInteger(level) && level >= 0 && level < 255);
					const u = uniform(seed, label);
					assert.ok(u > 0 && u < 1);
				},
			),
		);
		const levels = (seed: number) => Array.from({ length: 200 }, (_, label) => levelFor(label, { seed, mL: 1 }));
		assert.notDeepEqual(levels(1), levels(2));
	});
});
