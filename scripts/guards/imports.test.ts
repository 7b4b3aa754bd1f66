import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { checkImports } from "./imports.ts";

const TSCONFIG = JSON.stringify({
	compilerOptions: { module: "nodenext", noEmit: true, allowImportingTsExtensions: true, types: [] },
	include: ["packages/*/src", "packages/*/test"],
});

function manifest(name: string, dependencies: Readonly<Record<string, string>> = {}): string {
	return JSON.stringify({ name, version: "0.1.0", exports: { ".": "./src/index.ts" }, dependencies });
}

/** A small house without a fault. */
const HOUSE: Readonly<Record<string, string>> = {
	"tsconfig.json": TSCONFIG,
	"packages/contract/package.json": manifest("@nigh/contract"),
	"packages/contract/src/index.ts": `export * from "./errors.ts";\n`,
	"packages/contract/src/errors.ts": "export const code = 1;\n",
	"packages/kernels/package.json": manifest("@nigh/kernels"),
	"packages/kernels/src/index.ts": "export const kernel = 1;\n",
	"packages/kernels/src/arena.test.ts": `import "node:fs";\n`,
	"packages/index/package.json": manifest("@nigh/index", { "@nigh/contract": "0.1.0", "@nigh/kernels": "0.1.0" }),
	"packages/index/src/index.ts": `import type { code } from "@nigh/contract";\nexport type Code = typeof code;\n`,
	"packages/index/src/flat.test.ts": `import { test } from "node:test";\nimport fc from "fast-check";\nimport "@nigh/kernels";\n`,
	"packages/threads/package.json": manifest("@nigh/threads", { "@nigh/index": "0.1.0" }),
	"packages/threads/src/index.ts": `import { Worker } from "node:worker_threads";\nimport "@nigh/index";\n`,
	"packages/threads/src/pool.test.ts": `import "@nigh/contract";\n`,
	"packages/embed/package.json": manifest("@nigh/embed", { "@nigh/contract": "0.1.0" }),
	"packages/embed/src/index.ts": "export {};\n",
};

test("a house in which every arrow points to an allowed, declared and exported neighbour passes", (t) => {
	assert.deepEqual(checkImports(temporaryFolder(t, HOUSE)), []);
});

const FAULTS: readonly { what: string; files: Readonly<Record<string, string>>; expected: RegExp }[] = [
	{
		what: "an arrow to a higher floor",
		files: { "packages/contract/src/errors.ts": `export * from "@nigh/index";\n` },
		expected:
			/contract\/src\/errors\.ts: @nigh\/contract \(floor 1\) may not import @nigh\/index \(floor 2\), only nothing\./,
	},
	{
		what: "an arrow to a neighbour on the same floor",
		files: { "packages/embed/src/index.ts": `import "@nigh/index";\n` },
		expected: /@nigh\/embed \(floor 2\) may not import @nigh\/index \(floor 2\), only @nigh\/contract\./,
	},
	{
		what: "an arrow that the table leaves out although it points down",
		files: { "packages/threads/src/index.ts": `import "@nigh/contract";\n` },
		expected: /@nigh\/threads \(floor 2\) may not import @nigh\/contract/,
	},
	{
		what: "an arrow in a manifest alone",
		files: { "packages/kernels/package.json": manifest("@nigh/kernels", { "@nigh/contract": "0.1.0" }) },
		expected: /^@nigh\/kernels depends on @nigh\/contract: .* may not import/,
	},
	{
		what: "a test that looks upwards",
		files: { "packages/contract/src/errors.test.ts": `import "@nigh/index";\n` },
		expected: /errors\.test\.ts: @nigh\/contract \(floor 1\) may not import @nigh\/index/,
	},
	{
		what: "a Node module in a pure package",
		files: { "packages/kernels/src/index.ts": `import { readFileSync } from "node:fs";\n` },
		expected: /kernels\/src\/index\.ts: @nigh\/kernels is pure: it may not import "node:fs"/,
	},
	{
		what: "a Node module by its bare name",
		files: { "packages/kernels/src/index.ts": `export { join } from "path";\n` },
		expected: /pure: it may not import "path"/,
	},
	{
		what: "a Node module loaded when needed",
		files: { "packages/kernels/src/index.ts": `export const fs = () => import("node:fs");\n` },
		expected: /pure: it may not import "node:fs"/,
	},
	{
		what: "a type of Node in a pure package",
		files: {
			"packages/kernels/src/index.ts": `import type { Readable } from "node:stream";\nexport type R = Readable;\n`,
		},
		expected: /pure: it may not import "node:stream"/,
	},
	{
		what: "a type of Node in the middle of an expression",
		files: { "packages/kernels/src/index.ts": `export type R = import("node:stream").Readable;\n` },
		expected: /pure: it may not import "node:stream"/,
	},
	{
		what: "a reference to all of Node's types",
		files: { "packages/kernels/src/index.ts": `/// <reference types="node" />\nexport {};\n` },
		expected: /pure: it may not import "node"/,
	},
	{
		what: "an import past the exports",
		files: { "packages/index/src/index.ts": `import "@nigh/kernels/src/arena.ts";\n` },
		expected: /"@nigh\/kernels\/src\/arena\.ts" reaches past the exports of @nigh\/kernels/,
	},
	{
		what: "a relative import that leaves the package",
		files: { "packages/index/src/index.ts": `import "../../kernels/src/index.ts";\n` },
		expected: /"\.\.\/\.\.\/kernels\/src\/index\.ts" leaves the package/,
	},
	{
		what: "a source that imports a test",
		files: { "packages/index/src/index.ts": `import "./flat.test.ts";\n` },
		expected: /"\.\/flat\.test\.ts" is test code/,
	},
	{
		what: "a package that imports itself by its name",
		files: { "packages/index/src/index.ts": `import "@nigh/index";\n` },
		expected: /"@nigh\/index" is the package itself/,
	},
	{
		what: "a dependency that the manifest does not declare",
		files: { "packages/threads/src/index.ts": `import "@nigh/kernels";\n` },
		expected: /"@nigh\/kernels" is not among the dependencies in the package\.json of @nigh\/threads/,
	},
	{
		what: "an outside package that the manifest does not declare",
		files: { "packages/threads/src/index.ts": `import "left-pad";\n` },
		expected: /"left-pad" is not among the dependencies/,
	},
	{
		what: "an outside package where there is to be none",
		files: { "packages/index/src/index.ts": `import "left-pad";\n` },
		expected: /@nigh\/index is to have no dependency at run time: it may not import "left-pad"/,
	},
	{
		what: "another version than the workspace's",
		files: { "packages/threads/package.json": manifest("@nigh/threads", { "@nigh/index": "0.0.9" }) },
		expected: /@nigh\/threads depends on @nigh\/index 0\.0\.9, but the workspace has 0\.1\.0/,
	},
	{
		what: "a package that has no floor",
		files: { "packages/cellar/package.json": manifest("@nigh/cellar"), "packages/cellar/src/index.ts": "export {};\n" },
		expected: /@nigh\/cellar has no floor/,
	},
];

for (const { what, files, expected } of FAULTS) {
	test(`${what} is reported, and nothing else`, (t) => {
		const problems = checkImports(temporaryFolder(t, { ...HOUSE, ...files }));
		assert.equal(problems.length, 1, problems.join("\n"));
		assert.match(problems[0] as string, expected);
	});
}
