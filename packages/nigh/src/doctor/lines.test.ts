import assert from "node:assert/strict";
import { test } from "node:test";
import type { Examination, ExaminedSetting } from "./examination.ts";
import { certifyAdvice, examinationLines, verdictText } from "./lines.ts";

const setting = (ef: number, more: Partial<ExaminedSetting>): ExaminedSetting => ({
	setting: { ef },
	queries: 800,
	mean: 0.97,
	lowerBound: 0.96,
	answeredExactly: 0,
	queriesPerSecond: 1_234.5,
	outcome: "passes",
	queriesNeeded: null,
	...more,
});

const KEPT: Examination = {
	verdict: "kept",
	exactBecause: null,
	index: { kind: "hnsw", parameters: { asked: "auto", M: 16 } },
	searchWidth: true,
	k: 10,
	target: 0.95,
	confidence: 0.95,
	seed: 7,
	queries: { given: 1_200, notDrawn: 150, withoutMatch: 50, pilot: 200, measured: 800, equalToStored: 0, timed: 100 },
	ladder: 5,
	isWidest: true,
	settings: [
		setting(40, { queries: 90, mean: 0.9999, lowerBound: 0.93 }),
		setting(37, {}),
		setting(34, { mean: 0.953, lowerBound: 0.94, outcome: "undecided", queriesNeeded: 4_321 }),
	],
	cheapest: 1,
	byDefault: setting(0, { setting: {}, outcome: "fails", mean: 0.9 }),
	below: { floor: 0.85, queries: 12, of: 800, upperBound: 0.0312 },
	exactQueriesPerSecond: 99,
	changeNumbers: { first: 3, last: 3 },
};

test("a line for each setting, the cheapest marked, and what it means", () => {
	const lines = examinationLines("notes", KEPT);
	const remark = lines.splice(2, 4);
	assert.equal(remark[0], "");
	assert.match(remark.join(" "), /all 5 settings together.* beside a lower bound that is below the target\./);
	assert.match(remark.join(" "), /the best of 3 passes, which the settings make in turns\.$/);
	const alone = examinationLines("notes", { ...KEPT, ladder: 1 })
		.slice(2, 6)
		.join(" ");
	assert.match(alone, /^ The lower bound is wide where/);
	assert.deepEqual(lines.slice(0, 11), [
		"notes: recall@10 of 0.95 at 95 % confidence, index hnsw (auto) M=16",
		"1,200 queries, 1,050 drawn, 50 without a match left out, 200 to choose the settings, 800 to measure them; order of seed 7",
		"",
		"setting     queries  recall@10  lower bound  queries/s  target",
		"exact                   1.0000                      99",
		"ef=40            90     0.9999       0.9300      1,235  passes",
		"ef=37           800     0.9700       0.9600      1,235  passes  <- the cheapest that does",
		"ef=34           800     0.9530       0.9400      1,235  cannot be told",
		"2 cheaper settings were not measured: the first that does not pass ends the test.",
		"",
		"by default      800     0.9000       0.9600      1,235  fails",
	]);
	const [verdict, next, below, byDefault, ...more] = lines.slice(12);
	assert.equal(
		verdict,
		"ef=37 is the cheapest that keeps recall@10 of at least 0.95 (95 % confidence; mean 0.9700 over 800 queries).",
	);
	assert.match(next ?? "", /^ef=34 may keep it too; .*: about 4,300 in the file would do, if they are as these\.$/);
	assert.match(
		below ?? "",
		/^It found less than 0\.85 of the answers for 12 of 800 queries; of all, at most 0\.0313 are such/,
	);
	assert.equal(byDefault, "A search that does not say how wide it is to be does not keep 0.95.");
	assert.deepEqual(more, []);
});

test("what nobody should rely on is told: no setting, too few queries, stored vectors, writes meanwhile", () => {
	const [dearest] = KEPT.settings;
	const none = { ...KEPT, cheapest: null, below: null, ladder: 1 };
	const missed: Examination = {
		...none,
		verdict: "missed",
		settings: [{ ...(dearest as ExaminedSetting), outcome: "fails" }],
	};
	assert.equal(
		verdictText(missed),
		"No setting short of exact keeps recall@10 of at least 0.95: ef=40, the dearest, is below it (95 % confidence).",
	);
	assert.equal(
		verdictText({ ...missed, isWidest: false }),
		"ef=40, where the pilot began, is below recall@10 of at least 0.95 (95 % confidence); a wider one may keep it: give more queries.",
	);
	const undecided = (queriesNeeded: number | null, measured = 800): Examination => ({
		...none,
		verdict: "undecided",
		settings: [{ ...(dearest as ExaminedSetting), outcome: "undecided", queriesNeeded, mean: 0.949 }],
		queries: { ...KEPT.queries, measured },
	});
	const few = "Too few queries to tell whether anything short of exact keeps recall@10 of at least 0.95: ";
	assert.equal(verdictText(undecided(1_234)), `${few}about 1,200 in the file would do, if they are as these.`);
	assert.equal(
		verdictText(undecided(110, 40)),
		`${few}about 110 in the file would do, if they are as these; fewer than 83 queries cannot show it, whatever they find.`,
	);
	assert.match(verdictText(undecided(20_000)), /about 20,000 .*, which is more than are taken\.$/);
	const unseen = "is not seen to keep recall@10 of at least 0.95: its mean over 90 queries is";
	assert.equal(
		verdictText(undecided(null)),
		`ef=40, the dearest, ${unseen} 0.9490, below it, though by too little to be sure (95 % confidence).`,
	);
	assert.equal(
		verdictText({ ...undecided(null), isWidest: false }),
		`ef=40, where the pilot began, ${unseen} 0.9490, below it, though by too little to be sure (95 % confidence); a wider one may keep it: give more queries.`,
	);
	assert.equal(
		verdictText({ ...undecided(null), target: 0.949 }),
		`ef=40, the dearest, ${unseen.replace("0.95", "0.949")} 0.9490, too near to it for any number of queries to tell.`,
	);
	const nearly = [setting(40, {}), setting(37, { outcome: "undecided", mean: 0.9436 })];
	assert.ok(
		examinationLines("notes", { ...KEPT, settings: nearly, cheapest: 0 }).includes(
			"ef=37 is not seen to keep it: its mean is 0.9436, below it by too little to be sure.",
		),
	);

	const odd = { ...KEPT, changeNumbers: { first: 3, last: 1_005 }, queries: { ...KEPT.queries, equalToStored: 100 } };
	const told = examinationLines("notes", odd).join("\n");
	assert.match(told, /written to meanwhile: this is of its changes 3 to 1,005\./);
	assert.match(
		told,
		/100 of 1,000 queries are equal to a stored vector\. .*: measure with queries that are not stored\./,
	);
});

test("certify is named where searches by default do not keep what the collection has declared", () => {
	const advice = (declared: number | undefined, more: Partial<Examination> = {}) =>
		certifyAdvice("notes", { ...KEPT, ...more }, declared, { file: "q.fvecs" });
	const told =
		"The collection's recall of 0.95 is not kept: nigh certify notes --query q.fvecs -k 10 has searches keep it.";
	assert.equal(advice(0.95), told);
	const filtered = certifyAdvice("notes", KEPT, 0.95, { file: "my q.fvecs", filter: { by: "O'Neill" } }) ?? "";
	assert.ok(
		filtered.includes(`nigh certify notes --query 'my q.fvecs' -k 10 --filter '{"by":"O'\\''Neill"}' has`),
		filtered,
	);
	for (const declared of [0.93, 0.98, 1]) {
		const target = declared === 0.93 ? 0.94 : 0.95;
		assert.match(advice(declared, { target }) ?? "", new RegExp(`^The collection's recall of ${declared} is not kept`));
	}
	assert.equal(advice(0.9), undefined, "a target above the declared recall says nothing of it");
	assert.equal(advice(undefined), undefined);
	assert.equal(advice(0.95, { byDefault: setting(0, { setting: {}, outcome: "undecided" }) }), undefined);
	assert.equal(advice(0.95, { byDefault: setting(0, { setting: {} }) }), undefined);
});

test("that an exact search takes no longer is told", () => {
	const told = (exactQueriesPerSecond: number) =>
		examinationLines("notes", { ...KEPT, exactQueriesPerSecond }).filter((line) => line.startsWith("Comparing"));
	const nothing = "nothing is gained by searching approximately.";
	assert.deepEqual(told(1_200), [`Comparing everything is about as fast, 1,200 beside 1,235 queries/s: ${nothing}`]);
	assert.deepEqual(told(2_000), [`Comparing everything is faster, 2,000 beside 1,235 queries/s: ${nothing}`]);
	assert.deepEqual(told(1_150), []);
});

test("an exact search, and a back end without widths, are told as that", () => {
	const exact: Examination = {
		...{ ...KEPT, verdict: "exact", exactBecause: "the index is flat" },
		...{ settings: [], cheapest: null, byDefault: null, below: null, ladder: 0 },
	};
	assert.deepEqual(examinationLines("notes", exact).slice(2), [
		"",
		"Every search is exact: the index is flat. Recall@10 is 1.",
		"99 queries/s, the best of 3 passes over 100 queries, one at a time.",
	]);
	const alone = setting(0, { setting: {} });
	const only = { ...KEPT, searchWidth: false, settings: [alone], cheapest: 0, byDefault: alone, ladder: 1 };
	const lines = examinationLines("notes", only);
	assert.equal(lines.filter((line) => line.startsWith("by default ")).length, 2);
	assert.match(lines.join("\n"), /by default is the cheapest that keeps .*\nThis back end takes no widths/);
});
