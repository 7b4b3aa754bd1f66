import { fileURLToPath } from "node:url";
import type { Bound } from "@nigh/contract";
import { chosen, parseArguments, wholeNumber } from "../../packages/nigh/src/terminal/arguments.ts";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";

export interface DatabaseBenchCommand {
	/** Measurements, in this order. */
	readonly names: readonly string[];
	readonly size: number | undefined;
	readonly json: boolean;
	/** Where the databases are made, in a folder of their own. */
	readonly data: string;
	/** Folder that the reports are written to. */
	readonly out: string | undefined;
	/** The command that measures the same again, without the places of files on this machine. */
	readonly command: string;
}

/** Ignored by git. */
export const DEFAULT_DATA = fileURLToPath(new URL("../../.cache/bench-db", import.meta.url));

const SIZE: Bound = { min: 200, max: 10_000_000, integer: true };

export const HELP = `The database in a folder: writes, opening, searches, filters, space.

Usage: npm run bench:db -- [options]

  --only NAME,...  some of the measurements (default all)
  --size N         vectors, instead of each measurement's own number
  --data FOLDER    on the disk to measure; a folder in it is made, and removed afterwards (default .cache/bench-db)
  --json           JSON instead of tables on the standard output
  --out FOLDER     writes database.json and database.md there
  --help           this text

Exit codes: 0 done, 2 the command line is wrong, 3 a target was missed.`;

const KINDS = { only: "value", size: "value", data: "value", json: "flag", out: "value" } as const;

/** The command line; without names, all of `known`. @throws UsageError */
export function parseDatabaseOptions(args: readonly string[], known: readonly string[]): DatabaseBenchCommand {
	const given = parseArguments(args, KINDS);
	if (given.positionals.length > 0) {
		throw new UsageError(`${given.positionals[0]} stands alone: name measurements as in --only ${known[0]}.`);
	}
	const only = given.value("only");
	const size = given.value("size");
	return {
		names: only === undefined ? known : [...new Set(only.split(","))].map((name) => chosen("--only", name, known)),
		size: size === undefined ? undefined : wholeNumber("--size", size, SIZE),
		json: given.has("json"),
		data: given.value("data") ?? DEFAULT_DATA,
		out: given.value("out"),
		command: [
			"npm run bench:db",
			...(only === undefined && size === undefined ? [] : ["--"]),
			...(only === undefined ? [] : [`--only ${only}`]),
			...(size === undefined ? [] : [`--size ${size}`]),
		].join(" "),
	};
}
