import type { CollectionStats } from "@nigh/contract";
import type { CollectionCore, DatabaseCore } from "../core.ts";
import { askedKind, chosenIndex } from "../records/catalogue.ts";
import { fillOf, limited } from "../workers/limits.ts";

export async function stats(core: CollectionCore, diskBytes: number | null): Promise<CollectionStats> {
	core.checkOpen();
	const { spec, key, name, database, latency } = core;
	const { indexer, reader } = database.threads;
	const hasIndex = core.searcher !== undefined;
	// Before the first vector there is none: what was asked for is what will be.
	const { kind, ...parameters } = chosenIndex(spec);
	const asked = askedKind(spec);
	const [state, memory, records] = await Promise.all([
		hasIndex ? indexer.call("state", key) : undefined,
		hasIndex ? indexer.call("memory", key) : null,
		reader.call("count", { key, node: undefined, now: core.now }),
	]);
	const share = fillOf(limited(spec, core.searcher?.generation), records);
	const { index: _, converted: __, ...settings } = spec;
	return {
		name,
		effective: {
			...settings,
			index: { kind: state?.kind ?? asked, parameters: { asked: kind, ...parameters, ...state?.parameters } },
			database: databaseSettings(database),
		},
		records,
		changeNumber: core.searcher?.generation.change ?? core.change,
		index: {
			kind: state?.kind ?? asked,
			main: state?.main ?? 0,
			tail: state?.tail ?? 0,
			tombstones: state?.tombstones ?? 0,
		},
		fill: { share, nearLimit: share >= spec.warnAt },
		latency: { search: latency.search.stats(), write: latency.write.stats() },
		ages: { fold: ageOf(state?.foldedAt), snapshot: ageOf(state?.snapshotAt) },
		memory,
		...(state?.plan !== undefined && { plan: state.plan }),
		diskBytes,
		recall: core.recall.statements(core.searcher?.generation),
	};
}

/** What the database was opened with, as far as it matters to this thread. */
function databaseSettings({ settings, view }: DatabaseCore): Readonly<Record<string, number | string | boolean>> {
	const { readOnly, durability, threads, pruneEveryMs } = settings;
	return {
		readOnly,
		...(view === "writer" && { durability, pruneEveryMs }),
		// The thread that has opened it builds for those who share it.
		...(view !== "shared" && { threads }),
	};
}

function ageOf(time: number | null | undefined): number | null {
	return time === null || time === undefined ? null : Math.max(0, performance.timeOrigin + performance.now() - time);
}
