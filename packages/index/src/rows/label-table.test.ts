import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { refusal } from "../refusal.test-support.ts";
import { checkedLabels, checkLabel, LabelTable, labelsFor, MAX_LABEL } from "./label-table.ts";

const LABEL = fc.oneof(
	fc.nat(50),
	fc.nat(40_000),
	fc.integer({ min: MAX_LABEL - 5, max: MAX_LABEL }),
	fc.nat(MAX_LABEL),
);

test("a label table is a map, whichever labels it is given", () => {
	const action = fc.oneof(
		fc.record({ verb: fc.constant("set" as const), label: LABEL, place: fc.nat(1_000) }),
		fc.record({ verb: fc.constant("delete" as const), label: LABEL, place: fc.constant(0) }),
	);
	const room = fc.record({ count: fc.nat(300), end: LABEL });
	fc.assert(
		fc.property(fc.array(action, { maxLength: 300 }), fc.option(room, { nil: undefined }), (actions, reserved) => {
			const table = new LabelTable();
			const model = new Map<number, number>();
			if (reserved !== undefined) table.reserve(reserved.count, reserved.end);
			let next = 0;
			for (const { verb, label, place } of actions) {
				if (verb === "set") {
					table.set(label, place);
					model.set(label, place);
					next = Math.max(next, label + 1);
				} else {
					table.delete(label);
					model.delete(label);
				}
				assert.equal(table.get(label), model.get(label));
				assert.equal(table.size, model.size);
				assert.equal(table.next, next);
			}
			for (const { label } of actions) assert.equal(table.get(label), model.get(label));
			const byLabel = ([a]: [number, number], [b]: [number, number]) => a - b;
			assert.deepEqual([...table.entries()].sort(byLabel), [...model].sort(byLabel));
			assert.deepEqual([...table.labels()].sort(), [...model.keys()].sort());
			const visited: [number, number][] = [];
			table.forEach((label, place) => {
				visited.push([label, place]);
			});
			assert.deepEqual(visited, [...table.entries()]);
			assert.equal(
				table.first,
				model.size === 0 ? undefined : [...model.keys()].reduce((least, label) => Math.min(least, label)),
			);
			table.clear();
			assert.equal(table.size, 0);
			assert.deepEqual([...table.entries()], []);
			assert.equal(table.next, next, "labels are not given out twice");
		}),
	);
});

test("labels that were far off are found after the dense part has grown over them", () => {
	const table = new LabelTable();
	table.set(30_000, 7);
	for (let label = 0; label < 3_000; label++) table.set(label, label);
	table.set(40_000, 8);
	assert.equal(table.get(30_000), 7);
	assert.equal(table.get(40_000), 8);
	assert.equal(table.size, 3_002);
	table.delete(30_000);
	assert.equal(table.get(30_000), undefined);
});

test("one far label does not take memory for all before it", () => {
	const table = new LabelTable();
	for (const label of [0, 5, MAX_LABEL]) table.set(label, 1);
	assert.ok(table.bytes < 100_000, `${table.bytes} bytes`);
});

test("what is no label is in no table", () => {
	const table = new LabelTable();
	for (let label = 0; label < 10; label++) table.set(label, label);
	for (const label of [-1, 0.5, Number.NaN, 2 ** 32 - 1, 2 ** 32, Number.POSITIVE_INFINITY]) {
		assert.equal(table.get(label), undefined);
		table.delete(label);
	}
	assert.equal(table.size, 10);
});

test("labels are those given, or the next ones", () => {
	const table = new LabelTable();
	assert.deepEqual(labelsFor(table, 3, undefined), Uint32Array.of(0, 1, 2));
	table.set(41, 0);
	assert.deepEqual(labelsFor(table, 2, undefined), Uint32Array.of(42, 43));
	const given = Uint32Array.of(9, 3);
	assert.equal(labelsFor(table, 2, given), given);
	assert.deepEqual(labelsFor(table, 0, undefined), new Uint32Array(0));
	table.set(MAX_LABEL - 1, 0);
	assert.deepEqual(labelsFor(table, 1, undefined), Uint32Array.of(MAX_LABEL));
	refusal("INVALID_RECORD", () => labelsFor(table, 2, undefined));
	table.set(MAX_LABEL, 0);
	assert.deepEqual(labelsFor(table, 0, undefined), new Uint32Array(0));
	refusal("INVALID_RECORD", () => labelsFor(table, 1, undefined));
});

test("labels that cannot be are refused with their row", () => {
	const table = new LabelTable();
	const twice = refusal("INVALID_RECORD", () => labelsFor(table, 3, Uint32Array.of(4, 5, 4)));
	assert.deepEqual([twice.details.row, twice.details.value], [2, 4]);
	const beyond = refusal("INVALID_RECORD", () => labelsFor(table, 2, Uint32Array.of(4, MAX_LABEL + 1)));
	assert.deepEqual([beyond.details.row, beyond.details.value], [1, MAX_LABEL + 1]);
	const few = refusal("INVALID_RECORD", () => labelsFor(table, 2, Uint32Array.of(4)));
	assert.deepEqual([few.details.expected, few.details.actual], [2, 1]);
	for (const label of [0, 1, MAX_LABEL]) checkLabel(label);
	for (const label of [-1, 0.5, Number.NaN, MAX_LABEL + 1, "0", undefined, null]) {
		const error = refusal("INVALID_RECORD", () => checkLabel(label as number));
		assert.ok(!error.message.startsWith("row"));
	}
	assert.match(refusal("INVALID_RECORD", () => checkLabel(-1, 6)).message, /^row 6: /);
});

test("labels to remove are a list of labels; a string is none, nor is a label that cannot be", () => {
	assert.deepEqual(checkedLabels(new Set([3, 1])), [3, 1]);
	assert.deepEqual(checkedLabels([]), []);
	for (const labels of ["12", 3, undefined, null, {}, ["a"], [-1], [1.5]]) {
		assert.throws(() => checkedLabels(labels as number[]), { code: "INVALID_RECORD" });
	}
});
