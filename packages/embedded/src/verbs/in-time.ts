import { abortedBy, checkAborted } from "./check-aborted.ts";

/** How long something is waited for. */
export interface TimeLimit {
	/** Infinity: no limit. */
	readonly leftMs: number;
	readonly signal: AbortSignal | undefined;
}

/**
 * Resolves as the work does, or to `undefined` when the time runs out before. The signal that the work is given is raised then, and with that
 * of the caller. What the work comes to afterwards, an error too, is nobody's.
 *
 * @throws NighError `ABORTED` as soon as the signal is raised.
 */
export async function inTime<T>(
	{ leftMs, signal }: TimeLimit,
	begin: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T | undefined> {
	checkAborted(signal);
	if (leftMs === Number.POSITIVE_INFINITY && signal === undefined) return begin(undefined);
	const { promise: ended, resolve, reject } = Promise.withResolvers<undefined>();
	const controller = new AbortController();
	const deadline = performance.now() + leftMs;
	let timer: NodeJS.Timeout | undefined;
	const look = () => {
		const stillMs = deadline - performance.now();
		// A timer counts from when the event loop had its last turn, so it may come early.
		if (stillMs > 0) {
			timer = setTimeout(look, stillMs);
			return;
		}
		resolve(undefined);
		controller.abort(new DOMException("the time of the search has run out", "TimeoutError"));
	};
	const abort = () => {
		reject(abortedBy(signal as AbortSignal));
		controller.abort(signal?.reason);
	};
	if (leftMs !== Number.POSITIVE_INFINITY) timer = setTimeout(look, Math.max(0, leftMs));
	signal?.addEventListener("abort", abort, { once: true });
	try {
		return await Promise.race([begin(controller.signal), ended]);
	} finally {
		clearTimeout(timer);
		signal?.removeEventListener("abort", abort);
	}
}
