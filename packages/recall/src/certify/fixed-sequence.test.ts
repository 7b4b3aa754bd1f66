import assert from "node:assert/strict";
import { test } from "node:test";
import { FixedSequence } from "./fixed-sequence.ts";

const ones = (n: number) => new Array<number>(n).fill(1);

test("rungs pass one after the other, each at the full delta: 83 recalls of 1 at 0.95", () => {
	const sequence = new FixedSequence(3, 0.95, 0.05);
	sequence.advance([ones(82), [], []]);
	assert.deepEqual([sequence.passed, sequence.testing], [[], { rung: 0, seen: 82 }]);
	sequence.advance([ones(83), ones(500), ones(10)]);
	assert.deepEqual([sequence.passed, sequence.testing], [[0, 1], { rung: 2, seen: 10 }]);
	sequence.advance([ones(83), ones(500), ones(83)]);
	assert.deepEqual([sequence.passed, sequence.testing], [[0, 1, 2], undefined]);
	sequence.advance([ones(1_000), ones(1_000), ones(1_000)]);
	assert.deepEqual(sequence.passed, [0, 1, 2]);
});

test("after the first that does not pass nothing is tested, however good it is", () => {
	const sequence = new FixedSequence(3, 0.95, 0.05);
	sequence.advance([ones(100), new Array(5_000).fill(0.94), ones(5_000)]);
	assert.deepEqual([sequence.passed, sequence.testing], [[0], { rung: 1, seen: 5_000 }]);
});

test("what has passed stays so, whatever its later recalls are", () => {
	const sequence = new FixedSequence(1, 0.95, 0.05);
	sequence.advance([[...ones(83), ...new Array(1_000).fill(0)]]);
	assert.deepEqual(sequence.passed, [0]);
});

test("a ladder without rungs has passed", () => {
	const sequence = new FixedSequence(0, 0.95, 0.05);
	sequence.advance([]);
	assert.deepEqual([sequence.passed, sequence.testing], [[], undefined]);
});

test("a rung that answers everything exactly is passed over, and not certified, also where it has recalls later", () => {
	const sequence = new FixedSequence(2, 0.95, 0.05);
	sequence.advance([[], ones(500)], [63, 0]);
	assert.deepEqual([sequence.passed, sequence.testing], [[], { rung: 0, seen: 0 }]);
	sequence.advance([[], ones(500)], [64, 0]);
	assert.deepEqual([sequence.passed, sequence.testing], [[1], undefined]);
	sequence.advance([ones(500), ones(500)], [64, 0]);
	assert.deepEqual(sequence.passed, [1]);
});

test("a rung that answers some exactly is tested by the others", () => {
	const sequence = new FixedSequence(2, 0.95, 0.05);
	sequence.advance([ones(82), ones(500)], [5_000, 0]);
	assert.deepEqual([sequence.passed, sequence.testing], [[], { rung: 0, seen: 82 }]);
	sequence.advance([ones(83), ones(500)], [5_000, 0]);
	assert.deepEqual(sequence.passed, [0, 1]);
});
