import { BOUNDS, INDEX_KINDS, METRICS, STORAGES } from "@nigh/contract";
import { type EstimateOptions, estimateMemory, type MemoryEstimate } from "@nigh/index";
import { indexSettings, parameterHelp } from "../database/index-parameters.ts";
import { capOf, planLines, planOf } from "../estimate/plan.ts";
import { type Arguments, chosen, parseArguments, wholeNumber } from "../terminal/arguments.ts";
import { jsonText } from "../terminal/json.ts";
import { bytesText } from "../terminal/quantities.ts";
import { grouped, tableRows } from "../terminal/table.ts";
import { asUsage, UsageError } from "../terminal/usage-error.ts";
import type { Command, Terminal } from "./command.ts";

const HELP = `nigh estimate: tells what memory an index would take, before it is built

Usage: nigh estimate --n N --dimensions D --index KIND [options]
       nigh estimate --n N --dimensions D --max-mb MB [options]

  --n N               vectors
  --dimensions D      length of a vector; bits under hamming
  --index KIND        ${INDEX_KINDS.join(", ")}
  --metric METRIC     ${METRICS.join(", ")}; default l2
${parameterHelp(20)}
  --storage STORAGE   memory (default), or disk: what cells then leave out of
                      memory. The same as --param storage=STORAGE
  --max-mb MB         instead of --index: what a database would choose for a
                      collection whose index may take so many megabytes (2^20
                      bytes) at any moment, and why
  --ids BYTES         bytes of an id that is kept for each vector besides, such
                      as 8 for a number or 36 for a UUID; default 0, and 40 with
                      --max-mb
  --json              the same as JSON

By the formulas of the layouts, for an index that has been built and compacted.
What searches and inserts work in, and training for a while, comes on top; a
database keeps records, ids and its tail besides, and while it builds an index
anew it has two: with --max-mb all of that is counted. "Code bytes only" is what
compression is often quoted by; the other ratios count all that goes with it.

Examples
  nigh estimate --n 1000000 --dimensions 1152 --index ivfpq \\
    --param M=8 --param bits=8
  nigh estimate --n 4000000 --dimensions 128 --index hnsw --json
  nigh estimate --n 4000000 --dimensions 128 --index ivf --storage disk
  nigh estimate --n 4000000 --dimensions 128 --ids 8 --max-mb 1024`;

const OPTIONS = {
	n: "value",
	dimensions: "value",
	index: "value",
	metric: "value",
	param: "values",
	storage: "value",
	"max-mb": "value",
	ids: "value",
	json: "flag",
} as const;

export const estimateCommand: Command = {
	name: "estimate",
	summary: "tells what memory an index would take, before it is built",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, OPTIONS);
		const maxBytes = capOf(parsed);
		if (maxBytes !== undefined) return printPlan(parsed, maxBytes, terminal);
		const estimate = estimateOf(parsed);
		if (parsed.has("json")) return terminal.print(jsonText(estimate));
		for (const line of linesOf(estimate)) terminal.print(line);
	},
};

async function printPlan(parsed: Arguments, maxBytes: number, terminal: Terminal): Promise<void> {
	const { n: vectors, ...space } = shapeOf(parsed);
	const plan = await planOf({ ...space, vectors, maxBytes });
	if (parsed.has("json")) return terminal.print(jsonText({ ...space, ...plan }));
	for (const line of planLines(plan, space)) terminal.print(line);
}

function estimateOf(parsed: Arguments): MemoryEstimate {
	const shape = shapeOf(parsed);
	const kind = chosen("--index", required(parsed, "index"), INDEX_KINDS);
	const storage = parsed.value("storage");
	const asked = storage === undefined ? [] : [`storage=${chosen("--storage", storage, STORAGES)}`];
	const options = { ...shape, ...indexSettings(kind, [...parsed.values("param"), ...asked]) };
	return asUsage(() => estimateMemory(options as EstimateOptions));
}

/** What there is to be, whatever the index. */
function shapeOf(parsed: Arguments) {
	const [extra] = parsed.positionals;
	if (extra !== undefined) throw new UsageError(`${JSON.stringify(extra)} belongs to no option.`);
	const metric = chosen("--metric", parsed.value("metric") ?? "l2", METRICS);
	const ids = parsed.value("ids");
	return {
		n: wholeNumber("--n", required(parsed, "n"), BOUNDS.maxRecords),
		dimensions: wholeNumber(
			"--dimensions",
			required(parsed, "dimensions"),
			metric === "hamming" ? BOUNDS.bits : BOUNDS.dimensions,
		),
		metric,
		...(ids !== undefined && { idBytes: wholeNumber("--ids", ids, ID_BYTES) }),
	};
}

const ID_BYTES = { min: 0, max: 65_536, integer: true } as const;

function required(parsed: Arguments, name: string): string {
	const value = parsed.value(name);
	if (value !== undefined) return value;
	throw new UsageError(`--${name} is missing.`);
}

/** The parts, what they come to, and how that compares with the vectors alone. */
function linesOf(estimate: MemoryEstimate): string[] {
	const { n, kind, dimensions, metric, settings, codeBytesPerVector, ratio, fits, mostVectors } = estimate;
	const parts: readonly (readonly [name: string, bytes: number])[] = [
		["codes", estimate.codes],
		["ids and tables", estimate.ids],
		["centroids", estimate.centroids],
		["codebooks", estimate.codebooks],
		["links", estimate.links],
		["room in part-filled blocks", estimate.slack],
		["index", estimate.index],
		["raw vectors", estimate.vectors],
		["total", estimate.total],
		["vectors on disk", estimate.onDisk],
	];
	const { header, row } = tableRows([
		{ title: "", align: "left", width: 26 },
		{ title: "bytes/vector", align: "right" },
		{ title: "bytes", align: "right", width: grouped(Math.max(estimate.total, estimate.onDisk)).length },
		{ title: "", align: "left" },
	]);
	const sums = new Set(["index", "total"]);
	const lines = parts
		.filter(([name, bytes]) => bytes > 0 || sums.has(name))
		.map(([name, bytes]) => row([name, perVectorText(bytes / n), grouped(bytes), bytesText(bytes)]));
	const parameters = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
	return [
		`${grouped(n)} vectors of ${grouped(dimensions)} dimensions, ${metric}: ${kind} ${parameters.join(" ")}`,
		...assumptions(estimate),
		header,
		...lines,
		"",
		...(ratio.codes === undefined
			? []
			: [
					`code bytes only: ${perVectorText(codeBytesPerVector)} a vector, ${ratioText(ratio.codes)} smaller than the vectors (${bytesText(codeBytesPerVector * n)})`,
				]),
		`the index without the vectors: ${ratioText(ratio.index)} smaller`,
		`all that is in memory: ${bytesText(estimate.total)}, ${ratio.total >= 1 ? `${ratioText(ratio.total)} smaller` : `${ratioText(1 / ratio.total)} larger`}`,
		fits
			? `fits in one memory of 4 GiB, as up to ${grouped(mostVectors)} of them would.`
			: `DOES NOT FIT in one memory, which ends at 4 GiB: at most ${grouped(mostVectors)} of them would. Use several collections or indexes, or fewer dimensions.`,
	];
}

function assumptions({ settings, dimensions, kind }: MemoryEstimate): string[] {
	const { rotation, width } = settings;
	if (rotation !== "opq" || width === dimensions) return [];
	return [`Training will tell how many axes ${kind} keeps; ${width} of ${grouped(dimensions)} are taken here.`];
}

function perVectorText(bytes: number): string {
	return bytes < 1_000 ? bytes.toFixed(1) : grouped(bytes);
}

function ratioText(ratio: number): string {
	return `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)}x`;
}
