import {
	type Collection,
	type Filter,
	type Metric,
	NighError,
	type SearchRequest,
	type SearchResult,
	type VectorInput,
} from "@nigh/contract";
import { recallOf } from "@nigh/recall";
import type { Clock } from "../eval/measure.ts";
import type { SearchSetting } from "./examination.ts";

/** What all queries of an examination are asked with. */
export interface Asking {
	readonly k: number;
	readonly filter?: Filter | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** What one approximate answer is worth. */
export interface Judged {
	readonly recall: number;
	/** Whether everything was compared for it, as it says itself. */
	readonly isExact: boolean;
	/** Candidates that were compared by their vectors, where the index has codes. */
	readonly rerank: number | undefined;
}

/** All that has to be kept of an exact answer. */
interface Truth {
	/** Distance of its last hit. */
	readonly kth: number;
	/** min(k, matches). */
	readonly wanted: number;
	readonly changeNumber: number;
}

/** How near to a query a vector counts as the same, by the metric: the cosine of a vector and itself is 1 to within rounding. */
const SAME: Readonly<Partial<Record<Metric, number>>> = { l2: 0, l1: 0, hamming: 0, cosine: 1e-6 };

/** Queries with their exact answers, by which others are judged. Those that nothing matches are left out. */
export class Questions {
	/** Queries that nothing matches. */
	withoutMatch = 0;
	/** Queries that a stored vector is equal to. */
	equalToStored = 0;
	/** The states that were searched. */
	first = Number.POSITIVE_INFINITY;
	last = 0;
	readonly #collection: Collection;
	readonly #asking: Asking;
	readonly #vectors: VectorInput[] = [];
	readonly #truths: Truth[] = [];

	private constructor(collection: Collection, asking: Asking) {
		this.#collection = collection;
		this.#asking = asking;
	}

	/** Asks every query of the exact search, in their order. */
	static async ask(
		collection: Collection,
		vectors: readonly VectorInput[],
		asking: Asking,
		onProgress: (done: number, total: number) => void,
	): Promise<Questions> {
		const questions = new Questions(collection, asking);
		const { metric } = (await collection.stats()).effective;
		const same = SAME[metric] ?? Number.NEGATIVE_INFINITY;
		for (const [at, vector] of vectors.entries()) {
			const answer = await collection.search(questions.#request(vector, { exact: true }));
			questions.#note(answer);
			const [nearest] = answer.hits;
			if (nearest === undefined) questions.withoutMatch++;
			else {
				if (nearest.distance <= same) questions.equalToStored++;
				questions.#vectors.push(vector);
				questions.#truths.push(truthOf(answer));
			}
			onProgress(at + 1, vectors.length);
		}
		return questions;
	}

	/** Queries that something matches. */
	get length(): number {
		return this.#vectors.length;
	}

	/**
	 * Searches for a query in some way and judges the answer: by distances, so that of equally distant records whichever is found counts.
	 *
	 * @throws NighError `UNAVAILABLE` where what had matched was deleted meanwhile.
	 */
	async judge(at: number, setting: SearchSetting): Promise<Judged> {
		const { k } = this.#asking;
		const vector = this.#vectors[at] as VectorInput;
		const answer = await this.#collection.search(this.#request(vector, setting));
		this.#note(answer);
		const truth = this.#truths[at] as Truth;
		const isEstimate = answer.plan.rerank === 0;
		if (answer.changeNumber === truth.changeNumber && !isEstimate) return judged(answer, distancesOf(answer), truth);
		// Another state has another truth, and both must be of one. Estimates say nothing of who is nearest, so that ids have to.
		const both = [this.#request(vector, setting), this.#request(vector, { exact: true })];
		const { signal } = this.#asking;
		const [again, exact] = (await this.#collection.searchMany(both, signal === undefined ? {} : { signal })) as [
			SearchResult,
			SearchResult,
		];
		this.#note(again);
		if (exact.hits.length === 0) {
			throw new NighError(
				"UNAVAILABLE",
				`The records that matched were deleted while recall@${k} was measured: begin again when the collection is at rest.`,
			);
		}
		const now = truthOf(exact);
		this.#truths[at] = now;
		if (again.plan.rerank !== 0) return judged(again, distancesOf(again), now);
		const nearest = new Set(exact.hits.map(({ id }) => id));
		const byIds = again.hits.map(({ id }) => (nearest.has(id) ? now.kth : Number.POSITIVE_INFINITY));
		return judged(again, byIds, now);
	}

	/** ms that a search takes, as its caller sees it. */
	async time(at: number, setting: SearchSetting | { readonly exact: true }, clock: Clock): Promise<number> {
		const request = this.#request(this.#vectors[at] as VectorInput, setting);
		const start = clock();
		await this.#collection.search(request);
		return clock() - start;
	}

	#request(vector: VectorInput, setting: SearchSetting | { readonly exact: true }): SearchRequest {
		const { k, filter, signal } = this.#asking;
		return {
			vector,
			k,
			include: { metadata: false },
			...(filter !== undefined && { filter }),
			...(signal !== undefined && { signal }),
			...setting,
		};
	}

	#note({ changeNumber }: SearchResult): void {
		this.first = Math.min(this.first, changeNumber);
		this.last = Math.max(this.last, changeNumber);
	}
}

function truthOf({ hits, changeNumber }: SearchResult): Truth {
	return { kth: hits.at(-1)?.distance ?? Number.NEGATIVE_INFINITY, wanted: hits.length, changeNumber };
}

function distancesOf({ hits }: SearchResult): number[] {
	return hits.map(({ distance }) => distance);
}

function judged({ recall, plan }: SearchResult, distances: readonly number[], { kth, wanted }: Truth): Judged {
	return { recall: recallOf(distances, kth, wanted), isExact: recall.state === "exact", rerank: plan.rerank };
}
