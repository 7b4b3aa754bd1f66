import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder, writeFiles } from "../temporary-folder.test-support.ts";
import { kernelSourcesHash, kernelsAreFresh } from "./kernels.mjs";

const SOURCES = {
	"packages/kernels/assembly/index.ts": "export const a = 1;\n",
	"packages/kernels/assembly/graph/search.ts": "export const b = 1;\n",
	"node_modules/assemblyscript/package.json": '{ "version": "0.28.0" }',
	"scripts/build-kernels.ts": "// compile\n",
	"packages/kernels/src/limits.ts": "export const limits = 1;\n",
};
const GENERATED = "packages/kernels/src/generated";
const OUTPUTS = ["nigh-simd", "nigh-relaxed"].flatMap((name) => [
	`${name}.wasm`,
	`${name}-unshared.wasm`,
	`${name}.ts`,
]);

test("the hash follows every source, the compiler's version and the build script", (t) => {
	const folder = temporaryFolder(t, SOURCES);
	const before = kernelSourcesHash(folder);
	assert.equal(kernelSourcesHash(folder), before);
	for (const [path, text] of Object.entries(SOURCES)) {
		writeFiles(folder, {
			[path]: text.replace("1", "2").replace("0.28.0", "0.28.9").replace("compile", "compile all"),
		});
		assert.notEqual(kernelSourcesHash(folder), before, path);
		writeFiles(folder, { [path]: text });
	}
	writeFiles(folder, { "packages/kernels/assembly/new.ts": "" });
	assert.notEqual(kernelSourcesHash(folder), before);
});

test("compiled kernels are fresh until a source changes or an output is gone", (t) => {
	const folder = temporaryFolder(t, SOURCES);
	assert.equal(kernelsAreFresh(folder), false);
	for (const name of OUTPUTS) writeFiles(folder, { [`${GENERATED}/${name}`]: "" });
	assert.equal(kernelsAreFresh(folder), false);
	writeFiles(folder, { [`${GENERATED}/sources.sha256`]: `${kernelSourcesHash(folder)}\n` });
	assert.ok(kernelsAreFresh(folder));
	rmSync(join(folder, GENERATED, "nigh-simd.ts"));
	assert.equal(kernelsAreFresh(folder), false);
	writeFiles(folder, {
		[`${GENERATED}/nigh-simd.ts`]: "",
		"packages/kernels/assembly/index.ts": "export const a = 2;\n",
	});
	assert.equal(kernelsAreFresh(folder), false);
});
