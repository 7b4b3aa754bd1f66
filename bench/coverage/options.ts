import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";

export interface CoverageOptions {
	/** Beginnings of names of collections, `"planted"`, `"end-to-end"` and `"power"`; none: all of it. */
	readonly names: readonly string[];
	readonly threads: number;
	readonly redraws: number | undefined;
	/** Folder of the real sets. */
	readonly data: string;
	/** Folder of the matrices. */
	readonly cache: string;
	/** File for the figures as JSON. */
	readonly out: string | undefined;
	/** Whether the section of docs/recall.md is written. */
	readonly write: boolean;
}

export const USAGE = `usage: npm run coverage:recall -- [NAME...] [options]

  NAME             collections whose names begin so, "planted", "end-to-end", "power" (default: all)
  --threads N      tasks at a time, each a thread (default: as many as there are cores, at most 8)
  --redraws N      certification samples of each cell (default 2000)
  --data FOLDER    with the real sets (default ../shared/data); those that are not there are left out
  --cache FOLDER   where matrices are kept, so that a run goes on where it was stopped (default .cache/coverage)
  --out FILE       all figures as JSON
  --write          writes the section of docs/recall.md`;

/** @throws UsageError */
export function parseCoverageOptions(args: readonly string[]): CoverageOptions {
	const { values, positionals } = parse(args);
	return {
		names: positionals,
		threads:
			values.threads === undefined ? Math.min(8, availableParallelism()) : count("--threads", values.threads, 64),
		redraws: values.redraws === undefined ? undefined : count("--redraws", values.redraws, 1_000_000),
		data: values.data ?? process.env.NIGH_BENCH_DATA ?? "../shared/data",
		cache: values.cache ?? fileURLToPath(new URL("../../.cache/coverage", import.meta.url)),
		out: values.out,
		write: values.write ?? false,
	};
}

function parse(args: readonly string[]) {
	try {
		return parseArgs({
			args: [...args],
			allowPositionals: true,
			options: {
				threads: { type: "string" },
				redraws: { type: "string" },
				data: { type: "string" },
				cache: { type: "string" },
				out: { type: "string" },
				write: { type: "boolean" },
			},
		});
	} catch (error) {
		throw new UsageError(`${(error as Error).message}\n${USAGE}`);
	}
}

function count(option: string, text: string, most: number): number {
	const value = Number(text);
	if (Number.isInteger(value) && value >= 1 && value <= most) return value;
	throw new UsageError(`${option} is a whole number from 1 to ${most}; "${text}" is not`);
}
