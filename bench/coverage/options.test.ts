import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCoverageOptions } from "./options.ts";

test("names and options are taken as they are given", () => {
	const options = parseCoverageOptions([
		"planted",
		"hnsw",
		"--threads",
		"3",
		"--redraws",
		"50",
		"--out",
		"x.json",
		"--write",
	]);
	assert.deepEqual(
		[options.names, options.threads, options.redraws, options.out, options.write],
		[["planted", "hnsw"], 3, 50, "x.json", true],
	);
	assert.equal(parseCoverageOptions([]).redraws, undefined);
});

test("what is wrong is refused, with what to write instead", () => {
	assert.throws(() => parseCoverageOptions(["--threads", "0"]), /--threads is a whole number from 1 to 64; "0" is not/);
	assert.throws(() => parseCoverageOptions(["--redraws", "1.5"]), /--redraws is a whole number/);
	assert.throws(() => parseCoverageOptions(["--what"]), /usage: npm run coverage:recall/);
});
