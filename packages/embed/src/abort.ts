import { NighError } from "@nigh/contract";

/** Throws `ABORTED` if the signal has been raised; the reason it was raised with is the `cause`. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
	if (!signal?.aborted) return;
	throw new NighError(
		"ABORTED",
		"Embedding was ended by its AbortSignal before it was done.",
		{},
		{ cause: signal.reason },
	);
}
