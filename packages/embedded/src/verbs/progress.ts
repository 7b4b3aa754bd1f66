import type { ProgressOptions } from "@nigh/contract";
import type { Task } from "../workers/task.ts";

/** ms between two looks at how far a task has come. */
const LOOK_MS = 50;

/** Tells a listener of one call how far it has come: ever more, and the end once. What the listener throws is ignored. */
export class Progress {
	readonly #listener: ProgressOptions["onProgress"];
	readonly #total: number;
	#last = -1;

	constructor(listener: ProgressOptions["onProgress"], total: number) {
		this.#listener = listener;
		this.#total = total;
	}

	/** What is as far as before is not told again, nor is the end. */
	advance(done: number): void {
		if (done <= this.#last || done >= this.#total) return;
		this.#last = done;
		this.#tell(done);
	}

	finish(): void {
		this.#tell(this.#total);
	}

	/** Looks at a task from now on. Returns what ends that. */
	watch(task: Task): () => void {
		if (this.#listener === undefined) return () => {};
		const timer = setInterval(() => this.advance(Math.floor(task.share * this.#total)), LOOK_MS);
		return () => clearInterval(timer);
	}

	#tell(done: number): void {
		try {
			this.#listener?.(done, this.#total);
		} catch {
			// The work goes on.
		}
	}
}
