import { parseArgs } from "node:util";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";

export interface TablesCommand {
	/** Tables to make, in this order. */
	readonly names: readonly string[];
	readonly scale: number;
	readonly json: boolean;
	readonly data: string;
}

/** The command line; without names, all of `known`. @throws UsageError */
export function parseTablesOptions(args: readonly string[], known: readonly string[]): TablesCommand {
	const { values, positionals } = parse(args, known);
	for (const name of positionals) {
		if (known.includes(name)) continue;
		throw new UsageError(`there is no table "${name}": the tables are ${known.join(", ")}`);
	}
	return {
		names: positionals.length === 0 ? known : [...new Set(positionals)],
		scale: values.scale === undefined ? 1 : parseScale(values.scale),
		json: values.json ?? false,
		data: values.data ?? "../shared/data",
	};
}

function parse(args: readonly string[], known: readonly string[]) {
	try {
		return parseArgs({
			args: [...args],
			allowPositionals: true,
			options: { scale: { type: "string" }, json: { type: "boolean" }, data: { type: "string" } },
		});
	} catch (error) {
		const usage = `usage: [${known.join("] [")}] [--scale S] [--json] [--data FOLDER]`;
		throw new UsageError(`${(error as Error).message}\n${usage}`);
	}
}

function parseScale(text: string): number {
	const value = Number(text);
	if (value > 0 && value <= 1) return value;
	throw new UsageError(`--scale is the share of the vectors to take, above 0 to 1, like 0.05; "${text}" is not`);
}
