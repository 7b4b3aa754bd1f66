import type { IncludeOptions } from "@nigh/contract";
import { type Arguments, chosen } from "../terminal/arguments.ts";

const PARTS = ["vector", "metadata", "text"] as const satisfies readonly (keyof IncludeOptions)[];

/** Its line in the help of a verb; the column that the text stands in, and the default, are the caller's. */
export function includeHelp(column: number, byDefault: string): string {
	return `  ${"--include PARTS".padEnd(column)}some of ${PARTS.join(",")}, or none; default ${byDefault}`;
}

/** What is to be read with a record: what was typed, or the metadata and the defaults of the verb. */
export function includeOf(args: Arguments, defaults: IncludeOptions): IncludeOptions {
	const typed = args.value("include");
	if (typed === undefined) return { metadata: true, ...defaults };
	if (typed === "none") return { metadata: false };
	const parts = new Set(typed.split(",").map((part) => chosen("--include", part, PARTS)));
	return { vector: parts.has("vector"), metadata: parts.has("metadata"), text: parts.has("text") };
}
