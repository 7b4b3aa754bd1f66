import { seeded } from "../sets/random.ts";
import type { Place } from "./kernel-case.ts";
import type { Workbench } from "./workbench.ts";

/** Ids for one timed run: more than a core's last private cache has lines. */
export const MOST_IDS = 1 << 19;

/**
 * The ids of a run of a kernel that takes rows by number: in order, or at random over the whole working set. Random ids are drawn anew
 * for every run, so that no run finds in the cache what the one before it brought there.
 */
export class RowOrder {
	readonly ids: number;
	readonly #bench: Workbench;
	readonly #place: Place;
	readonly #items: number;
	readonly #random = seeded(7);

	constructor(bench: Workbench, place: Place, items: number) {
		this.#bench = bench;
		this.#place = place;
		this.#items = items;
		this.ids = bench.alloc(4 * Math.min(MOST_IDS, items));
	}

	write(from: number, count: number): void {
		const ids = this.#bench.arena.u32(this.ids, count);
		if (this.#place === "memory") {
			for (let i = 0; i < count; i++) ids[i] = from + i;
			return;
		}
		for (let i = 0; i < count; i++) ids[i] = this.#random.uniform() * this.#items;
	}
}
