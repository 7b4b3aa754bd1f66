import {
	BOUNDS,
	type Bound,
	INDEX_KINDS,
	type IndexKind,
	NLIST_RULES,
	PQ_PROFILES,
	ROTATIONS,
	STORAGES,
} from "@nigh/contract";
import type { VectorFormat } from "@nigh/formats";
import { adaptiveEf, type IvfOptions, PRESETS } from "@nigh/index";
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
	rerank: "value",
	k: "value",
	limit: "value",
	queries: "value",
	threads: "value",
	json: "flag",
};

export type PresetName = keyof typeof PRESETS;
export type CodesName = "auto" | "none" | "sq7";

type CellParameters = Pick<
	IvfOptions,
	"nlist" | "M" | "bits" | "rotation" | "residual" | "profile" | "epsilon" | "storage" | "seed" | "codes"
>;

/** What an index is built with; what is absent is left to its defaults. */
export interface BuildParameters extends CellParameters {
	readonly preset?: PresetName;
	readonly efConstruction?: number;
	readonly mL?: number;
}

/** What a search is asked with; what is absent is left to the index. */
export interface SearchParameters {
	readonly ef?: number;
	readonly nprobe?: number;
	readonly rerank?: number;
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
	readonly index: IndexKind;
	readonly build: BuildParameters;
	/** What to measure, one operating point each. */
	readonly searches: readonly SearchParameters[];
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

/** A value as it was typed, checked as far as it can be without the index that takes it. */
type Reader = (what: string, typed: string) => number | string | boolean;

const number: Reader = (what, typed) => plainNumber(what, typed);
const codes: Reader = (what, typed) => chosen(what, typed, CODES);
const nlist: Reader = (what, typed) =>
	/^[-+.0-9]/.test(typed) ? number(what, typed) : chosen(what, typed, NLIST_RULES);
const rotation: Reader = (what, typed) => chosen(what, typed, ROTATIONS);
const residual: Reader = (what, typed) => chosen(what, typed, ["true", "false"]) === "true";
const storage: Reader = (what, typed) => chosen(what, typed, STORAGES);
const profile: Reader = (what, typed) => chosen(what, typed, PQ_PROFILES);

/** What `--param` can set of a build, by index. */
const BUILD: Readonly<Record<IndexKind, Readonly<Record<string, Reader>>>> = {
	flat: { codes },
	hnsw: { M: number, efConstruction: number, codes, seed: number, mL: number },
	ivf: { nlist, rotation, storage, codes, seed: number },
	ivfpq: { nlist, M: number, bits: number, rotation, residual, profile, storage, seed: number },
	ivfrabitq: { nlist, bits: number, epsilon: number, storage, seed: number },
};

/** What `--param` can list values of, since searches alone depend on it. */
const LISTED: Readonly<Record<IndexKind, "ef" | "nprobe" | undefined>> = {
	flat: undefined,
	hnsw: "ef",
	ivf: "nprobe",
	ivfpq: "nprobe",
	ivfrabitq: "nprobe",
};

/**
 * Reads the command line of `nigh eval`. The bounds of the build parameters are the affair of the index that takes them.
 *
 * @throws UsageError.
 */
export function evalSettings(args: Arguments): EvalSettings {
	const [extra] = args.positionals;
	if (extra !== undefined)
		throw new UsageError(`${JSON.stringify(extra)} belongs to no option; files go to --base and --query.`);
	const index = chosen("--index", args.value("index") ?? "hnsw", INDEX_KINDS);
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
	if (index !== "hnsw" && preset !== undefined) throw notFor(index, "--preset", "it has no graph to build");
	if (index === "flat" && threads > 1) throw notFor(index, "--threads", "its build only copies the rows");
	const { build, listed } = parametersOf(args.values("param"), index, k);
	const reranks = reranksOf(args.value("rerank"), index, k);
	return {
		base: vectorFile("--base", required(args, "base")),
		query: vectorFile("--query", required(args, "query")),
		truth: truth === undefined ? undefined : truthFile(truth),
		metric: chosen("--metric", required(args, "metric"), FLOAT_METRICS),
		index,
		build: { ...(preset !== undefined && { preset }), ...build },
		searches: searchesOf(index, listed, reranks, Math.max(PRESETS[preset ?? "balanced"].ef, adaptiveEf(k))),
		k,
		limit,
		queries: numberOf(args, "queries", ROWS),
		threads,
		json: args.has("json"),
	};
}

/** Reads the `name=value` texts of `--param`. Only what searches alone depend on may list several values: others would each need a build of their own. */
function parametersOf(
	texts: readonly string[],
	index: IndexKind,
	k: number,
): { readonly build: BuildParameters; readonly listed: readonly number[] } {
	const readers = BUILD[index];
	const ofSearch = LISTED[index];
	const known = [...Object.keys(readers), ...(ofSearch === undefined ? [] : [ofSearch])];
	const given = new Map<string, string[]>();
	for (const text of texts) {
		const [, name, list] = /^([^=]*)=(.*)$/.exec(text) ?? [];
		if (name === undefined || list === undefined) {
			throw new UsageError(
				`--param is ${JSON.stringify(text)}; it must be NAME=VALUE, e.g. ${ofSearch ?? known[0]}=40.`,
			);
		}
		if (!known.includes(name)) {
			throw new UsageError(
				`${index} has no parameter ${JSON.stringify(name)}.${hint(name, known)} --param takes ${alternatives(known)}.`,
			);
		}
		if (given.has(name)) {
			throw new UsageError(
				`--param ${name} is given more than once; ${name === ofSearch ? `list the values: ${name}=10,20` : "leave one"}.`,
			);
		}
		const values = list.split(",");
		if (name !== ofSearch && values.length > 1) {
			const which = ofSearch === undefined ? "" : `; only ${ofSearch} may list several`;
			throw new UsageError(
				`--param ${name} takes one value, not ${values.length}: each would be another build. Run nigh eval once for each${which}.`,
			);
		}
		given.set(name, values);
	}
	const build: Record<string, number | string | boolean> = {};
	let listed: number[] = [];
	for (const [name, values] of given) {
		const read = readers[name];
		if (read !== undefined) build[name] = read(`--param ${name}`, values[0] as string);
		else listed = values.map((value) => wholeNumber(`--param ${name}`, value, searchBound(index, k)));
	}
	return { build, listed };
}

function searchBound(index: IndexKind, k: number): Bound {
	return index === "hnsw" ? { ...BOUNDS.ef, min: k } : BOUNDS.nprobe;
}

/** The values of `--rerank`: candidates that are ranked again by their vectors. */
function reranksOf(typed: string | undefined, index: IndexKind, k: number): readonly number[] {
	if (typed === undefined) return [];
	if (index !== "ivfpq" && index !== "ivfrabitq")
		throw notFor(index, "--rerank", "it has no coarser codes to rank again");
	return typed.split(",").map((value) => {
		const rerank = wholeNumber("--rerank", value, BOUNDS.rerank);
		return rerank === 0 ? 0 : wholeNumber("--rerank", value, { ...BOUNDS.rerank, min: k });
	});
}

/** Every listed value with every depth of re-ranking. */
function searchesOf(
	index: IndexKind,
	listed: readonly number[],
	reranks: readonly number[],
	usualEf: number,
): readonly SearchParameters[] {
	const name = LISTED[index];
	if (name === undefined) return [{}];
	const usual: SearchParameters = name === "ef" ? { ef: usualEf } : {};
	const first: readonly SearchParameters[] = listed.length === 0 ? [usual] : listed.map((value) => ({ [name]: value }));
	if (reranks.length === 0) return first;
	return first.flatMap((search) => reranks.map((rerank) => ({ ...search, rerank })));
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

/**
 * A file of vectors that an option names.
 *
 * @throws UsageError for a format that is not known, or holds none.
 */
export function vectorFile(option: string, path: string): InputFile {
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

function notFor(index: IndexKind, option: string, reason: string): UsageError {
	return new UsageError(`${option} is not for --index ${index}: ${reason}.`);
}
