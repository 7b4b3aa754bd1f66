import { availableParallelism } from "node:os";
import { BOUNDS, checkBound, checkInteger, checkOptions, isNighError, NighError, nearestName } from "@nigh/contract";
import type { Durability } from "./records/connection.ts";

export interface OpenOptions {
	/**
	 * Read what another process writes, or a database that must not change: no lock is taken and nothing is written. Every answer is of one
	 * committed state (of a scan, every page): `get`, `count` and `scan` read the newest; a search reads that of its collection's opening or last
	 * `refresh()`, or a newer one. Default: false.
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
	/**
	 * ms between two looks for records that have expired or are older than `maxAgeMs`, 0 for never, default 60,000. What has expired is out of
	 * sight at once in any case; what is older than `maxAgeMs` is there until such a look, or a `prune`, deletes it.
	 */
	readonly pruneEveryMs?: number;
	/**
	 * The clock: ms since 1970, fractions are dropped. Default: `Date.now`. Records come and go by it: should it go back by more than a second, what
	 * had expired and has not been deleted yet is there again. The clocks of threads that share a database must agree to within a second.
	 */
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
		throw new NighError("INVALID_OPTION", `durability is ${shown(durability)}; it must be "full" or "normal".`, {
			field: "durability",
			value: durability,
		});
	}
	const clock = clockOf(now);
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
		now: clock,
	};
}

export function checkPath(field: string, path: unknown): void {
	if (typeof path === "string" && path.trim() !== "" && !path.includes("\0")) return;
	throw new NighError("INVALID_OPTION", `${field} is ${shown(path)}; it must be the path of a folder or a file.`, {
		field,
		value: path,
	});
}

export function checkFlag(field: string, value: unknown): void {
	if (value === undefined || typeof value === "boolean") return;
	throw new NighError("INVALID_OPTION", `${field} is ${shown(value)}; it must be true or false.`, { field, value });
}

/**
 * The one of `names` that `value` is.
 *
 * @throws NighError `INVALID_OPTION` that names the nearest.
 */
export function oneOf<T extends string>(field: string, value: unknown, names: readonly T[]): T {
	const known = names.find((name) => name === value);
	if (known !== undefined) return known;
	const nearest = typeof value === "string" ? nearestName(value, names) : undefined;
	const hint = nearest === undefined ? "" : ` Did you mean ${JSON.stringify(nearest)}?`;
	throw new NighError(
		"INVALID_OPTION",
		`${field} is ${JSON.stringify(value)}; it must be one of ${names.join(", ")}.${hint}`,
		{
			field,
			value,
		},
	);
}

/**
 * The clock, checked each time that it is read: what it tells is stored with records.
 *
 * @throws NighError `INVALID_OPTION`, and so does the clock where it tells no time.
 */
export function clockOf(now: unknown): () => number {
	if (now === Date.now) return Date.now;
	if (typeof now !== "function") throw wrongClock(now);
	const clock = () => {
		const time = now();
		if (typeof time !== "number") throw wrongClock(time);
		try {
			return checkBound("now", Math.floor(time), BOUNDS.time);
		} catch (error) {
			throw isNighError(error) ? wrongClock(time) : error;
		}
	};
	clock();
	return clock;
}

function wrongClock(value: unknown): NighError {
	return new NighError(
		"INVALID_OPTION",
		`now must be a function that gives milliseconds since 1970, such as Date.now; it is or gave ${shown(value)}.`,
		{ field: "now", value },
	);
}

/** A value for a message: short, and never failing, whatever it is. */
export function shown(value: unknown): string {
	if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
	const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
	return isObject ? Object.prototype.toString.call(value) : String(value);
}
