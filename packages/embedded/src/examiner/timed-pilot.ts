import type { Rung } from "@nigh/recall";
import type { SlotQuery } from "../memory/searcher.ts";
import type { Subject, Truth } from "./subject.ts";

/** Times that each of several rungs goes over all queries, in turn: what else goes on slows all of them. */
const ROUNDS = 5;

/** Queries that tell what a rung is like before anything is certified: they place a ladder, and are not used again. */
export class TimedPilot {
	readonly #subject: Subject;
	readonly #k: number;
	readonly #queries: readonly { readonly vector: SlotQuery["vector"]; readonly truth: Truth }[];

	private constructor(
		subject: Subject,
		k: number,
		queries: readonly { readonly vector: SlotQuery["vector"]; readonly truth: Truth }[],
	) {
		this.#subject = subject;
		this.#k = k;
		this.#queries = queries;
	}

	/** Those that nothing matches are left out. */
	static async of(subject: Subject, vectors: readonly SlotQuery["vector"][], k: number): Promise<TimedPilot> {
		const truths = await subject.truths(vectors, k);
		const queries = vectors.flatMap((vector, i) => {
			const truth = truths[i];
			return truth === undefined ? [] : [{ vector, truth }];
		});
		return new TimedPilot(subject, k, queries);
	}

	/** The mean recall of a rung, exact answers included; 1 without any query. */
	async meanOf(rung: Rung): Promise<number> {
		let sum = 0;
		for (const { vector, truth } of this.#queries)
			sum += (await this.#subject.recallAt(rung, vector, this.#k, truth)) ?? 1;
		return this.#queries.length === 0 ? 1 : sum / this.#queries.length;
	}

	/** ms that all queries take on each of some rungs, in their order: the least of several rounds. */
	async timesOf(rungs: readonly Rung[]): Promise<number[]> {
		const least = rungs.map(() => Number.POSITIVE_INFINITY);
		for (let round = 0; round < ROUNDS; round++) {
			for (const [i, rung] of rungs.entries()) {
				let ms = 0;
				for (const { vector } of this.#queries) {
					const start = performance.now();
					this.#subject.search(rung, vector, this.#k);
					ms += performance.now() - start;
					await this.#subject.pause();
				}
				least[i] = Math.min(least[i] as number, ms);
			}
		}
		return least;
	}
}
