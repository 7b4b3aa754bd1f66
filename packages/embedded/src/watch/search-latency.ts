import { LatencyRecorder } from "./latency.ts";

/** Searches whose 95th percentile is compared with that of as many others: fewer, and chance alone would make them differ. */
export const COMPARED = 1_000;

/**
 * How long searches took, and whether they have become slower: the 95th percentile of the first {@link COMPARED} since the index was built
 * (or opened, where that was later), beside that of the last as many.
 */
export class SearchLatency extends LatencyRecorder {
	#some = new LatencyRecorder();
	#count = 0;
	#built: number | undefined;
	#now: number | undefined;

	override record(ms: number): void {
		super.record(ms);
		this.#some.record(ms);
		if (++this.#count < COMPARED) return;
		this.#now = this.#some.stats()?.p95;
		this.#built ??= this.#now;
		this.#begin();
	}

	/** The index has been built: what is measured from here on is what the rest is compared with. */
	restart(): void {
		this.#built = undefined;
		this.#now = undefined;
		this.#begin();
	}

	/** In ms; `undefined` before there are as many searches as it takes. */
	get p95(): { readonly built: number; readonly now: number } | undefined {
		return this.#built === undefined || this.#now === undefined ? undefined : { built: this.#built, now: this.#now };
	}

	#begin(): void {
		this.#some = new LatencyRecorder();
		this.#count = 0;
	}
}
