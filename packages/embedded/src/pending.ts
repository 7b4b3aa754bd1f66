/** Calls that are under way, for whoever has to wait for them. */
export class Pending {
	readonly #calls = new Set<Promise<unknown>>();

	/** Remembers a call until it has ended. */
	track<T>(call: Promise<T>): Promise<T> {
		this.#calls.add(call);
		const forget = () => void this.#calls.delete(call);
		call.then(forget, forget);
		return call;
	}

	/** Resolves when all have ended, those as well that begin meanwhile. */
	async settled(): Promise<void> {
		while (this.#calls.size > 0) await Promise.allSettled([...this.#calls]);
	}
}
