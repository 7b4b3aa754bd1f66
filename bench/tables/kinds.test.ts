import assert from "node:assert/strict";
import { test } from "node:test";
import { CONTENDERS } from "./built-kind.ts";
import { type KindRow, kinds } from "./kinds.ts";

test("every kind is measured over every set there is, flat is exact, and settings that are shown have the recall", async () => {
	const { rows, markdown, checks } = await kinds({ scale: 0.01, data: "", onStep() {} }, [
		{ set: "fashion-mnist-784", n: 60_000, dimensions: 784 },
		{ set: "generated", n: 100_000, dimensions: 64 },
		{ set: "uniform", n: 60_000, dimensions: 16, profiles: true },
	]);
	const measured = rows.filter((row): row is KindRow => "usual" in row);
	assert.deepEqual([...new Set(measured.map(({ set }) => set))], ["generated-1000x64", "uniform-600x16"]);
	assert.equal(measured.length, 2 * Object.keys(CONTENDERS).length);
	for (const { name, codeBytes, indexBytes, totalBytes, usual, at95, at99 } of measured) {
		assert.ok(codeBytes < indexBytes && indexBytes < totalBytes, name);
		for (const point of [usual, at95, at99]) if (point !== undefined) assert.ok(point.qps > 0 && point.recall <= 1);
		// Asked again, an index answers the same.
		if (at95 !== undefined) assert.ok(at95.recall >= 0.95, name);
		if (at99 !== undefined) assert.ok(at99.recall >= 0.99, name);
		if (name === "flat") assert.equal(usual.recall, 1);
	}
	assert.match(markdown, /fashion-mnist-784 is left out/);
	assert.match(markdown, /^\| ivfpq, memory \(M 8\) \|/m);
	assert.match(markdown, /^### Profiles over uniform-600x16$/m);
	const memory = checks.filter(({ promise }) => promise.includes("estimate of memory"));
	assert.deepEqual(
		memory.map(({ holds }) => holds),
		[true, true],
	);
	assert.ok(checks.some(({ promise }) => promise.startsWith("C-7")));
});
