import assert from "node:assert/strict";
import { test } from "node:test";
import { chiSquare } from "./chi-square.test-support.ts";
import { randomBelow, randomFrom, shuffle } from "./random.ts";

/** sfc32 once more, of integers that cannot overflow, seeded as it is. */
function* reference(seed: number): Generator<number> {
	const word = (x: bigint) => x & 0xffff_ffffn;
	let state = word(BigInt(seed));
	const mixed = () => {
		state = word(state + 0x9e37_79b9n);
		let z = state ^ (state >> 16n);
		z = word(z * 0x21f0_aaadn);
		z = word((z ^ (z >> 15n)) * 0x735a_2d97n);
		return z ^ (z >> 15n);
	};
	let [a, b, c, counter] = [mixed(), mixed(), mixed(), 1n];
	for (;;) {
		const sum = word(a + b + counter);
		counter = word(counter + 1n);
		a = b ^ (b >> 9n);
		b = word(c + (c << 3n));
		c = word(((c << 21n) | (c >> 11n)) + sum);
		yield Number(sum) / 2 ** 32;
	}
}

test("gives the numbers of sfc32, to the last bit", () => {
	for (const seed of [0, 1, 42, -1, 0xffff_ffff]) {
		const [random, expected] = [randomFrom(seed), reference(seed)];
		for (let i = 0; i < 2_000; i++) assert.equal(random(), expected.next().value);
	}
});

test("fills a hundred bins alike, and neighbouring seeds are unlike", () => {
	const draws = 100_000;
	for (const seed of [1, 2, 3]) {
		const [random, next] = [randomFrom(seed), randomFrom(seed + 1)];
		const bins = new Float64Array(100);
		let product = 0;
		for (let i = 0; i < draws; i++) {
			const u = random();
			bins[Math.floor(100 * u)] = (bins[Math.floor(100 * u)] as number) + 1;
			product += (u - 0.5) * (next() - 0.5);
		}
		assert.ok(chiSquare(bins, draws / 100) < 99 + 5 * Math.sqrt(2 * 99));
		assert.ok(Math.abs(product / draws) < 5 / 12 / Math.sqrt(draws));
	}
});

test("numbers below n are all of them, alike", () => {
	const random = randomFrom(5);
	const bins = new Float64Array(7);
	for (let i = 0; i < 70_000; i++) {
		const drawn = randomBelow(random, 7);
		bins[drawn] = (bins[drawn] as number) + 1;
	}
	assert.ok(chiSquare(bins, 10_000) < 6 + 5 * Math.sqrt(2 * 6));
	assert.equal(
		randomBelow(() => 0, 7),
		0,
	);
	assert.equal(
		randomBelow(() => 1 - 2 ** -32, 7),
		6,
	);
});

test("every order of four is equally likely", () => {
	const random = randomFrom(11);
	const orders = new Map<string, number>();
	for (let i = 0; i < 24_000; i++) {
		const order = shuffle([0, 1, 2, 3], random).join("");
		orders.set(order, (orders.get(order) ?? 0) + 1);
	}
	assert.equal(orders.size, 24);
	assert.ok(chiSquare([...orders.values()], 1_000) < 23 + 5 * Math.sqrt(2 * 23));
});

test("a list is put in order where it stands, and short ones are left", () => {
	const list = [1, 2, 3];
	assert.equal(shuffle(list, randomFrom(1)), list);
	assert.deepEqual(shuffle([], randomFrom(1)), []);
	assert.deepEqual(shuffle(["only"], randomFrom(1)), ["only"]);
});
