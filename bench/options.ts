import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { BOUNDS, type Bound } from "@nigh/contract";
import {
	type Arguments,
	alternatives,
	chosen,
	hint,
	type OptionKind,
	parseArguments,
	wholeNumber,
} from "../packages/nigh/src/terminal/arguments.ts";
import { UsageError } from "../packages/nigh/src/terminal/usage-error.ts";
import { ENGINES, type EngineEntry, missing } from "./engines/registry.ts";
import { CANDIDATE_KNOBS } from "./engines/setting.ts";
import type { RunOptions } from "./run/interleave.ts";
import { KNOWN_SETS } from "./sets/known.ts";
import type { SetOptions } from "./sets/load.ts";
import { MADE_SETS } from "./sets/made.ts";

export interface BenchOptions {
	readonly set: SetOptions;
	readonly run: Omit<RunOptions, "onStep">;
	/** JSON instead of tables on the standard output. */
	readonly json: boolean;
	/** Folder that the reports are written to. */
	readonly out: string | undefined;
	/** The command that measures the same again, without the places of files on this machine. */
	readonly command: string;
}

/** What is not on the command line. */
export interface Surroundings {
	readonly engines?: Readonly<Record<string, EngineEntry>>;
	readonly env?: Readonly<Record<string, string | undefined>>;
}

interface Option {
	readonly kind: OptionKind;
	readonly argument?: string;
	readonly about: string;
	/** Says where files are, or where the report goes, and not what is measured. */
	readonly isPlace?: boolean;
}

const MADE = Object.keys(MADE_SETS);
const SETS = [...MADE, ...Object.keys(KNOWN_SETS)];
const OF_ANY_DIMENSIONS = MADE.filter((name) => MADE_SETS[name]?.dimensions === undefined);
/** More recall than this no larger setting has to show. */
const ENOUGH_RECALL = 0.998;

/** A combination of knobs that takes so many times longer than another that finds as much is not worth more passes. */
const TOO_SLOW = 1.5;

const LEAST_ONE = { min: 1, integer: true } as const;
const COUNTS = {
	n: { ...LEAST_ONE, max: 100_000_000 },
	queries: { ...LEAST_ONE, max: 1_000_000 },
	seed: { min: 0, max: 0xffffffff, integer: true },
	passes: { ...LEAST_ONE, max: 1_000 },
} as const satisfies Record<string, Bound>;
const KNOBS = {
	ef: BOUNDS.ef,
	nprobe: { ...LEAST_ONE, max: 1_000_000 },
	rerank: BOUNDS.ef,
} as const satisfies Record<string, Bound>;

const OPTIONS: Readonly<Record<string, Option>> = {
	set: {
		kind: "value",
		argument: "NAME|FILE",
		about: "a set by its name, or a file of vectors (default generated)",
	},
	data: {
		kind: "value",
		argument: "FOLDER",
		about: "holds the named sets (default NIGH_BENCH_DATA, else bench/data)",
		isPlace: true,
	},
	n: {
		kind: "value",
		argument: "N",
		about: "vectors: of a file the first ones (default all); of a made set (default: its own number)",
	},
	dimensions: { kind: "value", argument: "N", about: `of ${OF_ANY_DIMENSIONS.join(" and ")} (default 128)` },
	queries: { kind: "value", argument: "N", about: "the most queries to ask (default 1000)" },
	metric: { kind: "value", argument: "l2|cosine", about: "default: the set's own, else l2" },
	seed: { kind: "value", argument: "N", about: "of the sets that are made (default 1)" },
	peers: { kind: "value", argument: "A,B", about: "engines beside Nigh: names, none, or installed (default)" },
	k: { kind: "value", argument: "N", about: "neighbours of a query (default 10)" },
	M: { kind: "value", argument: "N", about: "links of a node in graphs (default 16)" },
	"ef-construction": { kind: "value", argument: "N", about: "beam width while building, at least 2 M (default 200)" },
	ef: { kind: "value", argument: "A,B", about: "beam widths, all measured (default: each engine's own)" },
	nprobe: { kind: "value", argument: "A,B", about: "cells to scan, all measured (default: each engine's own)" },
	rerank: { kind: "value", argument: "A,B", about: "candidates to re-rank, all measured (default: each engine's own)" },
	passes: { kind: "value", argument: "N", about: "timed passes over each setting (default 5)" },
	json: { kind: "flag", about: "JSON instead of tables", isPlace: true },
	out: { kind: "value", argument: "FOLDER", about: "writes NAME.json, NAME.svg and NAME.md there", isPlace: true },
};

export const HELP = `Nigh beside its peers on one set: recall and queries a second, one thread each, interleaved.

Usage: npm run bench -- [options]

${[...Object.entries(OPTIONS), ["help", { argument: undefined, about: "this text" }] as const]
	.map(([name, { argument, about }]) => `  ${`--${name} ${argument ?? ""}`.padEnd(22)}${about}`)
	.join("\n")}

Sets: ${SETS.join(", ")}.

Exit codes: 0 done, 1 an engine failed, 2 the command line is wrong.`;

/** @throws UsageError that says what is wrong with the command line, and what to write. */
export function parseOptions(args: readonly string[], surroundings: Surroundings = {}): BenchOptions {
	const { engines: registry = ENGINES, env = process.env } = surroundings;
	const given = parseArguments(
		args,
		Object.fromEntries(Object.entries(OPTIONS).map(([name, { kind }]) => [name, kind])),
	);
	if (given.positionals.length > 0) {
		throw new UsageError(
			`${given.positionals[0]} stands alone: every value follows its option, as in --set generated.`,
		);
	}
	const count = <Fallback>(name: string, bound: Bound, fallback: Fallback): number | Fallback => {
		const text = given.value(name);
		return text === undefined ? fallback : wholeNumber(`--${name}`, text, bound);
	};
	const k = count("k", BOUNDS.k, 10);
	const set = parseSet(given, count, k, env);
	const M = count("M", BOUNDS.M, 16);
	const efConstruction = count("ef-construction", BOUNDS.efConstruction, 200);
	if (efConstruction < 2 * M) {
		throw new UsageError(
			`--ef-construction is ${efConstruction}; beside --M ${M} it must be at least ${2 * M}, twice as much.`,
		);
	}
	const knobs = parseKnobs(given, k);
	const engines = parseEngines(given.value("peers") ?? "installed", registry);
	const passes = count("passes", COUNTS.passes, 5);
	// Settings that were asked for are all measured, however much recall or time another has.
	const isAsked = Object.keys(knobs).length > 0;
	const enough = isAsked ? Number.POSITIVE_INFINITY : ENOUGH_RECALL;
	const slower = isAsked ? Number.POSITIVE_INFINITY : TOO_SLOW;
	return {
		set,
		run: { engines, k, M, efConstruction, passes, enough, slower, knobs },
		json: given.has("json"),
		out: given.value("out"),
		command: commandLine(given, engines),
	};
}

function parseSet(
	given: Arguments,
	count: <Fallback>(name: string, bound: Bound, fallback: Fallback) => number | Fallback,
	k: number,
	env: Readonly<Record<string, string | undefined>>,
): SetOptions {
	const set = given.value("set") ?? "generated";
	const made = Object.hasOwn(MADE_SETS, set) ? MADE_SETS[set] : undefined;
	if (!SETS.includes(set) && !existsSync(set)) {
		throw new UsageError(`--set ${set} is no file, nor one of ${SETS.join(", ")}.${hint(set, SETS)}`);
	}
	const owners = { dimensions: OF_ANY_DIMENSIONS, seed: MADE };
	for (const [name, sets] of Object.entries(owners)) {
		if (sets.includes(set) || !given.has(name)) continue;
		throw new UsageError(`--${name} is for the sets ${alternatives(sets)}: leave it out beside --set ${set}.`);
	}
	const n = count("n", COUNTS.n, made?.n);
	if (n !== undefined && n < k) {
		throw new UsageError(`--n is ${n}; it must be at least ${k}, the neighbours that --k asks for.`);
	}
	const metric = given.value("metric");
	return {
		set,
		data: given.value("data") ?? env.NIGH_BENCH_DATA ?? join(import.meta.dirname, "data"),
		n,
		dimensions: count("dimensions", BOUNDS.dimensions, 128),
		queries: count("queries", COUNTS.queries, 1_000),
		metric: metric === undefined ? undefined : chosen("--metric", metric, ["l2", "cosine"] as const),
		seed: count("seed", COUNTS.seed, 1),
		k,
	};
}

/** The values of each knob that was asked for, from fast to sure, each once: that is the order in which they are asked. */
function parseKnobs(given: Arguments, k: number): Record<string, number[]> {
	const knobs: Record<string, number[]> = {};
	for (const [name, bound] of Object.entries(KNOBS)) {
		const text = given.value(name);
		if (text === undefined) continue;
		const least = CANDIDATE_KNOBS.includes(name) ? k : bound.min;
		const values = text
			.split(",")
			.map((each) => wholeNumber(`each number of --${name}`, each, { ...bound, min: least }));
		knobs[name] = [...new Set(values)].sort((a, b) => a - b);
	}
	return knobs;
}

/** Nigh first, whatever else was named. */
function parseEngines(text: string, registry: Readonly<Record<string, EngineEntry>>): string[] {
	const known = Object.keys(registry).filter((name) => name !== "nigh");
	const isInstalled = (name: string) => missing(registry[name] as EngineEntry) === undefined;
	if (text === "none") return ["nigh"];
	if (text === "installed") return ["nigh", ...known.filter(isInstalled)];
	const names = [...new Set(text.split(",").map((name) => name.trim()))].filter((name) => name !== "nigh");
	for (const name of names) {
		chosen("--peers", name, [...known, "none", "installed"]);
		if (!known.includes(name)) throw new UsageError(`--peers ${name} stands alone: leave the other names out.`);
		if (!isInstalled(name)) {
			throw new UsageError(`--peers ${name} is not installed: run npm run bench:setup, or leave it out.`);
		}
	}
	return ["nigh", ...names];
}

function commandLine(given: Arguments, engines: readonly string[]): string {
	const words = Object.entries(OPTIONS).flatMap(([name, { isPlace }]) => {
		const value = name === "set" ? basename(given.value(name) ?? "generated") : given.value(name);
		if (name === "peers") return ["--peers", engines.slice(1).join(",") || "none"];
		return isPlace || value === undefined
			? []
			: [`--${name}`, /^[\w.,-]+$/.test(value) ? value : JSON.stringify(value)];
	});
	return ["npm run bench --", ...words].join(" ");
}
