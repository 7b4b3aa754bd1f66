import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { assertNear } from "../near.test-support.ts";
import { randomFrom } from "../random.ts";
import { ALARM_AT, DETECTOR_BETS, Detector } from "./detector.ts";

const recalls = fc.array(
	fc.integer({ min: 0, max: 10 }).map((hits) => hits / 10),
	{ maxLength: 200 },
);

/** The average R by adding up, for each bet, the products from every audit on that a change may have begun at. */
function evidence(list: readonly number[], target: number): number {
	let sum = 0;
	for (const c of DETECTOR_BETS) {
		for (let from = 0; from < list.length; from++) {
			sum += list.slice(from).reduce((product, x) => product * (1 - (c / (1 - target)) * (x - target)), 1);
		}
	}
	return sum / DETECTOR_BETS.length;
}

test("its evidence is the sum of the bets begun at every audit, and it alarms at 10,000", () => {
	fc.assert(
		fc.property(recalls, fc.constantFrom(0.5, 0.9, 0.95, 0.999), (list, target) => {
			const detector = new Detector(target);
			let alarmedAt = 0;
			for (const [i, recall] of list.entries()) {
				const expected = evidence(list.slice(0, i + 1), target);
				const alarmed = detector.add(recall);
				assertNear(detector.evidence, Math.min(expected, 1e300), 1e-9);
				if (alarmedAt === 0 && detector.evidence >= ALARM_AT) alarmedAt = i + 1;
				assert.equal(alarmed, alarmedAt > 0);
				assert.equal(detector.alarmedAt, alarmedAt);
				// Numbers beyond differ in what is left of them by rounding.
				if (expected > 1e280) return;
			}
			assert.equal(detector.size, list.length);
		}),
		{ numRuns: 40 },
	);
});

test("recalls of 0.9 at the target 0.95 alarm at the 29th audit, as the comment tells", () => {
	const detector = new Detector(0.95);
	for (let i = 1; i <= 40; i++) assert.equal(detector.add(0.9), i >= 29, `${i}`);
	assert.equal(detector.alarmedAt, 29);
	const boldest = Array.from({ length: 29 }, (_, i) => 1.4 ** (i + 1)).reduce((sum, each) => sum + each, 0);
	assertNear(boldest, 60_500, 1e-3);
});

test("at the target the evidence is on average the number of audits: added up over all sequences of 12", () => {
	for (const target of [0.5, 0.9, 0.99]) {
		let mean = 0;
		for (let bits = 0; bits < 1 << 12; bits++) {
			const detector = new Detector(target);
			let probability = 1;
			for (let i = 0; i < 12; i++) {
				const hit = (bits >> i) & 1;
				detector.add(hit);
				probability *= hit === 1 ? target : 1 - target;
			}
			mean += probability * detector.evidence;
		}
		assertNear(mean, 12, 1e-9);
	}
});

test("a mean above the target takes evidence away: 20,000 audits of 0.98 at 0.95 are silent, and 0.9 then is heard", () => {
	const [random, detector] = [randomFrom(3), new Detector(0.95)];
	for (let i = 0; i < 20_000; i++) detector.add(random() < 0.98 ? 1 : 0);
	assert.equal(detector.alarmed, false);
	for (let i = 0; i < 500 && !detector.alarmed; i++) detector.add(random() < 0.8 ? 1 : 0);
	assert.ok(detector.alarmed);
});

describe("its state", () => {
	test("goes through JSON at any time, and what goes on from it is the same to the last bit", () => {
		fc.assert(
			fc.property(recalls, fc.nat(200), (list, stop) => {
				const whole = new Detector(0.95);
				for (const recall of list) whole.add(recall);
				let parted: Detector | undefined = new Detector(0.95);
				for (const recall of list.slice(0, stop)) parted.add(recall);
				parted = Detector.from(0.95, JSON.parse(JSON.stringify(parted.state)));
				for (const recall of list.slice(stop)) parted?.add(recall);
				assert.deepEqual(parted?.state, whole.state);
			}),
		);
	});

	test("stays one after any number of audits that found nothing", () => {
		const detector = new Detector(0.999);
		for (let i = 0; i < 1_000; i++) detector.add(0);
		const again = Detector.from(0.999, JSON.parse(JSON.stringify(detector.state)));
		assert.ok(Number.isFinite(detector.evidence));
		assert.deepEqual(again?.state, detector.state);
		assert.equal(again?.alarmed, true);
	});

	test("that cannot be one is refused", () => {
		const { state } = new Detector(0.95);
		assert.ok(Detector.from(0.95, state));
		for (const wrong of [
			{ sums: [0, 0, 0, 0] },
			{ sums: [0, 0, 0, 0, -1] },
			{ sums: [0, 0, 0, 0, null] },
			{ sums: [0, 0, 0, 0, Number.POSITIVE_INFINITY] },
			{ sums: [0, 0, 0, 0, Number.NaN] },
			{ sums: "00000" },
			{ size: -1 },
			{ size: 1.5 },
			{ alarmedAt: 1 },
			{ alarmedAt: -1 },
		]) {
			assert.equal(Detector.from(0.95, { ...state, ...(wrong as object) }), undefined, JSON.stringify(wrong));
		}
	});
});

test("what is no recall is refused, and changes nothing: a NaN would silence it for good", () => {
	const detector = new Detector(0.95);
	detector.add(0.9);
	const before = detector.state;
	for (const wrong of [Number.NaN, -0.1, 1.1]) assert.throws(() => detector.add(wrong), RangeError);
	assert.deepEqual(detector.state, before);
});
