// What was acknowledged survives a kill at any instruction, and nothing is found that was not written: processes that write are killed at
// random moments, while they open, write, fold, save and close. The next one checks what they left, optimizes it, opens it anew and checks
// again. `npm run torture` does it for longer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { killRounds } from "./torture/rounds.ts";

const KILLS = 64;

test(`acknowledged is in recovered is in issued, ${KILLS} kills long`, async () => {
	const seed = Math.floor(Math.random() * 1_000_000);
	const { failures, kills, checks, records } = await killRounds({ kills: KILLS, seed, parallel: 2 });
	assert.deepEqual(failures, [], `seed ${seed}`);
	assert.ok(kills >= KILLS, `${kills} processes were killed`);
	assert.ok(checks >= KILLS && records > 0, `${checks} checks of ${records} records`);
});
