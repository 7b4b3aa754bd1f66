/** Time, as far as requests need it. Injected, so that tests wait for nothing. */
export interface RetryClock {
	/** Milliseconds since 1970-01-01 UTC; only used to read a `Retry-After` that is a date. */
	now(): number;
	/** Resolves after `ms` milliseconds, or at once when the signal is raised (also when it already is). Never rejects. */
	sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The clock of the machine. */
export const systemClock: RetryClock = {
	now: () => Date.now(),
	sleep: (ms, signal) =>
		new Promise((resolve) => {
			if (signal.aborted) return resolve();
			const wake = () => {
				clearTimeout(timer);
				signal.removeEventListener("abort", wake);
				resolve();
			};
			const timer = setTimeout(wake, ms);
			signal.addEventListener("abort", wake);
		}),
};
