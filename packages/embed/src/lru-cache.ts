/** At most `capacity` entries; the one that was used longest ago makes room for a new one. A `Map` keeps the order of insertion. */
export class LruCache<Value> {
	readonly #capacity: number;
	readonly #entries = new Map<string, Value>();

	constructor(capacity: number) {
		this.#capacity = capacity;
	}

	get size(): number {
		return this.#entries.size;
	}

	/** The value, which is now the one used last. */
	get(key: string): Value | undefined {
		const value = this.#entries.get(key);
		if (value === undefined) return undefined;
		this.#entries.delete(key);
		this.#entries.set(key, value);
		return value;
	}

	set(key: string, value: Value): void {
		if (this.#capacity === 0) return;
		this.#entries.delete(key);
		if (this.#entries.size === this.#capacity) {
			for (const oldest of this.#entries.keys()) {
				this.#entries.delete(oldest);
				break;
			}
		}
		this.#entries.set(key, value);
	}
}
