import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { bettingLowerBound } from "../bounds/betting.ts";
import { RecallCounts } from "../bounds/counts.ts";
import { randomFrom } from "../random.ts";
import { type Ask, Certification } from "./certification.ts";
import { naivePassed } from "./naive.test-support.ts";
import { servingRung } from "./serving-rung.ts";

const TARGETS = [0.8, 0.9, 0.95] as const;

interface Sample {
	readonly matrix: number[][];
	readonly queries: number;
	readonly delta: number;
	readonly targets: readonly number[];
}

/** Ladders of which some rungs pass, the means of which fall, and not always. */
const sample: fc.Arbitrary<Sample> = fc
	.record({
		seed: fc.integer(),
		means: fc.array(fc.double({ min: 0.7, max: 1, noNaN: true }), { maxLength: 6 }),
		queries: fc.integer({ min: 0, max: 500 }),
		delta: fc.constantFrom(0.05, 0.3),
		targets: fc.shuffledSubarray([...TARGETS], { minLength: 1 }),
	})
	.map(({ seed, means, ...rest }) => {
		const random = randomFrom(seed);
		const matrix = means.toSorted((a, b) => b - a).map((mean) => draw(random, mean, rest.queries));
		return { matrix, ...rest };
	});

function draw(random: () => number, mean: number, queries: number): number[] {
	return Array.from({ length: queries }, () => {
		let hits = 0;
		for (let i = 0; i < 10; i++) if (random() < mean) hits++;
		return hits / 10;
	});
}

function begin({ matrix, delta, targets }: Sample): Certification {
	return new Certification({ rungs: matrix.length, targets, delta });
}

/** Answers what is asked, `most` times at most. Returns the asks. */
function run(certification: Certification, { matrix, queries }: Sample, most = Number.POSITIVE_INFINITY): Ask[] {
	const asks: Ask[] = [];
	while (asks.length < most) {
		const ask = certification.next(queries);
		if (ask === undefined) break;
		asks.push(ask);
		certification.record(ask, matrix[ask.rung]?.[ask.query] as number);
	}
	return asks;
}

function assertNaive(certification: Certification, { matrix, queries, delta }: Sample): void {
	for (const target of certification.targets) {
		const { passed } = naivePassed(matrix, queries, target, delta);
		const { rung, testing, queries: measured, estimate, confidence } = certification.certificate(target);
		assert.equal(rung, passed - 1);
		assert.equal(testing, passed === matrix.length ? undefined : passed);
		assert.equal(confidence, 1 - delta);
		const known = certification.recalls[rung] ?? [];
		assert.equal(measured, known.length);
		const mean = rung < 0 ? 1 : known.reduce((sum, each) => sum + each, 0) / known.length;
		assert.ok(Math.abs(estimate - mean) < 1e-12);
	}
}

describe("against a naive one", () => {
	test("certifies the same rungs, and measures just what they need", () => {
		fc.assert(
			fc.property(sample, (given) => {
				const certification = begin(given);
				run(certification, given);
				assertNaive(certification, given);
				for (const [rung, known] of certification.recalls.entries()) {
					const needed = given.targets.map(
						(target) => naivePassed(given.matrix, given.queries, target, given.delta).looked[rung] ?? 0,
					);
					assert.equal(known.length, Math.max(...needed));
					assert.deepEqual(known, given.matrix[rung]?.slice(0, known.length));
				}
			}),
		);
	});

	test("asks for each query of a rung once, in their order", () => {
		fc.assert(
			fc.property(sample, (given) => {
				const next = given.matrix.map(() => 0);
				for (const { rung, query } of run(begin(given), given)) {
					assert.equal(query, next[rung]);
					next[rung] = query + 1;
				}
			}),
		);
	});

	test("with one target asks from the dearest rung down, never back", () => {
		fc.assert(
			fc.property(sample, fc.constantFrom(...TARGETS), (given, target) => {
				const rungs = run(begin({ ...given, targets: [target] }), given).map(({ rung }) => rung);
				assert.deepEqual(
					rungs,
					rungs.toSorted((a, b) => a - b),
				);
			}),
		);
	});

	test("stopped anywhere and gone on from its recalls, it ends alike", () => {
		fc.assert(
			fc.property(sample, fc.nat(1_500), fc.boolean(), (given, stop, resumes) => {
				const { matrix, delta, targets } = given;
				let certification = begin(given);
				run(certification, given, stop);
				if (resumes) {
					const kept = JSON.parse(JSON.stringify(certification.recalls)) as number[][];
					certification = Certification.from({ rungs: matrix.length, delta, targets }, kept);
				}
				run(certification, given);
				assertNaive(certification, given);
			}),
		);
	});

	test("every state on the way certifies what the queries so far do, and more queries take nothing back", () => {
		fc.assert(
			fc.property(sample, fc.array(fc.nat(500), { maxLength: 6 }), (given, looks) => {
				const certification = begin(given);
				let before = -1;
				for (const queries of [...looks.map((look) => Math.min(look, given.queries)), given.queries].sort(
					(a, b) => a - b,
				)) {
					run(certification, { ...given, queries });
					assertNaive(certification, { ...given, queries });
					const { rung } = certification.certificate(given.targets[0] as number);
					assert.ok(rung >= before);
					before = rung;
				}
			}),
		);
	});

	test("targets that are added on the way end as those that were there from the beginning", () => {
		fc.assert(
			fc.property(sample, fc.nat(1_000), (given, stop) => {
				const certification = begin({ ...given, targets: given.targets.slice(0, 1) });
				run(certification, given, stop);
				for (const target of given.targets) certification.addTarget(target);
				assert.deepEqual(certification.targets, given.targets);
				run(certification, given);
				assertNaive(certification, given);
			}),
		);
	});
});

test("a report has a lower bound at delta over the rungs, and none before the first query", () => {
	const certification = new Certification({ rungs: 10, targets: [0.5], delta: 0.05 });
	assert.equal(certification.report(0), undefined);
	certification.record({ rung: 0, query: 0 }, 1);
	certification.record({ rung: 0, query: 1 }, 0.5);
	const counts = RecallCounts.of([1, 0.5]);
	assert.deepEqual(certification.report(0), {
		queries: 2,
		mean: 0.75,
		lowerBound: bettingLowerBound(counts, 0.005),
	});
});

test("nothing certifies: the exact search does, of which nothing was measured", () => {
	const certification = new Certification({ rungs: 2, targets: [0.95], delta: 0.05 });
	run(certification, { matrix: [new Array(50).fill(0), []], queries: 50, delta: 0.05, targets: [] });
	assert.deepEqual(certification.certificate(0.95), {
		target: 0.95,
		rung: -1,
		confidence: 0.95,
		queries: 0,
		estimate: 1,
		testing: 0,
	});
});

test("what a rung answers exactly tells nothing of it: it is tested by the others, and passed over where there are none", () => {
	const certification = new Certification({ rungs: 3, targets: [0.95], delta: 0.05 });
	const half = (n: number) => (n % 2 === 0 ? undefined : 0.9);
	for (let query = 0; query < 400; query++) {
		const rungs = certification.worthwhile;
		const recalls = rungs.map((rung) => (rung === 0 ? undefined : rung === 1 ? 1 : half(query)));
		certification.recordQuery(rungs, recalls);
	}
	// With the exact answers, 0.95 on average, and after the others in the sequence: by itself it is 0.9.
	assert.deepEqual([certification.certified(0.95), certification.certificate(0.95).testing], [[1], 2]);
	assert.ok(Math.abs(certification.meanOf(2) - 0.9) < 1e-9);
	assert.ok((certification.exact[0] as number) >= 64 && (certification.recalls[0] as number[]).length === 0);
	assert.equal(servingRung(certification, 0.95), 1);
	const again = Certification.from(
		{ rungs: 3, targets: [0.95], delta: 0.05 },
		certification.recalls,
		JSON.parse(JSON.stringify(certification.exact)),
	);
	assert.deepEqual(again.certificate(0.95), certification.certificate(0.95));
	assert.deepEqual([again.certified(0.95), again.exact], [[1], certification.exact]);
});

test("a query that is no recall on one rung is taken in on none", () => {
	const certification = new Certification({ rungs: 2, targets: [0.95], delta: 0.05 });
	assert.throws(() => certification.recordQuery([0, 1], [1, Number.NaN]), RangeError);
	assert.deepEqual(certification.recalls, [[], []]);
});

describe("refuses", () => {
	const certification = () => new Certification({ rungs: 2, targets: [0.95], delta: 0.05 });

	test("an answer that is out of turn", () => {
		assert.throws(
			() => certification().record({ rung: 0, query: 1 }, 1),
			/query 1 of rung 0 is out of turn: 0 is next/,
		);
	});

	test("a target that is none of its own", () => {
		assert.throws(() => certification().certificate(0.9), /0.9 is none of the targets/);
	});

	test("what is no recall, measured or kept from before", () => {
		for (const wrong of [Number.NaN, 1.01, -0.01, null]) {
			assert.throws(() => certification().record({ rung: 0, query: 0 }, wrong as number), RangeError);
			const options = { rungs: 2, targets: [0.95], delta: 0.05 };
			assert.throws(() => Certification.from(options, [[1, wrong as number]]), RangeError);
		}
	});
});
