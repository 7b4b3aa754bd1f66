import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { checkContents, checkInstalled } from "./packed.ts";

const GOOD = [
	"package.json",
	"README.md",
	"LICENSE",
	"dist/index.js",
	"dist/index.d.ts",
	"dist/generated/nigh-simd.wasm",
	"bin/nigh.js",
];
const check = (paths: readonly string[]) =>
	checkContents({ name: "nigh", filename: "nigh.tgz", files: paths.map((path) => ({ path })) });

test("a tarball with the build, the licence and the readme passes", () => {
	assert.deepEqual(check(GOOD), []);
});

for (const missing of GOOD.slice(0, 5)) {
	test(`a tarball without ${missing} is reported`, () => {
		assert.deepEqual(check(GOOD.filter((path) => path !== missing)), [`nigh: ${missing} is not packed.`]);
	});
}

for (const { path, expected } of [
	{ path: "dist/flat.test.js", expected: /is test code/ },
	{ path: "dist/model.test-support.d.ts", expected: /is test code/ },
	{ path: "src/index.ts", expected: /is a source/ },
	{ path: "dist/index.ts", expected: /is a source/ },
	{ path: "assembly/index.ts", expected: /is AssemblyScript/ },
	{ path: "tsconfig.json", expected: /is not expected/ },
]) {
	test(`${path} in a tarball is reported`, () => {
		const problems = check([...GOOD, path]);
		assert.equal(problems.length, 1);
		assert.match(problems[0] as string, expected);
	});
}

const INSTALLED: Readonly<Record<string, string>> = {
	"package.json": '{ "name": "consumer", "type": "module" }',
	"program.mjs": `import { answer } from "nigh";\nif (answer !== 42) throw new Error("wrong answer");\n`,
	"consumer.ts": `import { answer } from "nigh";\nexport const n: number = answer;\n`,
	"node_modules/nigh/package.json": JSON.stringify({
		name: "nigh",
		version: "0.1.0",
		type: "module",
		exports: { "@nigh/source": "./src/index.ts", types: "./dist/index.d.ts", default: "./dist/index.js" },
	}),
	"node_modules/nigh/dist/index.js": "export const answer = 42;\n",
	"node_modules/nigh/dist/index.d.ts": "export declare const answer: number;\n",
	"node_modules/nigh/bin/nigh.js": `#!/usr/bin/env node\nconsole.log(process.argv[2] === "--version" ? "0.1.0" : "Usage: nigh");\n`,
};

for (const { what, files, expected } of [
	{ what: "packages that run, type-check and answer pass", files: {}, expected: [] },
	{
		what: "a program that fails is reported",
		files: { "node_modules/nigh/dist/index.js": "export const answer = 41;\n" },
		expected: [/^program\.mjs fails .*wrong answer/s],
	},
	{
		what: "an entry that is not packed is reported",
		files: { "node_modules/nigh/dist/index.js": `export * from "./answer.js";\n` },
		expected: [/^program\.mjs fails .*answer\.js/s],
	},
	{
		what: "declarations that do not fit are reported",
		files: { "node_modules/nigh/dist/index.d.ts": "export declare const answer: string;\n" },
		expected: [/^consumer\.ts does not type-check .*TS2322/s],
	},
	{
		what: "a type of Node in the declarations of a pure package is reported",
		files: {
			"node_modules/nigh/dist/index.d.ts": "export declare const answer: number;\nexport declare const b: Buffer;\n",
		},
		expected: [/^browser\.ts does not type-check .*'Buffer'/s],
	},
	{
		what: "a command that exits with a failure is reported for each of its calls",
		files: { "node_modules/nigh/bin/nigh.js": "#!/usr/bin/env node\nprocess.exitCode = 4;\n" },
		expected: [/^npx nigh --version exits with 4/, /^npx nigh --help exits with 4/],
	},
	{
		what: "a command that prints another version is reported",
		files: { "node_modules/nigh/bin/nigh.js": `#!/usr/bin/env node\nconsole.log("nigh 9.9.9");\n` },
		expected: [/^npx nigh --version does not print "0\.1\.0" but:\nnigh 9\.9\.9/],
	},
]) {
	test(what, async (t) => {
		const folder = temporaryFolder(t, { ...INSTALLED, ...files });
		const modules = join(folder, "node_modules");
		mkdirSync(join(modules, ".bin"));
		chmodSync(join(modules, "nigh", "bin", "nigh.js"), 0o755);
		symlinkSync(join("..", "nigh", "bin", "nigh.js"), join(modules, ".bin", "nigh"));
		const problems = await checkInstalled(folder, ["nigh"]);
		assert.equal(problems.length, expected.length, problems.join("\n"));
		for (const [at, pattern] of expected.entries()) assert.match(problems[at] as string, pattern);
	});
}
