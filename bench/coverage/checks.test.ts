import assert from "node:assert/strict";
import { test } from "node:test";
import { type Check, checksOf, type Results } from "./checks.ts";
import type { Collection } from "./collections.ts";
import { ATTEMPTED, type Attempt, MOST_WRONG_SEEDS } from "./end-to-end.ts";
import { coverageMarkdown } from "./markdown.ts";
import { SHIFTS, type ShiftName } from "./shifts.ts";
import { type CollectionResult, FULL_RUN } from "./task.ts";

const NOTHING: Results = { collections: [], planted: [], power: [], attempts: [] };
const SHIFT_NAMES = Object.keys(SHIFTS) as ShiftName[];

function check(results: Partial<Results>, promise: RegExp): Check {
	const found = checksOf({ ...NOTHING, ...results }).filter((each) => promise.test(each.promise));
	assert.equal(found.length, 1, `${promise}`);
	return found[0] as Check;
}

/** A hundred databases for each target, of which some serve too little and some the exact search. */
function attemptsOf({ wrong = 0, exact = 0, at = 0.95 }): Attempt[] {
	return ATTEMPTED.flatMap((target) =>
		Array.from({ length: 100 }, (_, i): Attempt => {
			if (target === at && i < exact) return { target, state: "exact", setting: "scan", recall: 1, queries: 0 };
			const recall = target === at && i >= 100 - wrong ? target - 1e-9 : target;
			return { target, state: "certified", setting: "index, ef 20", recall, queries: 500 };
		}),
	);
}

test("end to end: more databases below the target than may be fail, at any target", () => {
	const holds = (attempts: Attempt[]) => check({ attempts }, /serve less than the target/).holds;
	assert.ok(holds(attemptsOf({ wrong: MOST_WRONG_SEEDS })));
	for (const at of ATTEMPTED) assert.ok(!holds(attemptsOf({ wrong: MOST_WRONG_SEEDS + 1, at })));
});

test("end to end: always exact is never wrong, and fails", () => {
	const certified = (attempts: Attempt[]) => check({ attempts }, /are certified/);
	assert.ok(certified(attemptsOf({ exact: 10 })).holds);
	for (const at of ATTEMPTED) assert.ok(!certified(attemptsOf({ exact: 11, at })).holds);
	assert.equal(certified(attemptsOf({ exact: 11 })).found, "100.0 % / 89.0 % / 100.0 %");
	const always = attemptsOf({}).map((attempt): Attempt => ({ ...attempt, state: "exact", recall: 1 }));
	assert.ok(check({ attempts: always }, /serve less than the target/).holds);
	assert.ok(!certified(always).holds);
	const provisional = attemptsOf({}).map((attempt): Attempt => ({ ...attempt, state: "provisional" }));
	assert.ok(!certified(provisional).holds);
});

/** A collection of one cell of k 10, of which so many certifications were watched at each target. */
function collectionOf(
	name: string,
	counts: { watched?: number; silent?: number; heard?: number; deafTo?: readonly ShiftName[] } = {},
): CollectionResult {
	const { watched = 100, silent = watched, heard = watched, deafTo = SHIFT_NAMES } = counts;
	return {
		collection: { name, n: 100, dimensions: 8 } as Collection,
		seconds: 1,
		cells: [
			{
				k: 10,
				rungs: 3,
				dearest: "ef 20",
				outcomes: [],
				watched: ATTEMPTED.map((target) => ({
					target,
					watched,
					silent,
					shifts: SHIFT_NAMES.map((shift) => ({
						shift,
						watched,
						heard: deafTo.includes(shift) ? heard : watched,
						delay: watched === 0 ? Number.NaN : 40,
					})),
				})),
			},
		],
	};
}

const SILENCE = /^no alarm in/;
const watchOf = (...collections: CollectionResult[]) => ({ collections });

test("the watch: nine of ten are silent, and hear each drop; fewer fail, of what they are deaf to alone", () => {
	const good = watchOf(collectionOf("a", { silent: 90, heard: 90 }));
	assert.deepEqual(
		checksOf({ ...NOTHING, ...good }).filter(({ holds }) => !holds),
		[],
	);
	assert.ok(!check(watchOf(collectionOf("a", { silent: 89 })), SILENCE).holds);
	for (const shift of SHIFT_NAMES) {
		const failed: Check[] = checksOf({
			...NOTHING,
			...watchOf(collectionOf("a", { heard: 89, deafTo: [shift] })),
		}).filter(({ holds }) => !holds);
		assert.equal(failed.length, 1);
		assert.ok(failed[0]?.promise.startsWith(`${shift}: `));
	}
});

test("the watch: where nothing was watched every check of it is there, and fails", () => {
	const nothing = checksOf({ ...NOTHING, ...watchOf(collectionOf("a", { watched: 0 })) });
	assert.equal(nothing.length, 1 + SHIFT_NAMES.length);
	for (const { holds, found } of nothing) assert.deepEqual([holds, found], [false, "nothing was watched"]);
	const cell = collectionOf("a").cells[0] as CollectionResult["cells"][number];
	const unseen = { ...collectionOf("a"), cells: [{ ...cell, watched: cell.watched.slice(1) }] };
	assert.match(check(watchOf(unseen), SILENCE).found, /nothing was watched of k 10 at 0.9$/);
});

test("the watch: one deaf collection among many is named, with its share", () => {
	const many = Array.from({ length: 40 }, (_, i) => collectionOf(`collection ${i}`));
	const results = watchOf(...many, collectionOf("deaf", { watched: 20, silent: 5, heard: 3 }));
	for (const each of checksOf({ ...NOTHING, ...results })) assert.ok(each.holds, each.promise);
	assert.match(check(results, SILENCE).found, /the worst collection deaf, k 10 at 0.9: 25.0 % of 20$/);
	assert.match(check(results, /^a mass insert:/).found, /the worst collection deaf, k 10 at 0.9: 15.0 % of 20$/);
	const markdown = coverageMarkdown({
		machine: { name: "m", cores: 2, memoryGB: 4, system: "s", node: "v" } as never,
		size: FULL_RUN,
		results: { ...NOTHING, ...results },
		checks: [],
		command: "c",
		missing: [],
	});
	assert.match(markdown, /99.6 % \(25.0 %\)/);
	assert.match(markdown, /99.5 % \(15.0 %\), 40/);
});
