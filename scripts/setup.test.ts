// The whole set-up, in a checkout made for the test, with an npm and a kernel build that only leave their traces.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder, writeFiles } from "./temporary-folder.test-support.ts";
import { root } from "./workspace.ts";

const NPM = `
const { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
appendFileSync("calls", "npm " + process.argv.slice(2).join(" ") + "\\n");
rmSync("node_modules", { recursive: true, force: true });
mkdirSync("node_modules/node/bin", { recursive: true });
mkdirSync("node_modules/assemblyscript");
symlinkSync(process.execPath, "node_modules/node/bin/node");
writeFileSync("node_modules/assemblyscript/package.json", '{ "version": "1.0.0" }');
writeFileSync("node_modules/.package-lock.json", '{ "packages": {} }');
`;

const KERNELS = `
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { generatedFolder, KERNEL_BUILDS, kernelSourcesHash, kernelStampFile } from "./setup/kernels.mjs";
appendFileSync("calls", "kernels\\n");
mkdirSync(generatedFolder("."), { recursive: true });
for (const name of KERNEL_BUILDS) for (const end of [".wasm", "-unshared.wasm", ".ts"]) writeFileSync(generatedFolder(".") + "/" + name + end, "");
writeFileSync(kernelStampFile("."), kernelSourcesHash("."));
`;

const FAILING_NPM = `console.error("npm error code ENETUNREACH"); process.exit(1);`;

function checkout(t: TestContext, npm: string = NPM): string {
	const folder = temporaryFolder(t, {
		"package.json": "{}",
		"package-lock.json": '{ "packages": { "": {} } }',
		"npm/npm-cli.cjs": npm,
		"packages/kernels/assembly/index.ts": "export const a = 1;\n",
		"packages/kernels/src/limits.ts": "export const limits = 1;\n",
		"scripts/build-kernels.ts": KERNELS,
	});
	for (const part of ["setup.mjs", "setup"]) {
		cpSync(join(root, "scripts", part), join(folder, "scripts", part), { recursive: true });
	}
	return folder;
}

async function setUp(folder: string, ...args: string[]): Promise<{ code: number; stderr: string }> {
	const child = spawn(process.execPath, [join(folder, "scripts", "setup.mjs"), ...args], {
		env: { ...process.env, npm_execpath: join(folder, "npm", "npm-cli.cjs"), npm_node_execpath: process.execPath },
		stdio: ["ignore", "ignore", "pipe"],
	});
	let stderr = "";
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		stderr += text;
	});
	const code = await new Promise<number>((resolve, reject) => child.on("error", reject).on("close", resolve));
	return { code, stderr };
}

const calls = (folder: string) => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
const INSTALL = "npm ci --include=dev --loglevel=error --no-audit --no-fund";

test("the first run installs and compiles and says so, the second does neither and says nothing", async (t) => {
	const folder = checkout(t);
	const first = await setUp(folder);
	assert.equal(first.code, 0, first.stderr);
	assert.match(first.stderr, /^setup: installing .* \d+\.\d s\nsetup: compiling .* \d+\.\d s\n$/);
	assert.deepEqual(calls(folder), [INSTALL, "kernels"]);
	assert.deepEqual(await setUp(folder), { code: 0, stderr: "" });
	assert.deepEqual(calls(folder), [INSTALL, "kernels"]);
});

test("two runs at once install and compile once, and both end well", async (t) => {
	const folder = checkout(t);
	const both = await Promise.all([setUp(folder), setUp(folder)]);
	assert.deepEqual(
		both.map(({ code }) => code),
		[0, 0],
		JSON.stringify(both),
	);
	assert.deepEqual(calls(folder), [INSTALL, "kernels"]);
});

test("only what has changed is done again", async (t) => {
	const folder = checkout(t);
	await setUp(folder);
	writeFiles(folder, {
		"packages/kernels/assembly/index.ts": "export const a = 2;\n",
		"package.json": '{ "scripts": {} }',
	});
	assert.deepEqual(await setUp(folder, "--quiet"), { code: 0, stderr: "" });
	assert.deepEqual(calls(folder), [INSTALL, "kernels", "kernels"]);
	rmSync(join(folder, "node_modules"), { recursive: true });
	assert.equal((await setUp(folder)).code, 0);
	assert.deepEqual(calls(folder), [INSTALL, "kernels", "kernels", INSTALL]);
});

test("an npm that fails has its output shown, with what to do, and exit code 1", async (t) => {
	const { code, stderr } = await setUp(checkout(t, FAILING_NPM), "--quiet");
	assert.equal(code, 1);
	assert.match(stderr, /npm error code ENETUNREACH/);
	assert.match(stderr, /setup: npm ci failed, see its output above\. Check the network/);
});

test("a package without a binary for this machine is passed over where this Node is new enough", async (t) => {
	const folder = checkout(t, `if (!process.argv.includes("--ignore-scripts")) process.exit(1);\n${NPM}`);
	const { code, stderr } = await setUp(folder);
	assert.equal(code, 0, stderr);
	assert.deepEqual(calls(folder), [`${INSTALL} --ignore-scripts`, "kernels"]);
});

test("without a Node that is new enough it says which one is needed, every time", async (t) => {
	// This one pretends to be older, and npm installs none.
	const preload = `data:text/javascript,Object.defineProperty(process, "version", { value: "v20.11.1" })`;
	const folder = checkout(t, `${NPM}\nrmSync("node_modules/node", { recursive: true });\n`);
	for (let run = 0; run < 2; run++) {
		const child = spawn(process.execPath, ["--import", preload, join(folder, "scripts", "setup.mjs")], {
			env: { ...process.env, npm_execpath: join(folder, "npm", "npm-cli.cjs"), npm_node_execpath: process.execPath },
			stdio: ["ignore", "ignore", "pipe"],
		});
		const stderr = (await child.stderr.setEncoding("utf8").toArray()).join("");
		assert.match(
			stderr,
			/setup: the pinned Node .* is not installed and this machine's Node is v20\.11\.1: install Node 24/,
		);
	}
});
