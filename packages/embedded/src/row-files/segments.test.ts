import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSegments, checksumsOf, endOf, MOST_SEGMENTS } from "./segments.ts";

const name = (at: number, key = 7) => `${key}-${at.toString(16).padStart(16, "0")}.nigh-rows`;
const GOOD = [
	{ file: name(1), from: 0, rows: 10 },
	{ file: name(2), from: 10, rows: 0 },
	{ file: name(3), from: 10, rows: 5 },
];

test("segments that follow each other from slot 0 are taken, with their known fields alone", () => {
	assert.deepEqual(checkSegments([]), []);
	assert.deepEqual(checkSegments(GOOD), GOOD);
	assert.deepEqual(checkSegments(GOOD, 7), GOOD);
	assert.deepEqual(checkSegments(GOOD.map((segment) => ({ ...segment, folder: "/etc", more: 1 }))), GOOD);
	assert.equal(endOf(GOOD), 15);
	assert.equal(endOf([]), 0);
});

test("everything else is told, and what is wrong with it", () => {
	const [first] = GOOD;
	const long = Array.from({ length: MOST_SEGMENTS + 1 }, (_, at) => ({ file: name(at), from: 0, rows: 0 }));
	const wrong: [unknown, RegExp][] = [
		[undefined, /as segments/],
		[{}, /as segments/],
		[[null], /segments\[0\]; it must be an object/],
		[[GOOD], /segments\[0\]\.file/],
		[[{ ...first, file: 1n }], /1n as segments\[0\]\.file/],
		...[
			"",
			"../x",
			`x/${name(1)}`,
			`${name(1)} `,
			name(1, 0),
			`07-${"0".repeat(16)}.nigh-rows`,
			name(1).toUpperCase(),
		].map((file): [unknown, RegExp] => [
			[{ ...first, file }],
			/segments\[0\]\.file; it must be the name of a row file/,
		]),
		[[{ ...first, from: 1 }], /segments\[0\]\.from; it must be 0/],
		[[first, { ...GOOD[2], from: 9 }], /segments\[1\]\.from; it must be 10/],
		[[first, { ...GOOD[2], from: "10" }], /segments\[1\]\.from; it must be 10/],
		...[-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "1", null, undefined, 2n].map((rows): [unknown, RegExp] => [
			[{ ...first, rows }],
			/segments\[0\]\.rows; it must be a whole number/,
		]),
		[[{ ...first, rows: 2 ** 32 + 1 }], /4294967297 rows/],
		[[first, { ...first, from: 10 }], /two segments of/],
		[[first, { file: name(2, 8), from: 10, rows: 1 }], /must be of collection 7/],
		[long, /has 1025 segments; 1024/],
	];
	for (const [value, message] of wrong) {
		const problem = checkSegments(value);
		assert.ok(typeof problem === "string", String(message));
		assert.match(problem, message);
	}
	assert.match(String(checkSegments(GOOD, 8)), /must be of collection 8/);
});

test("a segment has a checksum for each MiB of its rows that was begun", () => {
	const counts = [0, 1, 2_048, 2_049, 4_096].map((rows) => checksumsOf({ rows }, 512));
	assert.deepEqual(counts, [0, 1, 1, 2, 2]);
});
