import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNDS, type Bound } from "./bounds.ts";
import type { NighError } from "./errors.ts";
import { checkBound, checkInteger, checkOptions, isWithin } from "./options.ts";

function refusal(call: () => unknown): NighError {
	try {
		call();
	} catch (error) {
		return error as NighError;
	}
	return assert.fail("it was not refused");
}

test("every bound takes its ends and its default, and refuses what is beyond", () => {
	for (const [name, bound] of Object.entries<Bound>(BOUNDS)) {
		assert.ok(bound.min <= bound.max, name);
		const step = bound.multipleOf ?? 1;
		for (const value of [bound.min, bound.max]) assert.equal(checkBound(name, value, bound), value);
		if (bound.default !== undefined) assert.equal(checkBound(name, bound.default, bound), bound.default);
		const beyond = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
		if (Math.abs(bound.min) <= Number.MAX_SAFE_INTEGER) beyond.push(bound.min - step);
		if (bound.max < Number.MAX_SAFE_INTEGER) beyond.push(bound.max + step);
		for (const value of beyond) assert.equal(isWithin(value, bound), false, `${name}: ${value}`);
	}
});

test("the numbers of the contract", () => {
	assert.deepEqual([BOUNDS.k.min, BOUNDS.k.max, BOUNDS.k.default, BOUNDS.k.exactAbove], [1, 10_000, 10, 4_000]);
	assert.deepEqual([BOUNDS.dimensions.min, BOUNDS.dimensions.max], [1, 16_384]);
	assert.deepEqual([BOUNDS.bits.min, BOUNDS.bits.max, BOUNDS.bits.multipleOf], [8, 131_072, 8]);
	assert.deepEqual([BOUNDS.idBytes.max, BOUNDS.filterDepth.max, BOUNDS.inValues.max], [512, 32, 10_000]);
	assert.deepEqual([BOUNDS.rrfK.default, BOUNDS.label.max, BOUNDS.vectorNorm.max], [60, 4_294_967_294, 2 ** 62]);
});

test("two vectors of the largest norm have a squared distance that float32 holds", () => {
	assert.ok(Number.isFinite(Math.fround((2 * BOUNDS.vectorNorm.max) ** 2)));
});

test("a refusal names the field, the value, the bound and the default", () => {
	const error = refusal(() => checkBound("k", 0, BOUNDS.k));
	assert.equal(error.code, "INVALID_OPTION");
	assert.equal(error.message, "k is 0; it must be a whole number from 1 to 10,000 (default 10).");
	assert.deepEqual(error.details, { field: "k", value: 0, bound: BOUNDS.k });
	assert.match(refusal(() => checkBound("bits", 12, BOUNDS.bits)).message, /a multiple of 8 from 8 to 131,072 bits/);
	assert.match(refusal(() => checkBound("recall", 2, BOUNDS.recall)).message, /from 0\.5 to 1 \(default 0\.95\)/);
	assert.match(
		refusal(() => checkBound("minScore", Number.NaN, BOUNDS.minScore)).message,
		/is NaN; it must be a finite number\./,
	);
});

test("values of other types are refused, even those that look like numbers", () => {
	for (const value of ["10", 10n, null, undefined, [10], new Date(10), {}]) {
		assert.equal(refusal(() => checkBound("k", value, BOUNDS.k)).code, "INVALID_OPTION");
	}
});

test("checkInteger refuses fractions that the bound alone would take", () => {
	const bound = { min: 5, max: 10 };
	assert.equal(checkBound("ef", 7.5, bound), 7.5);
	assert.equal(checkInteger("ef", 7, bound), 7);
	assert.equal(
		refusal(() => checkInteger("ef", 7.5, bound)).message,
		"ef is 7.5; it must be a whole number from 5 to 10.",
	);
});

test("known options pass, whether given, undefined or left out", () => {
	checkOptions(undefined, ["k"], "search");
	checkOptions({}, ["k"], "search");
	checkOptions({ k: 1, filter: undefined }, ["k", "filter"], "search");
});

test("an unknown option is refused with the nearest known one", () => {
	const error = refusal(() => checkOptions({ k: 1, fliter: {} }, ["k", "filter"], "search"));
	assert.equal(error.code, "INVALID_OPTION");
	assert.equal(error.message, 'search has no option "fliter". Did you mean filter? Its options are k, filter.');
	assert.deepEqual(error.details, { field: "fliter", where: "search", nearest: "filter" });
});

test("an unknown option is refused where nothing is near, where it is undefined, and where there are no options", () => {
	const far = refusal(() => checkOptions({ colour: undefined }, ["k", "filter"], "search"));
	assert.equal(far.message, 'search has no option "colour". Its options are k, filter.');
	assert.equal(
		refusal(() => checkOptions({ a: 1 }, [], "close")).message,
		'close has no option "a". It has no options.',
	);
});

test("options that are not an object are refused", () => {
	for (const options of [null, 10, "k", [], () => 1]) {
		assert.equal(refusal(() => checkOptions(options, ["k"], "search")).code, "INVALID_OPTION");
	}
});
