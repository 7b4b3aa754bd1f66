import { isNighError, NighError } from "@nigh/contract";
import { Arena, ArenaFullError, MAX_ARENA_BYTES } from "@nigh/kernels";

/**
 * A new memory. However little will be in it, it takes addresses for the most that it may grow to.
 *
 * @throws NighError `MEMORY_LIMIT` where the system has no room for another.
 */
export function newArena(options: { readonly shared: boolean }): Arena {
	try {
		return new Arena(options);
	} catch (cause) {
		// As V8 tells it.
		if (!(cause instanceof RangeError)) throw cause;
		throw new NighError("MEMORY_LIMIT", "the system has no addresses for another memory", {}, { cause });
	}
}

/**
 * Takes memory for so many records.
 *
 * @throws NighError `MEMORY_LIMIT` where the arena ends or the system gives no more; details hold count (records) and limit (bytes, or records
 * where those are told already).
 */
export function withinMemory<T>(records: number, take: () => T): T {
	try {
		return take();
	} catch (error) {
		throw asMemoryLimit(error, records);
	}
}

/** An error of an arena as the caller is to get it; every other as it is. */
export function asMemoryLimit(cause: unknown, records: number): unknown {
	const isToldByIndex = isNighError(cause, "MEMORY_LIMIT") && cause.details.limit === undefined;
	if (!isToldByIndex && !(cause instanceof ArenaFullError)) return cause;
	const limit = MAX_ARENA_BYTES;
	return new NighError(
		"MEMORY_LIMIT",
		`there is no memory for the index of ${records} records, which may take ${limit} bytes: ${cause.message}. Close or drop other collections, delete records, or give the process more memory (ulimit -v).`,
		{ count: records, limit },
		{ cause },
	);
}
