import assert from "node:assert/strict";
import { test } from "node:test";
import { FLOORS } from "./floors.ts";

test("no package may import one on a higher floor, nor one that is built after it", () => {
	const names = Object.keys(FLOORS);
	for (const [name, { floor, mayImport }] of Object.entries(FLOORS)) {
		for (const lower of mayImport) {
			assert.ok((FLOORS[lower]?.floor ?? 6) <= floor, `${name} -> ${lower}`);
			assert.ok(names.indexOf(lower) < names.indexOf(name), `${name} -> ${lower}`);
		}
	}
});

test("a pure package may only import pure ones", () => {
	for (const [name, { pure, mayImport }] of Object.entries(FLOORS)) {
		if (pure) for (const lower of mayImport) assert.ok(FLOORS[lower]?.pure, `${name} -> ${lower}`);
	}
});
