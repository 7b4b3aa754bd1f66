import type { Arguments, OptionKind } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** Options of every verb that looks into a database. */
export const DATA_OPTIONS = { data: "value", json: "flag" } as const satisfies Readonly<Record<string, OptionKind>>;

const DEFAULT_FOLDER = "./nigh-data";

/** Their lines in the help of a verb; the column that the texts stand in is the caller's. */
export function dataHelp(column: number): string {
	return [
		["--data DIR", `the database's folder; default $NIGH_DATA or ${DEFAULT_FOLDER}`],
		["--json", "JSON, for programs"],
	]
		.map(([option = "", text]) => `  ${option.padEnd(column)}${text}`)
		.join("\n");
}

/** The folder of the database that a command line, or the environment, names. */
export function dataFolder(
	args: Arguments,
	environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
	const named = args.value("data");
	const folder = named ?? (environment.NIGH_DATA || DEFAULT_FOLDER);
	const origin = named === undefined ? "NIGH_DATA" : "--data";
	if (folder === ":memory:") {
		throw new UsageError(`${origin} is ":memory:", which is gone when a command has ended; it must be a folder.`);
	}
	if (/^[a-z][a-z0-9+.-]*:\/\//i.test(folder)) {
		throw new UsageError(`${origin} is a URL; this version opens folders only.`);
	}
	return folder;
}
