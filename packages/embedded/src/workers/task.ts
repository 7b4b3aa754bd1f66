import { NighError } from "@nigh/contract";

const ABORT = 0;
const DONE = 1;
const TAKEN_UP = 2;
/** `DONE` when all is done. */
const WHOLE = 1_000_000;

/**
 * A piece of work as the thread that does it and the one that waits for it see it: what it weighs, how far it has come, and whether it is
 * still wanted. It lies in shared memory, since the thread that works may have no time for messages.
 */
export class Task {
	/** What the other thread makes its view of. */
	readonly words: Int32Array;
	/** The share when the last plan was made, and what of that plan is behind. */
	#base = 0;
	#planned = 0;
	#before = 0;
	#weight = 0;

	constructor(words: Int32Array = new Int32Array(new SharedArrayBuffer(12))) {
		this.words = words;
	}

	/** 0 to 1; it never falls. */
	get share(): number {
		return Atomics.load(this.words, DONE) / WHOLE;
	}

	get isAborted(): boolean {
		return Atomics.load(this.words, ABORT) !== 0;
	}

	abort(): void {
		Atomics.store(this.words, ABORT, 1);
	}

	/**
	 * Begins the work, where it is wanted still; it may have waited for long. Whoever aborts it, and looks then whether it was taken up, knows
	 * whether there is anything to wait for: of the two, one at least sees what the other has said.
	 */
	takeUp(): boolean {
		Atomics.store(this.words, TAKEN_UP, 1);
		return !this.isAborted;
	}

	get isTakenUp(): boolean {
		return Atomics.load(this.words, TAKEN_UP) !== 0;
	}

	/** @throws NighError `ABORTED`. */
	check(): void {
		if (this.isAborted) throw new NighError("ABORTED", "the work was ended by its AbortSignal before it was done.");
	}

	/** What all stages from here on will weigh together. */
	plan(weight: number): void {
		this.#base = this.share;
		this.#planned = weight;
		this.#before = 0;
		this.#weight = 0;
	}

	/** Those before have ended, and another stage begins. One that was not planned weighs nothing. */
	begin(weight: number): void {
		this.#before += this.#weight;
		this.#weight = weight;
		this.advance(0, 1);
	}

	/** How far the stage has come. */
	advance(done: number, total: number): void {
		if (this.#planned <= 0 || total <= 0) return;
		const ofPlan = (this.#before + this.#weight * (done / total)) / this.#planned;
		const share = this.#base + (1 - this.#base) * ofPlan;
		const now = Math.min(WHOLE, Math.floor(share * WHOLE));
		if (now > Atomics.load(this.words, DONE)) Atomics.store(this.words, DONE, now);
	}
}
