import { turn } from "./turn.ts";

/** ms that a thread may be kept from its other work. */
const SLICE_MS = 1;

/** Cuts work into slices: between two of them the thread does what else there is to do. */
export class Slices {
	#since = performance.now();

	/** Gives other work its turn where this has taken long enough. To be called often. */
	pause(): Promise<void> | undefined {
		return performance.now() - this.#since < SLICE_MS ? undefined : this.#turn();
	}

	async #turn(): Promise<void> {
		await turn();
		this.#since = performance.now();
	}
}
