import assert from "node:assert/strict";
import { test } from "node:test";
import { randomFrom } from "@nigh/recall";
import type { RecallMatrix } from "./matrix.ts";
import { type Audits, SHIFTS, type ShiftName, toBeHeardWithin, unshifted } from "./shifts.ts";

const random = randomFrom(2);
const pool = 5_000;
/** The last part of a pool of five has harder queries. */
const groups = Uint8Array.from({ length: pool }, (_, query) => query % 5);
const rungOf = (missing: number) =>
	Uint8Array.from(groups, (group) => {
		let hits = 10;
		for (let i = 0; i < 10; i++) if (random() < (group === 4 ? 3 : 0.5) * missing) hits--;
		return hits;
	});
const matrix: RecallMatrix = {
	k: 10,
	rungs: ["a", "b"],
	hits: [rungOf(0.05), rungOf(0.15)],
	costs: [2, 1],
	exactCost: 10,
};

function meanOf(audits: Audits): number {
	let sum = 0;
	for (let i = 0; i < 100_000; i++) {
		const recall = audits(random);
		assert.ok(recall >= 0 && recall <= 1);
		sum += recall;
	}
	return sum / 100_000;
}

test("unshifted audits have the mean of the rung, and each drop brings it to its goal", () => {
	assert.ok(Math.abs(meanOf(unshifted(matrix, 0)) - 0.95) < 0.01);
	for (const shift of Object.keys(SHIFTS) as ShiftName[]) {
		const audits = SHIFTS[shift](matrix, groups, 0, 0.9);
		assert.ok(audits !== undefined, shift);
		// Recalls spread by less than 0.3: five standard deviations.
		assert.ok(Math.abs(meanOf(audits) - 0.9) < (5 * 0.3) / Math.sqrt(100_000), shift);
	}
});

test("what the matrix cannot show is not made up", () => {
	const flat: RecallMatrix = { ...matrix, hits: [new Uint8Array(pool).fill(10), new Uint8Array(pool).fill(10)] };
	assert.equal(SHIFTS["a mass insert"](flat, groups, 0, 0.9), undefined);
	assert.equal(SHIFTS["a mass insert into half of the parts"](flat, groups, 0, 0.9), undefined);
	assert.equal(SHIFTS["queries from another cluster"](flat, groups, 0, 0.9), undefined);
});

/** A ladder whose parts can be told by their hits: the first rung finds 10 everywhere, the second as many as the number of the part. */
const told: RecallMatrix = {
	...matrix,
	hits: [new Uint8Array(pool).fill(10), groups],
};

test("a mass insert into half of the parts changes three parts of five, and no query of the others", () => {
	const seen = new Map<number, number>();
	const drawn = SHIFTS["a mass insert into half of the parts"](told, groups, 0, 0.7) as Audits;
	for (let i = 0; i < 20_000; i++) {
		const hits = Math.round(10 * drawn(random));
		seen.set(hits, (seen.get(hits) ?? 0) + 1);
	}
	assert.equal([...seen.keys()].filter((hits) => hits < 10).length, 3);
	assert.ok((seen.get(10) as number) > 20_000 * 0.4 - 500);
});

test("queries that find nothing find nothing, and the others what they did", () => {
	const audits = SHIFTS["queries that find nothing"](told, groups, 0, 0.9) as Audits;
	const seen = new Set(Array.from({ length: 1_000 }, () => audits(random)));
	assert.deepEqual(seen, new Set([1, 0]));
});

test("each drop is to be heard within 100 audits, but for one that none can", () => {
	for (const shift of Object.keys(SHIFTS) as ShiftName[])
		assert.equal(toBeHeardWithin(shift), shift === "queries that find nothing" ? 5_000 : 100);
});
