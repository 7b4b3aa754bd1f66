// The database against a model, a `Map` with an exact scan: plans of random steps, which fast-check shortens where one fails.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { Driver } from "./model/driver.ts";
import { plans } from "./model/steps.ts";

const PLANS = 200;
/** Lengths are even up to twice that: 100 steps a plan in the middle. */
const STEPS = 200;

test(`${PLANS} plans of ${STEPS / 2} steps on average give what the model gives`, async () => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-model-"));
	const driver = new Driver(folder);
	try {
		const property = fc.asyncProperty(plans(STEPS), ({ kind, steps }) => driver.run(kind, steps));
		await fc.assert(property, { numRuns: PLANS });
		assert.ok(driver.steps > (PLANS * STEPS) / 4, `${driver.steps} steps were taken`);
	} finally {
		await driver.close();
		rmSync(folder, { recursive: true });
	}
});
