import type { FilterNode } from "@nigh/contract";
import type { Matches, Searcher } from "../memory/searcher.ts";
import type { RecordReader } from "../records/reader.ts";
import type { HeldState } from "../workers/held-state.ts";
import { stateReads } from "../workers/state-reads.ts";
import { turn } from "../workers/turn.ts";

/** What a filter lets through at the newest state, for the next search of the collection; `undefined`: that state has not come into the memory. */
export type MatchesOf = (
	collection: { readonly key: number; readonly searcher: Searcher },
	node: FilterNode,
) => Promise<Matches | undefined>;

/** ms that what is committed may take to come into the memory. */
const MOST_MS = 1_000;

/**
 * Evaluates filters on this thread. The bitmap is that of the searcher's area: it holds until the next call.
 *
 * @param now ms since 1970.
 */
export function matchesFrom(records: RecordReader, held: HeldState, now: () => number): MatchesOf {
	return async ({ key, searcher }, node) => {
		const { generation, area } = searcher;
		const { number } = generation.handle;
		const reads = stateReads({ latest: records, held, generationOf: () => generation });
		for (const since = performance.now(); performance.now() - since < MOST_MS; await turn()) {
			const found = await reads.match({ key, generation: number, node, bitmap: area.bitmaps, now: now() });
			if (found === undefined) return undefined;
			const { matches, change } = found as { matches: number; change: number };
			// Slots of what was committed last may be lacking.
			if (change <= generation.change) return { bitmap: area.bitmaps, count: matches, change };
		}
		return undefined;
	};
}
