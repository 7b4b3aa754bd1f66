import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seeded } from "./random.ts";

const SEEDS = [0, 1, 2, 42, 0xffffffff];
const N = 100_000;
const many = (draw: () => number) => Float64Array.from({ length: N }, draw);
const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** |value - expected| is below five standard deviations of what is estimated. */
function assertWithin5Sigma(value: number, expected: number, sigma: number): void {
	assert.ok(Math.abs(value - expected) < 5 * sigma, `${value} is ${(value - expected) / sigma} sigma from ${expected}`);
}

/** xoshiro128** and its seeding written once more, with integers that cannot overflow. */
function* reference(seed: number): Generator<number> {
	const mask = 0xffffffffn;
	const mix = (h0: bigint) => {
		let h = h0 & mask;
		h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & mask;
		h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & mask;
		return h ^ (h >> 16n);
	};
	const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (32n - by))) & mask;
	const s = [1n, 2n, 3n, 4n].map((at) => mix(BigInt(seed) + at * 0x9e3779b9n)) as [bigint, bigint, bigint, bigint];
	for (;;) {
		yield Number((rotate((s[1] * 5n) & mask, 7n) * 9n) & mask) / 2 ** 32;
		const t = (s[1] << 9n) & mask;
		s[2] ^= s[0];
		s[3] ^= s[1];
		s[1] ^= s[2];
		s[0] ^= s[3];
		s[2] ^= t;
		s[3] = rotate(s[3], 11n);
	}
}

for (const seed of SEEDS) {
	describe(`seed ${seed}`, () => {
		test("gives the numbers of xoshiro128**, to the last bit", () => {
			const { uniform } = seeded(seed);
			const expected = reference(seed);
			for (let i = 0; i < 1_000; i++) assert.equal(uniform(), expected.next().value);
		});

		test("gives the same numbers again, whichever of the two are drawn", () => {
			const draws = ({ uniform, gaussian }: ReturnType<typeof seeded>) =>
				Array.from({ length: 1_000 }, (_, at) => (at % 3 === 0 ? uniform() : gaussian()));
			assert.deepEqual(draws(seeded(seed)), draws(seeded(seed)));
		});

		test("uniform numbers lie in [0, 1) and fill 100 bins alike", () => {
			const values = many(seeded(seed).uniform);
			assert.ok(values.every((value) => value >= 0 && value < 1));
			assertWithin5Sigma(mean(values), 0.5, Math.sqrt(1 / 12 / N));
			const bins = new Float64Array(100);
			for (const value of values) bins[Math.floor(value * 100)] = (bins[Math.floor(value * 100)] as number) + 1;
			const chiSquare = bins.reduce((sum, count) => sum + (count - N / 100) ** 2 / (N / 100), 0);
			assertWithin5Sigma(chiSquare, 99, Math.sqrt(2 * 99));
		});

		test("neighbouring uniform numbers are uncorrelated", () => {
			const values = many(seeded(seed).uniform);
			let sum = 0;
			for (let i = 1; i < N; i++) sum += ((values[i - 1] as number) - 0.5) * ((values[i] as number) - 0.5);
			assertWithin5Sigma(sum / (N - 1), 0, 1 / 12 / Math.sqrt(N - 1));
		});

		test("gaussian numbers have mean 0, variance 1, no skew, and the tails of a normal distribution", () => {
			const values = many(seeded(seed).gaussian);
			const moment = (power: number) => mean(values.map((value) => value ** power));
			assertWithin5Sigma(moment(1), 0, Math.sqrt(1 / N));
			assertWithin5Sigma(moment(2), 1, Math.sqrt(2 / N));
			assertWithin5Sigma(moment(3), 0, Math.sqrt(15 / N));
			assertWithin5Sigma(moment(4), 3, Math.sqrt(96 / N));
			const beyond2 = values.filter((value) => Math.abs(value) > 2).length / N;
			assertWithin5Sigma(beyond2, 0.0455, Math.sqrt((0.0455 * 0.9545) / N));
		});
	});
}

test("neighbouring seeds give unlike numbers", () => {
	const [a, b] = [many(seeded(1).uniform), many(seeded(2).uniform)];
	const product = mean(a.map((value, at) => (value - 0.5) * ((b[at] as number) - 0.5)));
	assertWithin5Sigma(product, 0, 1 / 12 / Math.sqrt(N));
});
