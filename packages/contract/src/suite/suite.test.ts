import assert from "node:assert/strict";
import { test } from "node:test";
import { contractSuite } from "./index.ts";
import { FULL, LEAST, openReference } from "./reference.test-support.ts";
import { SABOTAGES } from "./sabotage.test-support.ts";
import { type Sabotage, spoilCollections } from "./spoil.test-support.ts";

for (const capabilities of [FULL, LEAST]) {
	contractSuite({
		test: (name, run) => test(`${capabilities.backend}: ${name}`, run),
		assert,
		// Spoilt in nothing, which shows that what the sabotages are laid over stands in nobody's way.
		open: async (options) => spoilCollections(await openReference(options, capabilities), () => ({})),
	});
}

type Run = () => Promise<void>;

/** The tests of one part of the suite. */
function testsOf(part: string, open: Sabotage["open"]): Run[] {
	const tests: [name: string, run: Run][] = [];
	contractSuite({ test: (name, run) => tests.push([name, run]), assert, open });
	return tests.filter(([name]) => name.startsWith(`${part}: `)).map(([, run]) => run);
}

/** Whether an assertion of the suite fails. Any other failure would be a mistake in the sabotage. */
async function fails(run: Run): Promise<boolean> {
	try {
		await run();
		return false;
	} catch (error) {
		if (error instanceof assert.AssertionError) return true;
		throw error;
	}
}

async function oneFails(tests: readonly Run[]): Promise<boolean> {
	for (const run of tests) if (await fails(run)) return true;
	return false;
}

for (const { what, foundBy, open } of SABOTAGES) {
	test(`the suite finds a back end in which ${what}`, async () => {
		const tests = testsOf(foundBy, open);
		assert.ok(tests.length > 0, `the suite has no part "${foundBy}"`);
		assert.ok(await oneFails(tests), `no test of "${foundBy}" fails`);
	});
}

test("every part of the suite is shown to be able to fail", () => {
	const parts = new Set<string>();
	contractSuite({ test: (name) => parts.add(name.split(": ")[0] as string), assert, open: () => openReference() });
	const shown = new Set(SABOTAGES.map(({ foundBy }) => foundBy));
	assert.deepEqual(
		[...parts].filter((part) => !shown.has(part)),
		[],
	);
});
