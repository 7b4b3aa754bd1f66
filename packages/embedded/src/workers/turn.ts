/** Gives what waits in the event loop of this thread a turn. */
export function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
