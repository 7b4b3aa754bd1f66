import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { qpsScale, recallScale } from "./scales.ts";

const WIDE = { from: 100, to: 700 };
const texts = (scale: ReturnType<typeof recallScale>) => scale.ticks.map(({ text }) => text);
const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

describe("recallScale", () => {
	test("gives every tenth of the misses the same room", () => {
		const { at } = recallScale([0.5, 0.999], WIDE);
		close(at(0.99) - at(0.9), at(0.999) - at(0.99));
		close(at(0.95) - at(0.9), at(0.995) - at(0.99));
	});
	test("holds every recall within its span", () => {
		const recalls = [0, 0.3, 0.9, 0.9999, 0.99999, 1];
		const { at } = recallScale(recalls, WIDE);
		for (const recall of recalls) assert.ok(at(recall) > 100 && at(recall) < 700);
	});
	test("ends at 0.9999, and says so only where that is shown", () => {
		const scale = recallScale([0.8, 1], WIDE);
		assert.equal(scale.at(1), scale.at(0.9999));
		assert.equal(texts(scale).at(-1), "≥ 0.9999");
		assert.deepEqual(texts(recallScale([0.8, 0.997], WIDE)), ["0.8", "0.9", "0.95", "0.98", "0.99", "0.995"]);
	});
	test("always shows 0.9 to 0.99", () => {
		assert.deepEqual(texts(recallScale([0.95], WIDE)), ["0.9", "0.95", "0.98", "0.99"]);
	});
});

describe("qpsScale", () => {
	test("gives equal factors equal room, upwards where the span says so", () => {
		const { at } = qpsScale([10, 10_000], { from: 500, to: 100 });
		close(at(100) - at(1_000), at(1_000) - at(10_000));
		assert.ok(at(10) < 500 && at(10_000) > 100 && at(10) > at(10_000));
	});
	test("has ticks of round numbers, more of them where the range is narrow", () => {
		assert.deepEqual(texts(qpsScale([1_000, 5_000], WIDE)), [
			"800",
			"900",
			"1,000",
			"2,000",
			"3,000",
			"4,000",
			"5,000",
			"6,000",
		]);
		assert.deepEqual(texts(qpsScale([10, 1_000], WIDE)), ["10", "20", "50", "100", "200", "500", "1,000"]);
		assert.deepEqual(texts(qpsScale([0.5, 50_000], WIDE)), ["1", "10", "100", "1,000", "10,000"]);
	});
	test("places a single value", () => {
		const { at } = qpsScale([100], WIDE);
		close(at(100), 400);
	});
});
