import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { COLLECTIONS, type Collection } from "./collections.ts";
import { matrixPath, readMeasured, writeMeasured } from "./matrix-file.ts";

const matrix = (k: number, rungs: number) => ({
	k,
	rungs: Array.from({ length: rungs }, (_, i) => `rung ${i}`),
	hits: Array.from({ length: rungs }, (_, i) => Uint8Array.of(i, k, 0)),
	costs: Array.from({ length: rungs }, (_, i) => 10.5 - i),
	exactCost: 100,
});

test("matrices are read as they were written, and a file that is cut off is refused", () => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-coverage-"));
	try {
		const path = matrixPath(folder, COLLECTIONS[0] as Collection, 3);
		assert.equal(readMeasured(path), undefined);
		const measured = { matrices: [matrix(10, 3), matrix(1, 0)], groups: Uint8Array.of(2, 0, 1), seconds: 1.5 };
		writeMeasured(path, folder, measured);
		assert.deepEqual(readMeasured(path), measured);
		writeFileSync(path, readFileSync(path).subarray(0, -1));
		assert.throws(() => readMeasured(path), /is cut off/);
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test("no two collections have one name, and what a matrix depends on makes another file", () => {
	assert.equal(new Set(COLLECTIONS.map(({ name }) => name)).size, COLLECTIONS.length);
	assert.ok(COLLECTIONS.length >= 40);
	const first = COLLECTIONS[0] as Collection;
	const paths = [first, { ...first, M: 7 }, { ...first, seed: 1 }, { ...first, ks: [10] }].map((each) =>
		matrixPath("", each, 20_000),
	);
	const others = [matrixPath("", first, 10_000), matrixPath("", first, 20_000, "other sources")];
	assert.equal(new Set([...paths, ...others]).size, 6);
});
