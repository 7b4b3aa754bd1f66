import { type Distance, type Hit, type Metadata, type Score, scoreOf } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { Slices } from "../workers/slices.ts";
import type { Checked } from "./check-request.ts";
import type { Found } from "./find.ts";
import type { Ranked } from "./fuse.ts";
import { storedRecord } from "./get.ts";
import type { SearchState } from "./search-state.ts";

/** Hits between two looks at the clock. */
const HITS_A_LOOK = 64;

/** Reads what was asked for with the hits. `undefined`: a record has been written over since, so the hits are of no one state any more. */
export async function attach<M extends Metadata>(
	core: CollectionCore,
	{ include }: Checked,
	{ ranked, change }: Found,
	state: SearchState,
): Promise<Hit<M>[] | undefined> {
	if (!include.metadata && !include.text && !include.vector)
		return ranked.map((hit) => ({ id: hit.id, ...measure(core, hit) }));
	const labels = ranked.map(({ label }) => label);
	const hits: Hit<M>[] = [];
	const slices = new Slices();
	for (const record of await state.records(labels, include)) {
		if (record === undefined || record.change > change) return undefined;
		hits.push({ ...storedRecord<M>(core, record), ...measure(core, ranked[hits.length] as Ranked) });
		if (hits.length % HITS_A_LOOK === 0) await slices.pause();
	}
	return hits;
}

function measure(core: CollectionCore, { distance, fusedScore }: Ranked) {
	return {
		distance: distance as Distance,
		score: scoreFor(core, distance),
		...(fusedScore !== undefined && { fusedScore }),
	};
}

export function scoreFor({ spec }: CollectionCore, distance: number): Score {
	return scoreOf(spec.metric, distance as Distance, spec.dimensions ?? 1);
}
