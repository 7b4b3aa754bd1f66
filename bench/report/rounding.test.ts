import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cut, lessIsBetter, moreIsBetter, raise, recallText } from "./rounding.ts";

describe("cut and raise", () => {
	test("keep what needs no rounding, though doubles cannot hold it", () => {
		for (const value of [0.5804, 0.29, 0.57, 1.15, 0.9999, 8.7]) {
			assert.equal(cut(value, 4), value);
			assert.equal(raise(value, 4), value);
		}
	});
	test("never pass the value, and come within one step of it", () => {
		fc.assert(
			fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 4 }), (value, decimals) => {
				const [step, slack] = [10 ** -decimals, 1e-11 * (1 + value)];
				assert.ok(cut(value, decimals) <= value + slack && cut(value, decimals) > value - step - slack);
				assert.ok(raise(value, decimals) >= value - slack && raise(value, decimals) < value + step + slack);
			}),
		);
	});
});

describe("recallText", () => {
	test("only 1 reads 1.0000", () => {
		assert.equal(recallText(1), "1.0000");
		assert.equal(recallText(0.99999), "0.9999");
		assert.equal(recallText(0.9), "0.9000");
	});
	test("gives back every share of 10,000", () => {
		for (let i = 0; i <= 10_000; i++) assert.equal(Number(recallText(i / 10_000)), i / 10_000);
	});
});

describe("rounding against Nigh", () => {
	test("more is better: down for Nigh, up for a peer", () => {
		assert.equal(moreIsBetter("nigh", 12_345.9), "12,345");
		assert.equal(moreIsBetter("other", 12_345.1), "12,346");
		assert.equal(moreIsBetter("nigh", 12.39), "12.3");
		assert.equal(moreIsBetter("nigh-ivf", 12.39), "12.3");
		assert.equal(moreIsBetter("nighest", 12.31), "12.4");
		assert.equal(moreIsBetter("other", 12.31), "12.4");
	});
	test("less is better: up for Nigh, down for a peer", () => {
		assert.equal(lessIsBetter("nigh", 1.231, 2), "1.24");
		assert.equal(lessIsBetter("other", 1.239, 2), "1.23");
	});
});
