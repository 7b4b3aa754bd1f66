import { parseArgs } from "node:util";
import { type Bound, checkBound, checkInteger, nearestName } from "@nigh/contract";
import { asUsage, UsageError } from "./usage-error.ts";

/** What an option takes: nothing, one value, or a value each time it is given. */
export type OptionKind = "flag" | "value" | "values";

/** A command line, taken apart and checked for options that nobody reads. */
export interface Arguments {
	has(name: string): boolean;
	/** The value of an option of kind `value`. */
	value(name: string): string | undefined;
	/** The values of an option of kind `values`, in their order. */
	values(name: string): readonly string[];
	readonly positionals: readonly string[];
}

/**
 * Takes a command line apart. Values follow as `--name value` or `--name=value`; what follows `--` is no option.
 *
 * @throws UsageError for an unknown option (naming the nearest), one without its value, with a value it does not take, or given twice.
 */
export function parseArguments(args: readonly string[], kinds: Readonly<Record<string, OptionKind>>): Arguments {
	const options = Object.fromEntries(
		Object.entries(kinds).map(([name, kind]) => [name, { type: kind === "flag" ? "boolean" : "string" } as const]),
	);
	// Not strict: its messages name no nearest option.
	const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
	const found = new Map<string, string[]>();
	const positionals: string[] = [];
	for (const token of tokens) {
		if (token.kind === "positional") positionals.push(token.value);
		if (token.kind !== "option") continue;
		const { name, rawName, value, inlineValue } = token;
		// An option of one letter may also be typed with one dash.
		const isWhole = rawName.startsWith("--") || rawName === `-${name}`;
		const kind = Object.hasOwn(kinds, name) && isWhole ? kinds[name] : undefined;
		if (kind === undefined) throw unknownOption(rawName, Object.keys(kinds));
		if (kind === "flag" && value !== undefined) throw new UsageError(`${rawName} takes no value.`);
		const isMissing = value === undefined || value === "" || (!inlineValue && value.startsWith("--"));
		if (kind !== "flag" && isMissing) {
			throw new UsageError(`${rawName} needs a value: write ${rawName} VALUE.`);
		}
		const before = found.get(name) ?? [];
		if (kind !== "values" && before.length > 0) {
			throw new UsageError(`${rawName} is given more than once; leave one.`);
		}
		found.set(name, [...before, value ?? ""]);
	}
	return {
		has: (name) => found.has(name),
		value: (name) => found.get(name)?.[0],
		values: (name) => found.get(name) ?? [],
		positionals,
	};
}

/**
 * The one of `names` that was typed.
 *
 * @param what What is chosen, for the message, e.g. `"--metric"`.
 * @throws UsageError that names the nearest.
 */
export function chosen<T extends string>(what: string, typed: string, names: readonly T[]): T {
	const name = names.find((each) => each === typed);
	if (name !== undefined) return name;
	throw new UsageError(`${what} is ${JSON.stringify(typed)}; it must be ${alternatives(names)}.${hint(typed, names)}`);
}

/**
 * The whole number that was typed.
 *
 * @throws UsageError when it is none, or outside the bound.
 */
export function wholeNumber(what: string, typed: string, bound: Bound): number {
	return asUsage(() => checkInteger(what, /^-?[0-9]+$/.test(typed) ? Number(typed) : typed, bound));
}

/**
 * The number that was typed, in digits with a point if need be.
 *
 * @throws UsageError when it is none, or outside the bound.
 */
export function plainNumber(what: string, typed: string, bound: Bound): number {
	return asUsage(() => checkBound(what, /^-?[0-9]*\.?[0-9]+$/.test(typed) ? Number(typed) : typed, bound));
}

/** `" Did you mean X?"`, or nothing when no name is near. */
export function hint(typed: string, names: readonly string[]): string {
	const nearest = nearestName(typed, names);
	return nearest === undefined ? "" : ` Did you mean ${nearest}?`;
}

/** `a, b or c`. */
export function alternatives(names: readonly string[]): string {
	return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function unknownOption(typed: string, names: readonly string[]): UsageError {
	const known = names.map((name) => `--${name}`);
	return new UsageError(
		`There is no option ${typed}.${hint(typed, [...known, "--help"])} The options are ${known.join(" ")}.`,
	);
}
