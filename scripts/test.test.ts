import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseFiles, partArguments, withDefaults } from "./test.ts";

test("arguments that are no options choose files, options go to Node together with their values", () => {
	const parted = partArguments(["packages/index", "--test-name-pattern", "recall of", "--test-only", "hnsw"]);
	assert.deepEqual(parted, {
		options: ["--test-name-pattern", "recall of", "--test-only"],
		paths: ["packages/index", "hnsw"],
	});
	assert.deepEqual(partArguments(["--test-name-pattern=x", "y"]), { options: ["--test-name-pattern=x"], paths: ["y"] });
});

test("a test that waits for ever fails after a while; what the options say comes before our choice", () => {
	const ours = withDefaults([]);
	assert.equal(ours.filter((option) => /^--test-timeout=[1-9]\d*$/.test(option)).length, 1);
	assert.deepEqual(
		ours.map((option) => option.replace(/=.*/, "")),
		["--test-concurrency", "--test-timeout", "--test-reporter"],
	);
	const given = ["--test-timeout", "5", "--test-reporter=dot", "--test-only"];
	assert.deepEqual(withDefaults(given), ["--test-concurrency=2", ...given]);
});

test("a file is chosen when one of the parts occurs in its path, and all files when there is no part", () => {
	const files = ["packages/index/src/flat.test.ts", "packages/kernels/src/arena.test.ts"];
	assert.deepEqual(chooseFiles(files, []), files);
	assert.deepEqual(chooseFiles(files, ["./packages/index"]), [files[0]]);
	assert.deepEqual(chooseFiles(files, ["packages\\kernels", "flat"]), files);
	assert.deepEqual(chooseFiles(files, ["formats"]), []);
});
