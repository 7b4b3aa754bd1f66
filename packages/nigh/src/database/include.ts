import type { IncludeOptions } from "@nigh/contract";
import { type Arguments, chosen } from "../terminal/arguments.ts";

const PARTS = ["vector", "metadata", "text"] as const satisfies readonly (keyof IncludeOptions)[];

export const INCLUDE_HELP = "--include PARTS  of vector, metadata, text, with commas between; none for ids alone";

/** What is to be read with a record: what was typed, or the metadata and the defaults of the verb. */
export function includeOf(args: Arguments, defaults: IncludeOptions): IncludeOptions {
	const typed = args.value("include");
	if (typed === undefined) return { metadata: true, ...defaults };
	if (typed === "none") return { metadata: false };
	const parts = new Set(typed.split(",").map((part) => chosen("--include", part, PARTS)));
	return { vector: parts.has("vector"), metadata: parts.has("metadata"), text: parts.has("text") };
}
