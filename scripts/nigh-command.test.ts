// The file behind the `nigh` command, packages/nigh/bin/nigh.js, beside sources and beside a build made for the test.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "./temporary-folder.test-support.ts";
import { root } from "./workspace.ts";

function command(t: TestContext, files: Readonly<Record<string, string>>): string {
	const text = readFileSync(join(root, "packages", "nigh", "bin", "nigh.js"), "utf8");
	return join(
		temporaryFolder(t, { "package.json": '{ "type": "module" }', "bin/nigh.js": text, ...files }),
		"bin",
		"nigh.js",
	);
}

test("a Node that is too old is told so in one line, with exit code 2", (t) => {
	const preload = `data:text/javascript,Object.defineProperty(process, "version", { value: "v20.11.1" })`;
	const bin = command(t, { "dist/main.js": "console.log('ran');\n" });
	const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", preload, bin], { encoding: "utf8" });
	assert.equal(status, 2);
	assert.equal(stdout, "");
	assert.match(stderr, /^nigh needs Node 24 or newer; this is v20\.11\.1\. .*\n$/);
});

test("beside sources it runs them under their condition, with the arguments, and ends with their exit code", (t) => {
	const source = "console.log(JSON.stringify([process.execArgv, process.argv.slice(2)]));\nprocess.exitCode = 7;\n";
	const bin = command(t, { "src/main.ts": source, "dist/main.js": "console.log('the build');\n" });
	const { status, stdout } = spawnSync(process.execPath, [bin, "search", "two words"], { encoding: "utf8" });
	assert.deepEqual(JSON.parse(stdout), [["--conditions=@nigh/source"], ["search", "two words"]]);
	assert.equal(status, 7);
});

test("packed it runs the build in the same process, with the arguments", (t) => {
	const bin = command(t, {
		"dist/main.js": "console.log(JSON.stringify(process.argv.slice(2)));\nprocess.exitCode = 3;\n",
	});
	const { status, stdout } = spawnSync(process.execPath, [bin, "--version"], { encoding: "utf8" });
	assert.deepEqual(JSON.parse(stdout), ["--version"]);
	assert.equal(status, 3);
});

test("a signal reaches the sources, and what they make of it is the answer", async (t) => {
	const source = `process.on("SIGTERM", () => process.exit(9));\nsetInterval(() => {}, 1_000);\nconsole.log("ready");\n`;
	const child = spawn(process.execPath, [command(t, { "src/main.ts": source })], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	await once(child.stdout, "data");
	child.kill("SIGTERM");
	assert.deepEqual(await once(child, "exit"), [9, null]);
});

test("sources that die of a signal end the command by the same signal", async (t) => {
	const source = `setInterval(() => {}, 1_000);\nconsole.log("ready");\n`;
	const child = spawn(process.execPath, [command(t, { "src/main.ts": source })], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	await once(child.stdout, "data");
	child.kill("SIGTERM");
	assert.deepEqual(await once(child, "exit"), [null, "SIGTERM"]);
});
