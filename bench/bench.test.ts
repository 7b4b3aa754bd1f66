import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { JsonReport } from "./report/json.ts";

const folder = mkdtempSync(join(tmpdir(), "nigh-bench-main-"));
after(() => rmSync(folder, { recursive: true }));

const SMALL = ["--n", "300", "--dimensions", "8", "--queries", "20", "--passes", "1", "--ef", "40", "--peers", "none"];

function bench(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
	const main = fileURLToPath(new URL("bench.ts", import.meta.url));
	const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@nigh/source", main, ...args], {
		encoding: "utf8",
		env: { ...process.env, ...env },
	});
	return { status, stdout, stderr };
}

describe("a run", () => {
	test("prints tables, writes the reports, and shows no progress where nobody looks on", () => {
		const out = join(folder, "new", "reports");
		const { status, stdout, stderr } = bench([...SMALL, "--out", out]);
		assert.deepEqual([status, stderr], [0, ""]);
		assert.match(stdout, /^generated-300x8: 300 vectors, 8 dimensions, l2, 20 queries\n/);
		assert.match(stdout, /^nigh {2,}ef 40 {2,}[01]\.\d{4} /m);
		assert.deepEqual(
			readdirSync(out).sort(),
			["json", "md", "svg"].map((ending) => `generated-300x8.${ending}`),
		);
		assert.match(readFileSync(join(out, "generated-300x8.md"), "utf8"), /\(generated-300x8\.svg\)/);
		assert.match(readFileSync(join(out, "generated-300x8.svg"), "utf8"), /^<svg .*<\/svg>\n$/s);
	});

	test("prints JSON alone with --json", () => {
		const { status, stdout } = bench([...SMALL, "--json"]);
		const report = JSON.parse(stdout) as JsonReport;
		assert.equal(status, 0);
		assert.deepEqual(
			[report.set.n, report.engines.length, report.engines[0]?.points[0]?.setting],
			[300, 1, { ef: 40 }],
		);
		assert.ok((report.engines[0]?.points[0]?.recall as number) > 0.9);
	});

	test("ends with 1 when an engine fails, and says which", () => {
		const saboteur = join(folder, "saboteur.mjs");
		writeFileSync(saboteur, 'if (process.argv[1]?.endsWith("nigh.ts")) process.exit(3);\n');
		const { status, stdout, stderr } = bench(SMALL, { NODE_OPTIONS: `--import=${pathToFileURL(saboteur)}` });
		assert.deepEqual([status, stdout], [1, ""]);
		assert.match(stderr, /^nigh failed: it ended without an answer to "build"/);
	});
});

describe("the command line", () => {
	test("--help tells the options", () => {
		const { status, stdout } = bench(["--help"]);
		assert.equal(status, 0);
		assert.match(stdout, /^Usage: npm run bench -- \[options\]$/m);
	});

	const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
		[["--k", "x"], /^--k is "x"; it must be a whole number/],
		[["--set", fileURLToPath(import.meta.url), "--peers", "none"], /^The file name .* has the unknown extension ".ts"/],
		[["--set", "fashion-mnist-784", "--data", folder, "--peers", "none"], /^There is no .*--data FOLDER/],
	];
	for (const [args, message] of wrong) {
		test(`ends with 2 and says what is wrong: ${args.slice(0, 1)} ${args[2] ?? ""}`, () => {
			const { status, stdout, stderr } = bench(args);
			assert.deepEqual([status, stdout], [2, ""]);
			assert.match(stderr, message);
			assert.match(stderr, /npm run bench -- --help tells the options\.\n$/);
		});
	}

	test("ends with 2 where a set knows fewer neighbours than --k asks for", () => {
		const rows = Float32Array.from({ length: 40 }, (_, at) => at);
		const path = join(folder, "twenty.jsonl");
		const lines = Array.from({ length: 20 }, (_, at) =>
			JSON.stringify({ id: `${at}`, vector: [...rows.slice(at * 2, at * 2 + 2)] }),
		);
		writeFileSync(path, `${lines.join("\n")}\n`);
		const { status, stderr } = bench(["--set", path, "--k", "19", "--peers", "none"]);
		assert.equal(status, 2);
		assert.match(stderr, /^--k is 19; it must be at most 18, the neighbours that twenty knows\./);
	});
});
