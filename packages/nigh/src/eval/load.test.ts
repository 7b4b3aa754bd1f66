import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { writeBvecs, writeFvecs, writeIvecs, writeNpy } from "@nigh/formats";
import { bytesOf, temporaryFolder } from "../temporary-folder.test-support.ts";
import { checkFiles, checkQueries, loadTruth, loadVectors, type Vectors } from "./load.ts";
import type { InputFile } from "./settings.ts";

/** Points on a line, with one dimension. */
function line(...values: number[]): Vectors {
	return { count: values.length, dimensions: 1, values: Float32Array.from(values) };
}

async function truthFile(t: TestContext, width: number, ids: number[]): Promise<InputFile> {
	const folder = temporaryFolder(t, { "truth.ivecs": await bytesOf(writeIvecs(Int32Array.from(ids), width)) });
	return { option: "--truth", path: join(folder, "truth.ivecs"), format: "ivecs" };
}

test("vectors of any type of number become floats, and limit takes the first ones", async (t) => {
	const folder = temporaryFolder(t, {
		"a.bvecs": await bytesOf(writeBvecs(Uint8Array.of(0, 255, 7, 8), 2)),
		"b.npy": await bytesOf(writeNpy(Int8Array.of(-128, 127), 2)),
	});
	const bytes = await loadVectors({ option: "--base", path: join(folder, "a.bvecs"), format: "bvecs" }, 1);
	assert.deepEqual(bytes, { count: 1, dimensions: 2, values: Float32Array.of(0, 255) });
	const signed = await loadVectors({ option: "--base", path: join(folder, "b.npy"), format: "npy" }, undefined);
	assert.deepEqual(signed, { count: 1, dimensions: 2, values: Float32Array.of(-128, 127) });
});

test("a file that is missing, a folder, empty, or broken is refused by its path", async (t) => {
	const whole = await bytesOf(writeFvecs(Float32Array.of(1, 2), 2));
	const folder = temporaryFolder(t, { "empty.fvecs": "", "cut.fvecs": whole.subarray(0, 7) });
	const file = (name: string): InputFile => ({ option: "--base", path: join(folder, name), format: "fvecs" });
	await assert.rejects(checkFiles([file("none.fvecs")]), {
		code: "NOT_FOUND",
		message: /^--base: there is no file .*none\.fvecs\.$/,
	});
	await assert.rejects(checkFiles([file("")]), { code: "INVALID_FILE", message: /is a folder; name a file in it\.$/ });
	await checkFiles([file("cut.fvecs")]);
	await assert.rejects(loadVectors(file("empty.fvecs"), undefined), {
		code: "INVALID_FILE",
		message: /empty\.fvecs holds no vectors\./,
	});
	await assert.rejects(loadVectors(file("cut.fvecs"), undefined), {
		code: "INVALID_FILE",
		message: /cut\.fvecs: fvecs file, row 0/,
	});
});

test("a row that is not finite is refused by its number and the path of its file", async (t) => {
	const folder = temporaryFolder(t, {
		"nan.fvecs": await bytesOf(writeFvecs(Float32Array.of(1, 2, 3, Number.NaN), 2)),
	});
	const file: InputFile = { option: "--query", path: join(folder, "nan.fvecs"), format: "fvecs" };
	await assert.rejects(loadVectors(file, undefined), { code: "INVALID_VECTOR", message: /nan\.fvecs: .*row 1/ });
	assert.equal((await loadVectors(file, 1)).count, 1);
});

test("queries that do not fit the base are refused", () => {
	const two: Vectors = { count: 1, dimensions: 2, values: Float32Array.of(1, 2) };
	assert.throws(() => checkQueries(two, line(1, 2, 3), 1), {
		code: "DIMENSION_MISMATCH",
		message: /queries have 2 dimensions and the base has 1/,
	});
	assert.throws(() => checkQueries(line(1), line(1, 2), 3), {
		code: "INVALID_OPTION",
		message: /--k is 3, but the base has only 2 vectors/,
	});
	assert.deepEqual(checkQueries(line(5, 6), line(1, 2), 2), [Float32Array.of(5), Float32Array.of(6)]);
});

test("a truth that fits is read for the queries there are, and may have more rows and ids", async (t) => {
	const file = await truthFile(t, 3, [0, 1, 2, 2, 1, 0, 7, 7, 7]);
	const truth = await loadTruth(file, { base: line(0, 1, 2), queries: line(0, 2), metric: "l2", k: 2 });
	assert.equal(truth.width, 3);
	assert.deepEqual(Array.from(truth.ids), [0, 1, 2, 2, 1, 0]);
});

test("a truth that cannot belong to base and queries is refused, saying why", async (t) => {
	const base = line(0, 1, 3);
	const queries = line(0, 3);
	const cases: readonly (readonly [width: number, ids: number[], message: RegExp])[] = [
		[2, [0, 1], /it has 1 rows for 2 queries/],
		[1, [0, 2], /its rows have 1 ids, but recall@2 needs 2: choose --k 1/],
		[2, [0, 1, 2, 3], /row 1 names id 3, but the ids of the base are 0 to 2/],
		[2, [0, -1, 2, 1], /row 0 names id -1/],
		[2, [0, 1, 2, 2], /row 1 names id 2 twice/],
		[2, [1, 0, 0, 2], /do not come nearest first under l2: in 100 of 100 steps/],
	];
	for (const [width, ids, message] of cases) {
		const file = await truthFile(t, width, ids);
		await assert.rejects(loadTruth(file, { base, queries, metric: "l2", k: 2 }), { code: "INVALID_FILE", message });
	}
});
