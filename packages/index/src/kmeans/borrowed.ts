import type { Arena } from "@nigh/kernels";
import { withinArena } from "../memory-limit.ts";

/** Memory of an arena that is given back together, whatever happens in between. */
export class Borrowed {
	readonly #arena: Arena;
	readonly #purpose: string;
	readonly #addresses = new Set<number>();

	constructor(arena: Arena, purpose: string) {
		this.#arena = arena;
		this.#purpose = purpose;
	}

	/** @throws NighError `MEMORY_LIMIT` */
	take(bytes: number): number {
		const address = withinArena(this.#purpose, () => this.#arena.alloc(bytes));
		this.#addresses.add(address);
		return address;
	}

	/** Something that was taken elsewhere is given back with the rest. */
	adopt(address: number): void {
		this.#addresses.add(address);
	}

	/** From now on it is the caller's to free. */
	keep(address: number): number {
		this.#addresses.delete(address);
		return address;
	}

	/** Gives back everything that was not kept. */
	release(): void {
		for (const address of this.#addresses) this.#arena.free(address);
		this.#addresses.clear();
	}
}
