import assert from "node:assert/strict";
import { test } from "node:test";
import { listTrials, parseTrial } from "./trial.ts";

const HEAD = "Title: wider\nBase: abc1234\nVerdict: no gain,\n and slower to build\n\n";
const DIFF = "diff --git a/x b/x\n--- a/x\n+++ b/x\n";

test("a trial is its head and its diff, continued lines joined", () => {
	assert.deepEqual(parseTrial("wide", HEAD + DIFF), {
		name: "wide",
		title: "wider",
		base: "abc1234",
		verdict: "no gain, and slower to build",
		patch: DIFF,
	});
});

test("a head that lacks a line is refused by the name of the line", () => {
	for (const key of ["Title", "Base", "Verdict"]) {
		const text = HEAD.replace(new RegExp(`^${key}: `, "m"), "Other: ") + DIFF;
		assert.throws(() => parseTrial("wide", text), new RegExp(`wide\\.patch has no line "${key}: `));
	}
	assert.throws(() => parseTrial("wide", DIFF), /no line "Title/);
});

test("every trial of this folder can be read, and one that is not there is refused", () => {
	const trials = listTrials();
	assert.ok(trials.length > 0 && trials.every(({ patch }) => patch.startsWith("diff --git")));
	assert.deepEqual(listTrials([trials[0]?.name as string]), trials.slice(0, 1));
	assert.throws(() => listTrials(["no-such-trial"]), /there is no trial no-such-trial: there are /);
});
