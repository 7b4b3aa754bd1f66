import { type FilterNode, NighError } from "@nigh/contract";
import type { Generation } from "../memory/generation.ts";
import { Searcher } from "../memory/searcher.ts";
import type { RecordReader } from "../records/reader.ts";
import type { ReaderAreas, ReaderMethods } from "./messages.ts";
import { type Implementation, Transferred } from "./rpc.ts";
import { turn } from "./turn.ts";

/**
 * What takes long without writing: exact scans, cold filters, full-text search, counting, pages of a scan. Runs in the reader worker of a
 * database, and in the thread itself where that is one that shares the memory of another.
 *
 * @param area Which of a generation's areas the thread searches in.
 */
export function longReads(records: RecordReader, area: keyof ReaderAreas): Implementation<ReaderMethods> {
	const searchers = new Map<number, Searcher>();
	/** One scan after the other: a searcher does one at a time. */
	let last: Promise<unknown> = Promise.resolve();

	/** The searcher of the generation that the caller means; `undefined` where another has taken over. */
	const searcherOf = (key: number, generation: number): Searcher | undefined => {
		const searcher = searchers.get(key);
		return searcher?.generation.handle.number === generation ? searcher : undefined;
	};

	return {
		attach: ({ key, generation, areas }) => {
			searchers.set(key, new Searcher(generation, areas[area]));
		},
		detach: (key) => {
			searchers.delete(key);
		},
		match: ({ key, generation, node, bitmap, now }) => {
			const searcher = searcherOf(key, generation);
			if (searcher === undefined) return undefined;
			const { labels, change } = match(records, key, node, now);
			return { matches: setBits(searcher.generation, bitmap, labels), change };
		},
		matchLabels: ({ key, node, now }) => {
			const { labels } = match(records, key, node, now);
			return new Transferred(labels, [labels.buffer as ArrayBuffer]);
		},
		count: ({ key, node, now }) => records.count(key, node, now),
		get: ({ key, ids, include, now }) => records.byIds(key, ids, include, now),
		page: ({ key, options }) => records.page(key, options),
		words: ({ key, text, limit, now, node }) => records.words(key, text, limit, now, node),
		scan: ({ key, generation, query, deadline, abort }) => {
			const run = last.then(async () => {
				const searcher = searcherOf(key, generation);
				if (searcher === undefined) return undefined;
				let cutShort = false;
				for (const _ of searcher.steps(query)) {
					if (abort !== undefined && Atomics.load(abort, 0) !== 0) {
						throw new NighError("ABORTED", "the search was aborted");
					}
					cutShort = deadline !== undefined && performance.timeOrigin + performance.now() >= deadline;
					if (cutShort) break;
				}
				const { slots, distances, way } = searcher;
				return { slots: [...slots], distances: [...distances], way, cutShort };
			});
			last = run.catch(() => {}).then(turn);
			return run;
		},
	};
}

function match(
	records: RecordReader,
	key: number,
	node: FilterNode,
	now: number,
): { labels: Uint32Array; change: number } {
	return records.atOnce(() => ({ labels: records.matches(key, node, now), change: records.state(key).change }));
}

/** Sets the bit of every slot whose label is among `labels`; both are ascending. Returns how many there are. */
function setBits(generation: Generation, bitmap: number, labels: Uint32Array): number {
	const { handle, size, slotEnd } = generation;
	const words = new Uint32Array(handle.memory.buffer, bitmap, Math.ceil(size.capacity / 32)).fill(0);
	let matches = 0;
	let slot = 0;
	for (const label of labels) {
		while (slot < slotEnd && (generation.labels[slot] as number) < label) slot++;
		if (slot === slotEnd || generation.labels[slot] !== label) continue;
		words[slot >>> 5] = (words[slot >>> 5] as number) | (1 << (slot & 31));
		matches++;
	}
	return matches;
}
