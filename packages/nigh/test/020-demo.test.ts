// `nigh demo` from end to end, as a process of its own and without a terminal.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../src/temporary-folder.test-support.ts";
import { nigh } from "./command.test-support.ts";

const GUIDE = `# Growing tomatoes

Tomatoes need sun and warm soil, and water at the root.

# Baking rye bread

Rye bread is baked from sourdough, in a hot oven.

# Tuning a bicycle

True the wheels, then set the brakes.
`;

const FILES = {
	"guide.md": GUIDE,
	"src/oven.ts": "/** Heats the oven. */\nexport function heat(degrees: number): number {\n\treturn degrees;\n}\n",
	"node_modules/x/readme.md": "# Hidden words\n\nNot to be read.\n",
};

test("without a terminal it answers questions made from the headings, measures, and ends with exit code 0", (t) => {
	const folder = temporaryFolder(t, FILES);
	const { status, stdout, stderr } = nigh(["demo", folder]);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.ok(stdout.startsWith(`${folder}: 4 passages of 2 files, 384 dimensions`));
	assert.match(stdout, /\n\? Growing tomatoes\n {2}0\.[0-9]{3} {2}guide\.md:3 {2}Tomatoes need sun/);
	assert.match(stdout, /\n\? Baking rye bread\n {2}0\.[0-9]{3} {2}guide\.md:7 {2}Rye bread is baked/);
	assert.match(
		stdout,
		/recall@4 1\.0000; [0-9,]+ queries\/s from the graph \(hnsw\), [0-9,]+ from the exact scan \(flat\), one thread\.\n$/,
	);
	assert.doesNotMatch(stdout, /Hidden words|Ask/);
});

test("--json prints an object a line: the index, the answers, the comparison", (t) => {
	const folder = temporaryFolder(t, FILES);
	const { status, stderr, objects } = nigh(["demo", "--json"], folder);
	assert.deepEqual([status, stderr], [0, ""]);
	const [index, ...others] = objects();
	const { seconds, ...facts } = index;
	assert.deepEqual(facts, { type: "index", folder, files: 2, passages: 4, dimensions: 384 });
	assert.ok(seconds > 0);
	const answers = others.slice(0, -1);
	assert.deepEqual(
		answers.map(({ type, question, hits: [{ file, line }] }) => [type, question, file, line]),
		[
			["answer", "Growing tomatoes", "guide.md", 3],
			["answer", "Baking rye bread", "guide.md", 7],
			["answer", "Tuning a bicycle", "guide.md", 11],
		],
	);
	for (const { hits } of answers) {
		const distances: number[] = hits.map(({ distance }: { distance: number }) => distance);
		assert.equal(hits.length, 3);
		assert.deepEqual(
			distances,
			distances.toSorted((a, b) => a - b),
		);
	}
	const { type, k, recall, queries } = others.at(-1);
	assert.deepEqual([type, k, recall], ["comparison", 4, 1]);
	assert.ok(queries >= 4);
});

test("a file of one word is enough", (t) => {
	const folder = temporaryFolder(t, { "a.md": "word" });
	const { status, stderr } = nigh(["demo", folder]);
	assert.deepEqual([status, stderr], [0, ""]);
});

test("a folder without texts, one that is not there, and a file are refused in one line with exit code 1", (t) => {
	const folder = temporaryFolder(t, { "a.txt": "word", "node_modules/a.md": "word" });
	for (const [path, message] of [
		[folder, /^nigh: .* has no Markdown or TypeScript file with text in it .*nigh demo FOLDER\.\n$/],
		[join(folder, "none"), /^nigh: There is no folder .*none\.\n$/],
		[join(folder, "a.txt"), /^nigh: .*a\.txt is a file; name the folder it is in\.\n$/],
	] as const) {
		const { status, stdout, stderr } = nigh(["demo", path]);
		assert.deepEqual([status, stdout], [1, ""]);
		assert.match(stderr, message);
	}
});

test("wrong usage ends with exit code 2", () => {
	assert.equal(nigh(["demo", "a", "b"]).status, 2);
	const { status, stderr } = nigh(["demo", "--jsn"]);
	assert.equal(status, 2);
	assert.match(stderr, /Did you mean --json\?/);
});

test("a reader that has seen enough ends it quietly", async (t) => {
	const folder = temporaryFolder(t, FILES);
	const main = join(import.meta.dirname, "..", "src", "main.ts");
	const child = spawn(process.execPath, ["--conditions=@nigh/source", main, "demo", folder], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	child.stdout.destroy();
	let errors = "";
	child.stderr.on("data", (chunk) => {
		errors += chunk;
	});
	const [code] = await once(child, "close");
	assert.deepEqual([code, errors], [0, ""]);
});
