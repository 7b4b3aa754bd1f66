import { BettingTest } from "../bounds/betting.ts";

/**
 * Which rungs of a ladder keep one target: fixed-sequence testing from the dearest to the cheapest, each at the full delta, until the first that
 * does not pass (Maurer, Hothorn & Lehmacher 1995; the use for a risk is "fixed sequence testing" of Angelopoulos et al., "Learn then Test", arXiv
 * 2110.01052). That any rung passes which should not has probability at most delta: let r be the first whose mean is below the target; as
 * long as r does not pass nothing after it is tested, and r passes with probability at most delta. So all that have passed may be served,
 * whatever their recalls have to do with one another.
 *
 * Taking the cheapest of all rungs that clear the target would not be valid: with many of them below it, one or the other clears by chance.
 */
export class FixedSequence {
	readonly target: number;
	readonly delta: number;
	/** Rungs that have passed. */
	passed = 0;
	readonly #rungs: number;
	#test: BettingTest;

	constructor(rungs: number, target: number, delta: number) {
		this.#rungs = rungs;
		this.target = target;
		this.delta = delta;
		this.#test = new BettingTest(target, delta);
	}

	/**
	 * Takes in what has been measured: `recalls[r][i]` is the recall of query `i`, in the order that was drawn beforehand, on rung `r`. Recalls are
	 * only ever added to the end, without gaps.
	 */
	advance(recalls: readonly (readonly number[])[]): void {
		while (this.passed < this.#rungs) {
			const measured = recalls[this.passed] as readonly number[];
			while (!this.#test.passed && this.#test.size < measured.length)
				this.#test.add(measured[this.#test.size] as number);
			if (!this.#test.passed) return;
			this.passed++;
			this.#test = new BettingTest(this.target, this.delta);
		}
	}

	/** The rung that is tested now, and how many recalls its test has seen; `undefined` where all have passed. */
	get testing(): { readonly rung: number; readonly seen: number } | undefined {
		return this.passed === this.#rungs ? undefined : { rung: this.passed, seen: this.#test.size };
	}
}
