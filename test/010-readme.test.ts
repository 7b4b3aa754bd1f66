import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createHnsw } from "@nigh/index";
import { MAX_ARENA_BYTES } from "@nigh/kernels";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

/** The code blocks of a language, in order. */
function blocks(language: string, text: string = readme): string[] {
	return [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
		.filter(([, name]) => name === language)
		.map(([, , code]) => code as string);
}

test("the README's examples print what the README says", (t) => {
	const examples = blocks("js");
	const expected = blocks("text");
	assert.ok(examples.length > 0);
	assert.deepEqual(
		examples.map((code) => run(t, code)),
		expected.map((stdout) => ({ stdout, stderr: "" })),
	);
});

test("the examples of the packages' READMEs run", (t) => {
	const files = globSync("packages/*/README.md", { cwd: root });
	const examples = files.flatMap((file) => blocks("js", readFileSync(join(root, file), "utf8")));
	assert.ok(examples.length > 0);
	for (const code of examples) assert.deepEqual(run(t, code), { stdout: "", stderr: "" });
});

test("the TypeScript programs in the documentation have the types they need, strictly", (t) => {
	const files = ["README.md", ...globSync(["packages/*/README.md", "docs/*.md"], { cwd: root })];
	// What begins with an import is a program; the others are parts of one.
	const programs = files.flatMap((file) =>
		blocks("ts", readFileSync(join(root, file), "utf8")).filter((code) => code.startsWith("import ")),
	);
	assert.ok(programs.length > 3);
	// In the repository, so that packages are found.
	const folder = mkdtempSync(join(root, "readme-programs-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	for (const [at, code] of programs.entries()) writeFileSync(join(folder, `${at}.ts`), code);
	// What an example makes, it need not use.
	const config = { extends: "../tsconfig.json", include: ["./*.ts"], compilerOptions: { noUnusedLocals: false } };
	writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
	const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
	const { stdout, status } = spawnSync(process.execPath, [compiler, "--project", folder], { encoding: "utf8" });
	assert.deepEqual({ stdout, status }, { stdout: "", status: 0 });
});

test("the programs in the README of @nigh/recall print what they say", (t) => {
	const programs = blocks("ts", readFileSync(join(root, "packages/recall/README.md"), "utf8"));
	const printed = programs.map((code) => run(t, code, "ts"));
	assert.deepEqual(
		printed.map(({ stderr }) => stderr),
		programs.map(() => ""),
	);
	assert.match(printed[0]?.stdout ?? "", /^ef \d+ keeps 0\.95: \d+ queries, mean (?:0\.9\d\d|1\.000)\n$/);
	assert.equal(printed[1]?.stdout, "ef 44\n");
});

/** What a program prints, in an empty folder of its own. */
function run(t: TestContext, code: string, extension = "mjs"): { stdout: string; stderr: string } {
	const folder = mkdtempSync(join(tmpdir(), "nigh-readme-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	// In the repository, so that "nigh" is found as in a folder where it is installed.
	const file = join(root, `readme-example-${process.pid}.${extension}`);
	t.after(() => rmSync(file, { force: true }));
	writeFileSync(file, code);
	const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=@nigh/source", file], {
		encoding: "utf8",
		cwd: folder,
	});
	return { stdout, stderr };
}

test("the README's first example has at most twenty lines of code", () => {
	const lines = (blocks("js")[0] ?? "").split("\n").filter((line) => line.trim() !== "");
	assert.ok(lines.length <= 20, `${lines.length} lines`);
});

test("every file and folder that the README links to exists", () => {
	const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target]) => target as string);
	assert.ok(links.length > 5);
	for (const link of links) assert.ok(existsSync(join(root, link)), link);
});

test("an arena holds as many vectors as the README says", async () => {
	const claims = [...readme.matchAll(/([\d.]+) million (?:vectors )?of (\d+)/g)].map(
		([, n, d]) => [Number(n) * 1e6, Number(d)] as const,
	);
	assert.equal(claims.length, 2);
	for (const [vectors, dimensions] of claims) {
		const index = createHnsw({ dimensions, metric: "l2" });
		await index.insertMany(Float32Array.from({ length: 1_000 * dimensions }, (_, i) => Math.sin(i)));
		const { formula } = index.memory();
		// Beside the formula a search needs its marks and a build its lists: a twentieth is more than both.
		assert.ok((formula / 1_000) * vectors * 1.05 <= MAX_ARENA_BYTES, `${vectors} x ${dimensions}`);
		index.dispose();
	}
});

test("every npm script that the README names exists", () => {
	const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
		scripts: Record<string, string>;
	};
	const named = [...readme.matchAll(/npm (?:run )?(start|test|build|check|nigh)\b/g)].map(([, name]) => name as string);
	assert.ok(named.length >= 4);
	for (const name of named) assert.ok(name in scripts, name);
});
