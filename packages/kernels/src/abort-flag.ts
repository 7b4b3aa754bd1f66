import type { Arena } from "./arena.ts";

/** A word in the arena that a running search looks at: raised by another thread (over a shared arena), it ends the search. */
export class AbortFlag {
	readonly arena: Arena;
	/** Where the word is; another thread raises it with `Atomics.store(new Int32Array(memory.buffer), address / 4, 1)`. */
	readonly address: number;

	constructor(arena: Arena) {
		this.arena = arena;
		this.address = arena.alloc(4);
	}

	get raised(): boolean {
		return Atomics.load(this.#word(), 0) !== 0;
	}

	raise(): void {
		Atomics.store(this.#word(), 0, 1);
	}

	lower(): void {
		Atomics.store(this.#word(), 0, 0);
	}

	dispose(): void {
		this.arena.free(this.address);
	}

	#word(): Int32Array {
		return this.arena.i32(this.address, 1);
	}
}
