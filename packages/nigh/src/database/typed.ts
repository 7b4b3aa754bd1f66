import { checkCollectionName, checkId, type Filter, type Id, isNighError, parseFilter } from "@nigh/contract";
import type { Arguments } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** What stands in a command line beside options, one for each name, and no more. */
export function positionalsOf(args: Arguments, verb: string, names: readonly string[]): string[] {
	const { positionals } = args;
	const missing = names[positionals.length];
	if (missing !== undefined) throw new UsageError(`${missing} is missing: nigh ${verb} ${names.join(" ")}.`);
	const extra = positionals[names.length];
	if (extra === undefined) return [...positionals];
	const takes = names.length === 0 ? "nothing but options" : names.join(" ");
	throw new UsageError(`${verb} takes ${takes}; ${JSON.stringify(extra)} is one too many.`);
}

/** A name that a collection can have. */
export function collectionName(typed: string): string {
	return typedAs(() => checkCollectionName(typed));
}

export function typedId(typed: string): Id {
	return typedAs(() => checkId(typed));
}

/** The filter that was typed as JSON; `undefined` where none was. */
export function filterOf(args: Arguments): Filter | undefined {
	const typed = args.value("filter");
	if (typed === undefined) return undefined;
	const filter = jsonOf("--filter", typed, `'{"type":"lesson"}'`);
	typedAs(() => parseFilter(filter));
	return filter as Filter;
}

/** A value typed as JSON. */
export function jsonOf(what: string, typed: string, example: string): unknown {
	try {
		return JSON.parse(typed);
	} catch (cause) {
		const reason = cause instanceof Error ? cause.message : String(cause);
		throw new UsageError(`${what} is no JSON (${reason}); write e.g. ${what} ${example}, in quotes.`, { cause });
	}
}

/** What the library refuses of something typed is wrong usage, not failed work. */
function typedAs<T>(check: () => T): T {
	try {
		return check();
	} catch (error) {
		throw isNighError(error) ? new UsageError(error.message, { cause: error }) : error;
	}
}
