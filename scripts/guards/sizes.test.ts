import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { bundledBytes, checkSizes } from "./sizes.ts";

const files = (source: string) => ({
	"node_modules/light/package.json": JSON.stringify({
		name: "light",
		exports: { "@nigh/source": "./index.ts", default: "./dist/missing.js" },
	}),
	"node_modules/light/index.ts": source,
});

test("the sources are bundled, minified and weighed with gzip", async (t) => {
	const letters = "abcdefghijklmnopqrstuvwxyz".repeat(1_000);
	const bytes = await bundledBytes(["light"], temporaryFolder(t, files(`export const text: string = "${letters}";\n`)));
	assert.ok(bytes > 26 && bytes < 1_000, String(bytes));
});

test("a bundle at its limit passes, and above it is reported with both numbers", async (t) => {
	const folder = temporaryFolder(t, files("export const a: number = 1;\n"));
	const bytes = await bundledBytes(["light"], folder);
	assert.deepEqual(await checkSizes([{ packages: ["light"], maxBytes: bytes }], folder), []);
	assert.deepEqual(await checkSizes([{ packages: ["light"], maxBytes: bytes - 1 }], folder), [
		`light: ${bytes} bytes (gzip), more than ${bytes - 1}.`,
	]);
});

test("a bundle that needs a Node module is reported", async (t) => {
	const folder = temporaryFolder(t, files(`export { readFileSync } from "node:fs";\n`));
	const problems = await checkSizes([{ packages: ["light"], maxBytes: 1_000_000 }], folder);
	assert.equal(problems.length, 1);
	assert.match(problems[0] as string, /does not bundle for a browser: .*node:fs/s);
});
