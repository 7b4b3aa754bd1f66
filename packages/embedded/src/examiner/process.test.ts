import assert from "node:assert/strict";
import { test } from "node:test";
import { Certification, randomFrom } from "@nigh/recall";
import fc from "fast-check";
import { LADDER, processFor } from "./process.test-support.ts";
import { Process } from "./process.ts";

test("what is read back has the same certificates, and goes on as the one that was written", () => {
	const random = randomFrom(3);
	const process = processFor(0, [], { targets: [0.8, 0.9] });
	const ask = (each: Process) => {
		const rungs = each.certification.worthwhile;
		each.record(
			rungs,
			rungs.map((rung) => (Math.floor(11 * random() ** (0.1 + rung / 12)) / 10 > 1 ? 1 : 1 - rung / 10)),
			7,
		);
	};
	for (let i = 0; i < 300; i++) ask(process);
	process.given.add("a");
	process.detector(0.9, 10, random).add(0.7);
	const read = Process.from(JSON.parse(JSON.stringify(process.saved)), [0.8, 0.9]);
	assert.deepEqual(read.saved, process.saved);
	for (const target of [0.8, 0.9]) {
		assert.deepEqual(read.certification.certificate(target), process.certification.certificate(target));
	}
	assert.deepEqual(read.certification.worthwhile, process.certification.worthwhile);
	assert.equal(read.isConclusive, process.isConclusive);
});

test("another delta is a test of its own over the same recalls", () => {
	const recalls = fc.array(fc.tuple(...LADDER.map(() => fc.constantFrom(1, 0.9, 0.8, 0.5))), {
		minLength: 1,
		maxLength: 150,
	});
	fc.assert(
		fc.property(recalls, fc.constantFrom(0.2, 0.05, 0.01, 0.0001), (all, delta) => {
			const process = processFor(0, [], { delta: 0.05 });
			for (const each of all) process.record([0, 1, 2, 3], each, 1);
			process.retest(delta);
			const columns = LADDER.map((_, rung) => all.map((each) => each[rung] as number));
			const anew = Certification.from({ rungs: 4, targets: [0.9], delta }, columns);
			assert.deepEqual(process.certification.certificate(0.9), anew.certificate(0.9));
			assert.equal(process.certification.certificate(0.9).confidence, 1 - delta);
			assert.equal(process.asked, all.length);
		}),
		{ numRuns: 50 },
	);
});

test("a process is conclusive after 500 queries, or when nothing more can pass", () => {
	assert.ok(!processFor(0, []).isConclusive);
	assert.ok(!processFor(60, [0.92, 0.91, 0.9, 0.9]).isConclusive);
	assert.ok(processFor(500, [0.92, 0.91, 0.9, 0.9]).isConclusive);
	// Hopeless after 64.
	assert.ok(processFor(64, [0.2, 0.1, 0.1, 0.1]).isConclusive);
	assert.ok(processFor(100, [1, 1, 1, 1]).keepsAll);
	assert.ok(!processFor(100, [1, 1, 1, 1], { targets: [0.9, 0.995] }).keepsAll);
});
