import { availableParallelism } from "node:os";
import { checkInteger, checkOptions, NighError } from "@nigh/contract";
import type { Durability } from "./records/connection.ts";

export interface OpenOptions {
	/**
	 * Read what another process writes, or a database that must not change: no lock is taken and nothing is written. Shows the state as of
	 * opening; `refresh()` brings what was written since. Default: false.
	 */
	readonly readOnly?: boolean;
	/** Make the folder, and the database in it, where there is none. Default: true, except with `readOnly`. */
	readonly create?: boolean;
	/**
	 * What an acknowledged write survives. `"full"` (default): a power cut; every group of writes waits for the disk. `"normal"`: a kill of the
	 * process at any moment; a power cut may take the last writes, never the order or the file. Faster where writes come one by one.
	 */
	readonly durability?: Exclude<Durability, "off">;
	/** Threads that build indexes, 1 to 64. Default: one less than the machine runs at a time. */
	readonly threads?: number;
	/** ms between two looks for records that have expired or are older than `maxAgeMs`, 0 for never, default 60,000. They are hidden at once in any case. */
	readonly pruneEveryMs?: number;
	/** The clock: ms since 1970. Default: `Date.now`. */
	readonly now?: () => number;
}

export interface Settings {
	readonly readOnly: boolean;
	readonly create: boolean;
	readonly durability: Durability;
	readonly threads: number;
	readonly pruneEveryMs: number;
	readonly now: () => number;
}

const NAMES = [
	"readOnly",
	"create",
	"durability",
	"threads",
	"pruneEveryMs",
	"now",
] as const satisfies readonly (keyof OpenOptions)[];
const DURABILITIES = ["full", "normal"] as const;
const THREADS = { min: 1, max: 64 } as const;
const PRUNE_EVERY = { min: 0, max: 2 ** 31 - 1, default: 60_000, unit: "ms" } as const;

/** @throws NighError `INVALID_OPTION` naming the option, the value and what it may be. */
export function settingsOf(options: OpenOptions, isMemory: boolean): Settings {
	checkOptions(options, NAMES, "open");
	const { readOnly = false, create = !readOnly, durability = "full", now = Date.now } = options;
	checkFlag("readOnly", readOnly);
	checkFlag("create", create);
	if (!DURABILITIES.includes(durability)) {
		throw new NighError(
			"INVALID_OPTION",
			`durability is ${JSON.stringify(durability)}; it must be "full" or "normal".`,
			{
				field: "durability",
				value: durability,
			},
		);
	}
	if (typeof now !== "function") {
		throw new NighError("INVALID_OPTION", "now must be a function that gives milliseconds since 1970.", {
			field: "now",
		});
	}
	if (isMemory && readOnly) {
		throw new NighError("INVALID_OPTION", "a database in memory is empty: it cannot be opened with readOnly.", {
			field: "readOnly",
		});
	}
	return {
		readOnly,
		create,
		durability: isMemory ? "off" : durability,
		threads: checkInteger("threads", options.threads ?? Math.max(1, availableParallelism() - 1), THREADS),
		pruneEveryMs: checkInteger("pruneEveryMs", options.pruneEveryMs ?? PRUNE_EVERY.default, PRUNE_EVERY),
		now,
	};
}

export function checkFlag(field: string, value: unknown): void {
	if (value === undefined || typeof value === "boolean") return;
	throw new NighError("INVALID_OPTION", `${field} is ${JSON.stringify(value)}; it must be true or false.`, {
		field,
		value,
	});
}
