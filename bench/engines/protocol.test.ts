import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Job, jobArguments, parseJob } from "./protocol.ts";

const JOB: Job = {
	basePath: "/a folder/base.f32",
	n: 5_000,
	dimensions: 32,
	queriesPath: "queries.f32",
	queryCount: 100,
	metric: "cosine",
	M: 16,
	efConstruction: 200,
	k: 10,
};

test("every job comes back from its arguments", () => {
	const whole = fc.integer({ min: 1, max: 2 ** 31 - 1 });
	const job: fc.Arbitrary<Job> = fc.record(
		{
			basePath: fc.string(),
			n: whole,
			dimensions: whole,
			queriesPath: fc.string(),
			queryCount: whole,
			metric: fc.constantFrom("l2", "cosine"),
			M: whole,
			efConstruction: whole,
			k: whole,
		},
		{ noNullPrototype: true },
	);
	fc.assert(fc.property(job, (given) => assert.deepEqual(parseJob(jobArguments(given)), given)));
});

test("the arguments stand in the order of the usage line", () => {
	const expected = ["/a folder/base.f32", "5000", "32", "queries.f32", "100", "cosine", "16", "200", "10"];
	assert.deepEqual(jobArguments(JOB), expected);
});

test("an argument too few or too many is refused with the usage", () => {
	assert.throws(() => parseJob([]), /^Error: usage: BASE N DIMENSIONS/);
	assert.throws(() => parseJob(jobArguments(JOB).slice(0, -1)), /^Error: usage/);
	assert.throws(() => parseJob([...jobArguments(JOB), "10"]), /^Error: usage/);
});

test("a metric other than l2 and cosine is refused", () => {
	assert.throws(() => parseJob(jobArguments(JOB).with(5, "dot")), /l2\|cosine/);
});

for (const [at, name] of [
	[1, "N"],
	[2, "DIMENSIONS"],
	[4, "COUNT"],
	[6, "M"],
	[7, "EF_CONSTRUCTION"],
	[8, "K"],
] as const) {
	test(`${name} that is no whole number from 1 up is refused by name`, () => {
		for (const word of ["0", "-1", "1.5", "many", ""]) {
			assert.throws(() => parseJob(jobArguments(JOB).with(at, word)), new RegExp(`^Error: ${name} is ${word}: it has`));
		}
	});
}
