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
const STEPS = 100;

test(`${PLANS} plans of ${STEPS} steps on average give what the model gives`, async () => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-model-"));
	const driver = new Driver(folder);
	try {
		const property = fc.asyncProperty(plans(2 * STEPS), ({ kind, steps }) => driver.run(kind, steps));
		await fc.assert(property, { numRuns: PLANS });
		// Chance may have made them a little too short.
		while (driver.steps < PLANS * STEPS) await fc.assert(property, { numRuns: 1 });
		assert.ok(driver.plans >= PLANS && driver.steps >= PLANS * STEPS, `${driver.plans} plans, ${driver.steps} steps`);
	} finally {
		await driver.close();
		rmSync(folder, { recursive: true });
	}
});
