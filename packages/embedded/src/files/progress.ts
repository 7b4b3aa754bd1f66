import { NighError, type ProgressOptions } from "@nigh/contract";

/** Counts the bytes of a piece of work, tells whoever watches, and ends the work early when its signal says so. */
export class Progress {
	readonly #options: ProgressOptions;
	readonly #doing: string;
	#done = 0;
	#total = 0;

	/** @param doing As it begins a sentence, such as `The backup`. */
	constructor(options: ProgressOptions, doing: string) {
		this.#options = options;
		this.#doing = doing;
	}

	/** Bytes that there will be to do, beside those told of before. */
	expect(bytes: number): void {
		this.#total += bytes;
	}

	/** @throws NighError `ABORTED`, with the signal's reason as the `cause`. */
	advance(bytes: number): void {
		this.throwIfAborted();
		this.#done += bytes;
		// The end is told by `finish`, once: what was expected may be less than what came.
		if (this.#done < this.#total) this.#report(this.#done);
	}

	finish(): void {
		this.#report(this.#total);
	}

	/** @throws NighError `ABORTED`. */
	throwIfAborted(): void {
		const { signal } = this.#options;
		if (!signal?.aborted) return;
		const message = `${this.#doing} was ended by its AbortSignal before it was done.`;
		throw new NighError("ABORTED", message, {}, { cause: signal.reason });
	}

	#report(done: number): void {
		try {
			this.#options.onProgress?.(done, this.#total);
		} catch {
			// Somebody who watches does not decide over the work.
		}
	}
}
