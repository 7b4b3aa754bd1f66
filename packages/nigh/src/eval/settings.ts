import { BOUNDS } from "@nigh/contract";
import type { VectorFormat } from "@nigh/formats";
import { adaptiveEf, PRESETS } from "@nigh/index";
import { MAX_THREADS } from "@nigh/threads";
import { type Arguments, alternatives, chosen, hint, type OptionKind, wholeNumber } from "../terminal/arguments.ts";
import { typedFormat } from "../terminal/typed-format.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { FLOAT_METRICS, type FloatMetric } from "./exact-distance.ts";

export const EVAL_OPTIONS: Readonly<Record<string, OptionKind>> = {
	base: "value",
	query: "value",
	truth: "value",
	metric: "value",
	index: "value",
	preset: "value",
	param: "values",
	k: "value",
	limit: "value",
	queries: "value",
	threads: "value",
	json: "flag",
};

export type IndexName = "flat" | "hnsw";
export type PresetName = keyof typeof PRESETS;
export type CodesName = "auto" | "none" | "sq7";

/** What an index is built with; what is absent is left to its defaults. */
export interface BuildParameters {
	readonly preset?: PresetName;
	readonly M?: number;
	readonly efConstruction?: number;
	readonly mL?: number;
	readonly seed?: number;
	readonly codes?: CodesName;
}

export interface InputFile {
	/** The option that named it, for messages. */
	readonly option: string;
	readonly path: string;
	readonly format: VectorFormat;
}

/** An evaluation, as the command line asks for it. */
export interface EvalSettings {
	readonly base: InputFile;
	readonly query: InputFile;
	readonly truth: InputFile | undefined;
	readonly metric: FloatMetric;
	readonly index: IndexName;
	readonly build: BuildParameters;
	/** Beam widths to measure, one operating point each; empty for flat. */
	readonly efs: readonly number[];
	readonly k: number;
	/** Rows of the base to take. */
	readonly limit: number | undefined;
	/** Queries to take. */
	readonly queries: number | undefined;
	/** Threads of the build. */
	readonly threads: number;
	readonly json: boolean;
}

const CODES = ["auto", "none", "sq7"] as const;
const THREADS = { min: 1, max: MAX_THREADS, integer: true } as const;
const ROWS = { min: 1, max: BOUNDS.maxRecords.max, integer: true } as const;

/** What `--param` can set, by index. */
const PARAMETERS = {
	flat: ["codes"],
	hnsw: ["M", "efConstruction", "ef", "codes", "seed", "mL"],
} as const satisfies Record<IndexName, readonly string[]>;

/**
 * Reads the command line of `nigh eval`. The bounds of the build parameters are the affair of the index that takes them.
 *
 * @throws UsageError.
 */
export function evalSettings(args: Arguments): EvalSettings {
	const [extra] = args.positionals;
	if (extra !== undefined)
		throw new UsageError(`${JSON.stringify(extra)} belongs to no option; files go to --base and --query.`);
	const index = chosen("--index", args.value("index") ?? "hnsw", ["flat", "hnsw"]);
	const k = numberOf(args, "k", BOUNDS.k) ?? BOUNDS.k.default;
	const presetText = args.value("preset");
	const preset = presetText === undefined ? undefined : chosen("--preset", presetText, presetNames());
	const threads = numberOf(args, "threads", THREADS) ?? 1;
	const limit = numberOf(args, "limit", ROWS);
	const truth = args.value("truth");
	if (truth !== undefined && limit !== undefined) {
		throw new UsageError(
			"--truth and --limit exclude each other: the neighbours in the file are those of the whole base. Leave out --truth and they are computed.",
		);
	}
	if (index === "flat" && preset !== undefined) throw notForFlat("--preset", "it has no graph to build");
	if (index === "flat" && threads > 1) throw notForFlat("--threads", "its build only copies the rows");
	const { efs, ...build } = parametersOf(args.values("param"), index, k);
	return {
		base: vectorFile("--base", required(args, "base")),
		query: vectorFile("--query", required(args, "query")),
		truth: truth === undefined ? undefined : truthFile(truth),
		metric: chosen("--metric", required(args, "metric"), FLOAT_METRICS),
		index,
		build: { ...(preset !== undefined && { preset }), ...build },
		efs: index === "flat" ? [] : (efs ?? [Math.max(PRESETS[preset ?? "balanced"].ef, adaptiveEf(k))]),
		k,
		limit,
		queries: numberOf(args, "queries", ROWS),
		threads,
		json: args.has("json"),
	};
}

/** Reads the `name=value` texts of `--param`. Only `ef` may list several values: the others would each need a build of their own. */
function parametersOf(texts: readonly string[], index: IndexName, k: number): BuildParameters & { efs?: number[] } {
	const known: readonly string[] = PARAMETERS[index];
	const given = new Map<string, string[]>();
	for (const text of texts) {
		const [, name, list] = /^([^=]*)=(.*)$/.exec(text) ?? [];
		if (name === undefined || list === undefined) {
			throw new UsageError(`--param is ${JSON.stringify(text)}; it must be NAME=VALUE, e.g. ef=40.`);
		}
		if (!known.includes(name)) {
			throw new UsageError(
				`${index} has no parameter ${JSON.stringify(name)}.${hint(name, known)} --param takes ${alternatives(known)}.`,
			);
		}
		if (given.has(name)) {
			throw new UsageError(
				`--param ${name} is given more than once; ${name === "ef" ? "list the values: ef=10,20" : "leave one"}.`,
			);
		}
		const values = list.split(",");
		if (name !== "ef" && values.length > 1) {
			throw new UsageError(
				`--param ${name} takes one value, not ${values.length}: each would be another build. Run nigh eval once for each; only ef may list several.`,
			);
		}
		given.set(name, values);
	}
	const result: { -readonly [P in keyof BuildParameters]: BuildParameters[P] } & { efs?: number[] } = {};
	for (const [name, values] of given) {
		const [first] = values as [string];
		if (name === "ef") result.efs = values.map((value) => wholeNumber("--param ef", value, { ...BOUNDS.ef, min: k }));
		else if (name === "codes") result.codes = chosen("--param codes", first, CODES);
		else result[name as "M" | "efConstruction" | "mL" | "seed"] = plainNumber(`--param ${name}`, first);
	}
	return result;
}

function plainNumber(what: string, typed: string): number {
	if (/^-?[0-9]+(\.[0-9]+)?$/.test(typed)) return Number(typed);
	throw new UsageError(`${what} is ${JSON.stringify(typed)}; it must be a number.`);
}

function presetNames(): PresetName[] {
	return Object.keys(PRESETS) as PresetName[];
}

function numberOf(args: Arguments, name: string, bound: Parameters<typeof wholeNumber>[2]): number | undefined {
	const typed = args.value(name);
	return typed === undefined ? undefined : wholeNumber(`--${name}`, typed, bound);
}

function required(args: Arguments, name: string): string {
	const value = args.value(name);
	if (value !== undefined) return value;
	throw new UsageError(`--${name} is missing.`);
}

function vectorFile(option: string, path: string): InputFile {
	const format = typedFormat(path);
	if (format !== "ivecs") return { option, path, format };
	throw new UsageError(
		`${option} is ${JSON.stringify(path)}: an ivecs file holds ids of neighbours; vectors are fvecs, bvecs, npy or jsonl.`,
	);
}

function truthFile(path: string): InputFile {
	const format = typedFormat(path);
	if (format === "ivecs") return { option: "--truth", path, format };
	throw new UsageError(
		`--truth is ${JSON.stringify(path)}; it must be an ivecs file: for each query the ids of its neighbours, nearest first.`,
	);
}

function notForFlat(option: string, reason: string): UsageError {
	return new UsageError(`${option} is not for --index flat: ${reason}.`);
}
