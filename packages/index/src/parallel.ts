import { NighError } from "@nigh/contract";
import type { Arena, KernelName } from "@nigh/kernels";

/**
 * Runs kernels on several threads over one shared arena. `@nigh/threads` implements it with worker threads; {@link serial} runs
 * everything on the calling thread. The kernels share out the work among themselves through a cursor in the arena, so a result
 * never depends on the number of lanes.
 */
export interface Parallel {
	/** How many calls run at the same time, at least 1. */
	readonly lanes: number;
	/**
	 * Calls `kernel` once for each entry of `args` (at most `lanes`), on as many threads, and resolves when all have returned.
	 * `arena` must be shared where lanes > 1.
	 */
	run(arena: Arena, kernel: KernelName, args: readonly (readonly number[])[]): Promise<void>;
}

/** One lane: the calling thread. */
export const serial: Parallel = {
	lanes: 1,
	async run(arena, kernel, args) {
		for (const list of args) (arena.kernels[kernel] as (...numbers: number[]) => unknown)(...list);
	},
};

/** @throws NighError `INVALID_OPTION` for several threads over memory that only one can see. */
export function checkLanes(arena: Arena, parallel: Parallel | undefined): void {
	if (parallel === undefined || parallel.lanes <= 1 || arena.shared) return;
	throw new NighError("INVALID_OPTION", "several threads need a shared arena: create the index with shared: true", {
		field: "parallel",
	});
}
