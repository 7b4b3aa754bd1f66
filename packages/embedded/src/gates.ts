/**
 * Keeps entries of a table of promises from being used for a while: whoever asks for one meanwhile waits, and gets the entry that was there,
 * or a rejection where it is gone.
 */
export class Gates<T> {
	readonly #table: Map<string, Promise<T>>;
	readonly #gates: { name: string; gate: Promise<T>; before: Promise<T> | undefined; open: (as: Promise<T>) => void }[];

	constructor(table: Map<string, Promise<T>>, names: readonly string[]) {
		this.#table = table;
		this.#gates = names.map((name) => {
			const before = table.get(name);
			const { promise: gate, resolve: open } = Promise.withResolvers<T>();
			gate.catch(() => {});
			table.set(name, gate);
			return { name, gate, before, open };
		});
	}

	/** The entries that were there. */
	async before(): Promise<T[]> {
		const settled = await Promise.allSettled(this.#gates.flatMap(({ before }) => before ?? []));
		return settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
	}

	/** Lets those in who wait, to what was there or to nothing. */
	leave(asBefore: boolean): void {
		for (const { name, gate, before, open } of this.#gates) {
			const entry = asBefore ? before : undefined;
			open(entry ?? Promise.reject(new Error("the entry is gone")));
			// Unless somebody waits already, who has put his own promise there.
			if (this.#table.get(name) !== gate) continue;
			if (entry === undefined) this.#table.delete(name);
			else this.#table.set(name, entry);
		}
	}
}
