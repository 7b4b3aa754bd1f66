// Writes docs/measurements.md: runs `nigh eval` on the sets found in a folder and puts down what it printed, with the machine.
//
//   npm run measurements -- FOLDER [--queries N]
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./workspace.ts";

interface MeasuredSet {
	readonly name: string;
	readonly about: string;
	readonly metric: string;
	readonly base: string;
	readonly query: string;
	readonly truth: string;
}

/** Public sets in the TEXMEX formats: `FOLDER/NAME/...`. */
const SETS: readonly MeasuredSet[] = [
	{
		name: "fashion-mnist-784",
		about: "60,000 images of clothing as 784 pixels, the set of that name of ann-benchmarks",
		metric: "l2",
		base: "base.bvecs",
		query: "query.bvecs",
		truth: "groundtruth.ivecs",
	},
	{
		name: "squad-sif-300d",
		about:
			"20,963 passages of SQuAD as weighted averages of word vectors; the queries are its questions, so unlike the base",
		metric: "cosine",
		base: "base.fvecs",
		query: "query.fvecs",
		truth: "groundtruth-cosine.ivecs",
	},
];

const RUNS: readonly (readonly string[])[] = [
	["--index", "flat"],
	["--index", "flat", "--param", "codes=none"],
	["--index", "hnsw", "--preset", "balanced", "--param", "ef=10,20,40,80,160"],
	["--index", "hnsw", "--preset", "high", "--param", "ef=10,20,40,80,160"],
];

/** One line of `nigh eval --json`. */
interface Point {
	readonly index: string;
	readonly params: Readonly<Record<string, unknown>>;
	readonly build_s: number;
	readonly recall: number;
	readonly qps: number;
	readonly p50_us: number;
	readonly p99_us: number;
	readonly bytes_total: number;
	readonly bytes_codes: number;
}

const { values, positionals } = parseArgs({ options: { queries: { type: "string" } }, allowPositionals: true });
const folder = positionals[0];
if (folder === undefined) {
	process.stderr.write("usage: npm run measurements -- FOLDER [--queries N]\n");
	process.exit(2);
}
const present = SETS.filter((set) => existsSync(join(folder, set.name, set.base)));
if (present.length === 0) {
	process.stderr.write(`${resolve(folder)} has none of ${SETS.map(({ name }) => name).join(", ")}.\n`);
	process.exit(1);
}
writeFileSync(join(root, "docs/measurements.md"), `${[head(), ...present.map(section)].join("\n\n")}\n`);

function head(): string {
	return `# Measurements

Written by \`npm run measurements -- FOLDER\`, which runs \`nigh eval\`: one query at a time, one thread, k = 10, the best of three passes;
recall counts ties. Two runs on a shared machine differ by a tenth and more: compare within one table.

Machine: ${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}, V8 ${process.versions.v8}.`;
}

function section({ name, about, metric, base, query, truth }: MeasuredSet): string {
	const files = [base, query, truth].map((file) => join(name, file));
	const options = ["--metric", metric, ...(values.queries === undefined ? [] : ["--queries", values.queries])];
	const rows = RUNS.flatMap((run) => {
		const [b, q, t] = files.map((file) => resolve(folder as string, file)) as [string, string, string];
		const line = ["eval", "--base", b, "--query", q, "--truth", t, ...options, ...run, "--json"];
		const output = execFileSync(process.execPath, ["--conditions=@nigh/source", "packages/nigh/src/main.ts", ...line], {
			cwd: root,
			encoding: "utf8",
			maxBuffer: 1 << 26,
		});
		return output
			.trim()
			.split("\n")
			.map((json) => row(JSON.parse(json) as Point));
	});
	return `## ${name}

${about}; metric ${metric}. \`nigh eval --base ${files[0]} --query ${files[1]} --truth ${files[2]} ${options.join(" ")}\` with the index and parameters of each row.

| index | parameters | recall@10 | queries/s | p50 us | p99 us | build s | MB in all | MB of codes |
|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}`;
}

function row(point: Point): string {
	const parameters = Object.entries(point.params)
		.map(([name, value]) => `${name}=${value}`)
		.join(" ");
	// Recall is cut, not rounded, so that it is never shown better than it was.
	const recall = (Math.floor(point.recall * 10_000) / 10_000).toFixed(4);
	const cells = [
		point.index,
		parameters,
		recall,
		Math.floor(point.qps).toLocaleString("en"),
		point.p50_us.toFixed(1),
		point.p99_us.toFixed(1),
		point.build_s.toFixed(2),
		(point.bytes_total / 1e6).toFixed(1),
		(point.bytes_codes / 1e6).toFixed(1),
	];
	return `| ${cells.join(" | ")} |`;
}
