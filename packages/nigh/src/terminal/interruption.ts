const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Does work that Ctrl-C, or the system, ends in good order: the signal that it gets is raised, and it has to stop by itself. A second Ctrl-C
 * ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const controller = new AbortController();
	const raise = () => controller.abort();
	for (const signal of SIGNALS) process.once(signal, raise);
	try {
		return await work(controller.signal);
	} finally {
		for (const signal of SIGNALS) process.off(signal, raise);
	}
}
