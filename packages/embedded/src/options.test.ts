import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { checkFlag, type OpenOptions, settingsOf } from "./options.ts";

test("what is left out has its default", () => {
	assert.deepEqual(settingsOf({}, false), {
		readOnly: false,
		create: true,
		durability: "full",
		threads: Math.max(1, availableParallelism() - 1),
		pruneEveryMs: 60_000,
		now: Date.now,
	});
	assert.equal(settingsOf({ readOnly: true }, false).create, false);
});

test("what is said is taken as it is; a database in memory waits for no disk", () => {
	const now = () => 5;
	const given = { readOnly: false, create: false, durability: "normal", threads: 3, pruneEveryMs: 0, now } as const;
	const { now: clock, ...settings } = settingsOf(given, false);
	const { now: _, ...others } = given;
	assert.deepEqual([settings, clock()], [others, 5]);
	assert.equal(settingsOf(given, true).durability, "off");
});

for (const [field, value] of [
	["readOnly", "yes"],
	["create", 1],
	["durability", "off"],
	["threads", 0],
	["threads", 65],
	["threads", 1.5],
	["pruneEveryMs", -1],
	["pruneEveryMs", 2 ** 31],
	["now", 1_700_000_000_000],
	["thread", 2],
] as const) {
	test(`${field}: ${JSON.stringify(value)} is refused, and named`, () => {
		assert.throws(
			() => settingsOf({ [field]: value } as OpenOptions, false),
			(error) => {
				assert.ok(isNighError(error, "INVALID_OPTION"));
				assert.equal(error.details.field, field);
				return true;
			},
		);
	});
}

test("a clock tells whole milliseconds; one that tells no time is refused, whenever it does", () => {
	let time: unknown = 1.9;
	const { now } = settingsOf({ now: () => time as number }, false);
	assert.equal(now(), 1);
	time = -0.5;
	assert.equal(now(), -1);
	for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, 9e15, "5", 5n, undefined, null, {}]) {
		time = wrong;
		assert.throws(now, { code: "INVALID_OPTION", message: /^now must be/ });
		assert.throws(() => settingsOf({ now: () => wrong as number }, false), { code: "INVALID_OPTION" });
	}
});

test("a database in memory cannot be opened for reading only: it would be empty", () => {
	assert.throws(() => settingsOf({ readOnly: true }, true), { code: "INVALID_OPTION", message: /readOnly/ });
});

test("a flag is true, false or left out", () => {
	for (const value of [true, false, undefined]) checkFlag("x", value);
	for (const value of [null, 0, "true", {}]) {
		assert.throws(() => checkFlag("x", value), { code: "INVALID_OPTION", message: /^x is .*true or false/ });
	}
});
