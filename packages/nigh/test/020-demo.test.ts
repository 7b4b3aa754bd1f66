// `nigh demo` from end to end, as a process of its own and without a terminal.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { open } from "../src/open.ts";
import { temporaryFolder } from "../src/temporary-folder.test-support.ts";
import { nigh } from "./command.test-support.ts";

const MAIN = join(import.meta.dirname, "..", "src", "main.ts");

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
	const [title, counts] = stdout.split("\n");
	assert.equal(title, `${folder}: 4 passages, 384 dimensions, in the database ${join(folder, ".nigh")}`);
	assert.match(counts ?? "", /^Files: 2 new \(4 passages\)\. Brought up to date in [0-9.]+ s\.$/);
	assert.match(stdout, /\n\? Growing tomatoes\n {2}0\.[0-9]{3} {2}guide\.md:3 {2}Tomatoes need sun/);
	assert.match(stdout, /\n\? Baking rye bread\n {2}0\.[0-9]{3} {2}guide\.md:7 {2}Rye bread is baked/);
	assert.match(stdout, /\n {2}(exact|uncertified: recall of [0-9.]+ asked for); plan: .*, [0-9.]+ ms\n/);
	assert.match(
		stdout,
		/recall@4 1\.0000 \(asked for: 0\.99\); [0-9,]+ queries\/s as it serves, [0-9,]+ by exact search, one at a time\.\nWhat serves is exact\.\n$/,
	);
	assert.doesNotMatch(stdout, /Hidden words|Ask/);
});

test("--json prints an object a line: the index, the answers, the comparison", (t) => {
	const folder = temporaryFolder(t, FILES);
	const { status, stderr, objects } = nigh(["demo", "--json"], folder);
	assert.deepEqual([status, stderr], [0, ""]);
	const [index, ...others] = objects();
	const { seconds, ...facts } = index;
	assert.deepEqual(facts, {
		type: "index",
		folder,
		database: join(folder, ".nigh"),
		mode: "kept",
		note: "",
		files: { new: 2, changed: 0, unchanged: 0, removed: 0 },
		passages: { new: 4, changed: 0, unchanged: 0, removed: 0 },
		files_left_out: 0,
		dimensions: 384,
	});
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
	for (const { hits, recall, plan } of answers) {
		assert.equal(hits.length, 3);
		assert.ok(["exact", "uncertified", "provisional", "certified"].includes(recall.state), recall.state);
		assert.equal(recall.target, 0.99);
		assert.ok(plan.durationMs > 0);
	}
	const { type, k, recall, queries } = others.at(-1);
	assert.deepEqual([type, k, recall], ["comparison", 4, 1]);
	assert.ok(queries >= 4);
});

test("the second time only what has changed is written, and the answers come from what is stored", (t) => {
	const folder = temporaryFolder(t, { ...FILES, "goes.md": "# Going away\n\nSoon gone.\n" });
	const counts = () => {
		const [{ files, passages }, ...others] = nigh(["demo", folder, "--json"]).objects();
		return { files, passages, answers: others.slice(0, -1) };
	};
	assert.deepEqual(counts().files, { new: 3, changed: 0, unchanged: 0, removed: 0 });

	writeFileSync(join(folder, "guide.md"), `${GUIDE}\n# Folding a kite\n\nFold the paper twice.\n`);
	writeFileSync(join(folder, "new.md"), "# Sailing a boat\n\nMind the wind.\n");
	rmSync(join(folder, "goes.md"));
	const { files, passages, answers } = counts();
	assert.deepEqual(files, { new: 1, changed: 1, unchanged: 1, removed: 1 });
	assert.deepEqual(passages, { new: 1, changed: 4, unchanged: 1, removed: 1 });
	const places = new Map(answers.map(({ question, hits: [{ file, line }] }) => [question, `${file}:${line}`]));
	assert.equal(places.get("Growing tomatoes"), "guide.md:3");
	assert.equal(places.get("Folding a kite"), "guide.md:15");
	assert.equal(places.get("Sailing a boat"), "new.md:3");
	assert.ok(answers.every(({ hits }) => hits.every(({ file }: { file: string }) => file !== "goes.md")));
});

test("while another process has the database open it answers from it, and writes nothing", async (t) => {
	const folder = temporaryFolder(t, FILES);
	nigh(["demo", folder]);
	const writer = await open(join(folder, ".nigh"));
	t.after(() => writer.close());
	writeFileSync(join(folder, "new.md"), "# Sailing a boat\n\nMind the wind.\n");
	const { status, stdout, stderr } = nigh(["demo", folder]);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.match(stdout, new RegExp(`\nOpened for reading only: .*process ${process.pid}`));
	assert.match(stdout, /\nFiles: 1 new \(1 passages\), 2 unchanged \(4 passages\)\. Compared, nothing written,/);
	assert.match(stdout, /\n\? Growing tomatoes\n {2}0\.[0-9]{3} {2}guide\.md:3/);
	const passages = await writer.collection("passages");
	assert.equal(await passages.count(), 4);
});

test("two that begin at the same moment both answer", async (t) => {
	const folder = temporaryFolder(t, FILES);
	const ends = await Promise.all([1, 2].map(() => answersOf(folder)));
	for (const { code, output } of ends) {
		assert.equal(code, 0, output);
		assert.match(output, /guide\.md:7/);
	}
});

async function answersOf(folder: string): Promise<{ code: number | null; output: string }> {
	const child = spawn(process.execPath, ["--conditions=@nigh/source", MAIN, "demo", folder], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.on("data", (chunk) => {
			output += chunk;
		});
	const [code] = await once(child, "close");
	return { code, output };
}

test("where nothing can be kept it answers from memory, and says why", (t) => {
	const folder = temporaryFolder(t, { ...FILES, ".nigh": "a file in the way" });
	const { status, stdout, stderr } = nigh(["demo", folder]);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.match(stdout, /in the database :memory:\nNothing is kept this time: /);
	assert.match(stdout, /\n\? Growing tomatoes\n {2}0\.[0-9]{3} {2}guide\.md:3/);
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
	const child = spawn(process.execPath, ["--conditions=@nigh/source", MAIN, "demo", folder], {
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
