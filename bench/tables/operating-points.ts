import { IvfIndex, type Neighbor, type VectorIndex } from "@nigh/index";

/** How a search is asked; what is left out is the index's own. */
export interface Asked {
	readonly ef?: number;
	readonly nprobe?: number;
	readonly rerank?: number;
}

/** A setting, and what a pass over the queries showed. */
export interface Tried {
	readonly asked: Asked;
	readonly recall: number;
	readonly milliseconds: number;
}

const EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1_280, 2_560, 5_120];
const NPROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024];
/** Depths of re-ranking beside the index's own; codes of a few bits need more. */
const RERANKS = [50, 100, 200, 400, 800, 1_600, 3_200];

/**
 * Finds the quickest setting of an index that has a recall: of every depth of re-ranking the least nprobe that reaches it (recall rises with it, so it is
 * bisected), and of those the one whose pass over the queries took the least time.
 */
export class OperatingPoints {
	readonly #index: VectorIndex;
	readonly #try: (asked: Asked) => Tried;
	readonly #tried = new Map<string, Tried>();

	/** @param recallOf Recall of the answers to all queries, in their order. */
	constructor(
		index: VectorIndex,
		queries: readonly Float32Array[],
		k: number,
		recallOf: (answers: readonly (readonly Neighbor[])[]) => number,
	) {
		this.#index = index;
		this.#try = (asked) => {
			const start = performance.now();
			const answers = queries.map((query) => index.search(query, k, asked));
			const milliseconds = performance.now() - start;
			return { asked, recall: recallOf(answers), milliseconds };
		};
	}

	/** `undefined` where no setting gets there. */
	quickestAt(recall: number): Tried | undefined {
		let best: Tried | undefined;
		for (const ladder of ladders(this.#index)) {
			const least = this.#leastOf(ladder, recall);
			if (least !== undefined && (best === undefined || least.milliseconds < best.milliseconds)) best = least;
		}
		return best;
	}

	#leastOf(ladder: readonly Asked[], recall: number): Tried | undefined {
		let [below, at] = [-1, ladder.length];
		while (at - below > 1) {
			const middle = (below + at) >> 1;
			if (this.#of(ladder[middle] as Asked).recall >= recall) at = middle;
			else below = middle;
		}
		return at === ladder.length ? undefined : this.#of(ladder[at] as Asked);
	}

	#of(asked: Asked): Tried {
		const key = JSON.stringify(asked);
		const tried = this.#tried.get(key) ?? this.#try(asked);
		this.#tried.set(key, tried);
		return tried;
	}
}

/** Settings from quick to sure, a list for each depth of re-ranking. */
function ladders(index: VectorIndex): readonly (readonly Asked[])[] {
	if (index.kind === "flat") return [[{}]];
	if (!(index instanceof IvfIndex)) return [EFS.map((ef) => ({ ef }))];
	const { nlist } = index.effective() as { nlist: number };
	const nprobes = [...NPROBES.filter((nprobe) => nprobe < nlist), nlist];
	const plain = nprobes.map((nprobe) => ({ nprobe }));
	if (index.kind === "ivf") return [plain];
	const deep = RERANKS.filter((rerank) => rerank <= Math.max(50, index.size / 4));
	return [plain, ...deep.map((rerank) => nprobes.map((nprobe) => ({ nprobe, rerank })))];
}

/** `nprobe 8, rerank 100`, or `as it is`. */
export function askedText(asked: Asked): string {
	const knobs = Object.entries(asked);
	return knobs.length === 0 ? "as it is" : knobs.map(([name, value]) => `${name} ${value}`).join(", ");
}

/** What an index does that is told nothing, by name. */
export function usualText(index: VectorIndex): string {
	const { ef, nprobe, nlist } = index.effective() as { ef?: number; nprobe?: number; nlist?: number };
	if (index.kind === "hnsw") return `ef ${ef}`;
	return index.kind === "flat" ? "all" : `nprobe ${nprobe} of ${nlist}`;
}
