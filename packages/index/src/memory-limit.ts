import { NighError } from "@nigh/contract";
import { ArenaFullError } from "@nigh/kernels";

/** Runs what takes memory of an arena; where the arena ends, fails with `MEMORY_LIMIT`, saying what the memory was for. */
export function withinArena<T>(purpose: string, take: () => T): T {
	try {
		return take();
	} catch (cause) {
		if (!(cause instanceof ArenaFullError)) throw cause;
		const { requestedBytes, maxBytes } = cause;
		throw new NighError(
			"MEMORY_LIMIT",
			`there is no room for ${purpose}: ${requestedBytes} bytes more are needed and the arena ends at ${maxBytes}. Dispose of an index in it, or use a larger arena.`,
			{ requestedBytes, maxBytes },
			{ cause },
		);
	}
}
