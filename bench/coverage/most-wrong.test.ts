import assert from "node:assert/strict";
import { test } from "node:test";
import { mostWrong } from "./most-wrong.ts";

/** P(Bin(draws, p) > most), by Pascal's recursion: another way than by terms. */
function beyond(most: number, draws: number, p: number): number {
	let masses = new Float64Array(draws + 1);
	masses[0] = 1;
	for (let n = 1; n <= draws; n++) {
		masses = masses.map((mass, j) => mass * (1 - p) + (j === 0 ? 0 : (masses[j - 1] as number) * p));
	}
	return masses.subarray(most + 1).reduce((sum, mass) => sum + mass, 0);
}

test("131 of 2,000 at 0.05 and 0.001, and the least such number whatever is asked", () => {
	assert.equal(mostWrong(2_000, 0.05, 0.001), 131);
	for (const [draws, delta, alarm] of [
		[2_000, 0.05, 0.001],
		[400, 0.05, 1e-6],
		[300, 0.2, 1e-4],
		[10, 0.5, 0.2],
	] as const) {
		const most = mostWrong(draws, delta, alarm);
		assert.ok(beyond(most, draws, delta) <= alarm);
		assert.ok(beyond(most - 1, draws, delta) > alarm);
	}
	assert.equal(mostWrong(10, 0.05, 1), 0);
});
