import { percentile } from "../../packages/nigh/src/eval/measure.ts";

/** Milliseconds that a call takes, and what it returned. */
export async function timed<T>(call: () => T | Promise<T>): Promise<{ ms: number; result: T }> {
	const start = performance.now();
	const result = await call();
	return { ms: performance.now() - start, result };
}

/** The share `share` of the times is at most this; times in any order, at least one. */
export function quantile(times: readonly number[], share: number): number {
	if (times.length === 0) throw new RangeError("there is no time to take a quantile of");
	return percentile(Float64Array.from(times).sort(), share);
}

/** Milliseconds that the calling thread, and all of the process, have computed: where the machine is busy they tell more than a clock. */
export function processorTime(): { caller: number; all: number } {
	const [caller, all] = [process.threadCpuUsage(), process.cpuUsage()];
	return { caller: (caller.user + caller.system) / 1_000, all: (all.user + all.system) / 1_000 };
}
