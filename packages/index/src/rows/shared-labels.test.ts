import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type LabelRange, LabelTable } from "./label-table.ts";
import { extentOf, NO_LABELS, type ReservedLabels, sharedLabels } from "./shared-labels.ts";

function tableOf(labels: Iterable<number>): LabelTable {
	const table = new LabelTable();
	let place = 0;
	for (const label of labels) table.set(label, place++);
	return table;
}

function has({ from, count }: LabelRange, label: number): boolean {
	return label >= from && label < from + count;
}

const label = fc.nat(100_000);
const labels = fc.uniqueArray(label, { maxLength: 20 });
const range = fc.record({ from: label, count: fc.nat(1_000) });

test("readers find all there are and all that are coming, unless the caller has named which", () => {
	const reserved = fc.option(fc.record({ range, vectors: fc.option(fc.nat(50), { nil: undefined }) }), {
		nil: undefined,
	});
	fc.assert(
		fc.property(labels, labels, reserved, (there, coming, asked) => {
			const shared = sharedLabels(tableOf(there), asked, extentOf(coming));
			if (asked !== undefined && asked.vectors === undefined) assert.deepEqual(shared, asked.range);
			else for (const each of [...there, ...coming]) assert.ok(has(shared, each), `${each}`);
		}),
	);
});

test("what was reserved by number stays while it holds all, and is counted anew where it does not", () => {
	const reserved: ReservedLabels = { range: { from: 0, count: 100 }, vectors: 100 };
	assert.deepEqual(sharedLabels(tableOf([0, 99]), reserved, NO_LABELS), reserved.range);
	assert.deepEqual(sharedLabels(tableOf([200, 209]), reserved, NO_LABELS), { from: 200, count: 10 + 98 });
	assert.deepEqual(sharedLabels(tableOf([]), reserved, NO_LABELS), reserved.range);
	assert.deepEqual(sharedLabels(tableOf([]), undefined, NO_LABELS), NO_LABELS);
});

test("the extent of labels is from the smallest to the largest", () => {
	assert.deepEqual(extentOf([]), NO_LABELS);
	assert.deepEqual(extentOf([0]), { from: 0, count: 1 });
	assert.deepEqual(extentOf([0xfffffffe, 7, 9]), { from: 7, count: 0xfffffffe - 6 });
});
