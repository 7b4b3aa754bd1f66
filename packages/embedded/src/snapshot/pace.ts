import { setImmediate } from "node:timers/promises";
import type { ProgressOptions } from "@nigh/contract";
import { Progress } from "../files/progress.ts";

/** How work over many bytes is watched, ended early, and kept from holding its thread. Progress is in bytes of the sections. */
export interface PaceOptions extends ProgressOptions {
	/** Gives the event loop a turn; awaited every 8 MiB. Default: `setImmediate`. */
	readonly yieldNow?: () => Promise<void>;
}

/** Bytes between two turns of the event loop: some milliseconds from or to the page cache. */
const TURN_BYTES = 8 << 20;

/** Counts the bytes done, and gives the event loop a turn when it is time to. */
export class Pace {
	readonly #progress: Progress;
	readonly #yieldNow: () => Promise<void>;
	#sinceTurn = 0;

	/** @throws NighError `ABORTED`. */
	constructor(options: PaceOptions, total: number, doing: string) {
		this.#progress = new Progress(options, doing);
		this.#progress.expect(total);
		this.#progress.throwIfAborted();
		this.#yieldNow = options.yieldNow ?? setImmediate;
	}

	/** @throws NighError `ABORTED`. */
	async advance(bytes: number): Promise<void> {
		this.#progress.advance(bytes);
		this.#sinceTurn += bytes;
		if (this.#sinceTurn >= TURN_BYTES) await this.turn();
	}

	/** Gives the event loop a turn now. @throws NighError `ABORTED`. */
	async turn(): Promise<void> {
		this.#sinceTurn = 0;
		await this.#yieldNow();
		this.#progress.throwIfAborted();
	}

	finish(): void {
		this.#progress.finish();
	}
}
