import { NighError } from "@nigh/contract";

/** @throws NighError `ABORTED` once the signal of an insert of `total` vectors has been raised, of which `done` are in. */
export function throwIfAborted(signal: AbortSignal | undefined, done: number, total: number): void {
	if (!signal?.aborted) return;
	const message = `aborted after ${done} of ${total} vectors: those are in the index, the others are not`;
	throw new NighError("ABORTED", message, { done }, { cause: signal.reason });
}
