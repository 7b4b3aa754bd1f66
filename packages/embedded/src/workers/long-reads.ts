import { NighError } from "@nigh/contract";
import { Searcher, type SlotQuery } from "../memory/searcher.ts";
import { buffersOf, type PackedRecords } from "../records/packed-records.ts";
import type { RecordReader } from "../records/reader.ts";
import type { HeldState } from "./held-state.ts";
import type { ReaderAreas, ReaderMethods } from "./messages.ts";
import { type Implementation, Transferred } from "./rpc.ts";
import { matchingLabels, stateReads } from "./state-reads.ts";
import { turn } from "./turn.ts";

/**
 * What takes long without writing: exact scans, cold filters, full-text search, counting, pages of a scan. Runs in the reader worker of a
 * database, and in the thread itself where that is one that shares the memory of another.
 *
 * @param area Which of a generation's areas the thread searches in.
 */
export function longReads(
	records: RecordReader,
	held: HeldState,
	area: keyof ReaderAreas,
): Implementation<ReaderMethods> {
	const searchers = new Map<number, Searcher>();
	/** What has been read and not been taken yet. */
	const answers = new Map<number, PackedRecords[]>();
	let lastTicket = 0;
	/** One scan after the other: a searcher does one at a time. */
	let last: Promise<unknown> = Promise.resolve();

	/** The searcher of the generation that the caller means; `undefined` where another has taken over. */
	const searcherOf = (key: number, generation: number): Searcher | undefined => {
		const searcher = searchers.get(key);
		return searcher?.generation.handle.number === generation ? searcher : undefined;
	};

	return {
		...stateReads({ latest: records, held, generationOf: (key, number) => searcherOf(key, number)?.generation }),
		hold: (key) => held.hold((reader) => reader.state(key).change),
		attach: ({ key, generation, areas }) => {
			searchers.get(key)?.close();
			searchers.set(key, new Searcher(generation, areas[area]));
		},
		detach: (key) => {
			searchers.get(key)?.close();
			searchers.delete(key);
		},
		matchLabels: ({ key, node, now }) => {
			const { labels } = matchingLabels(records, key, node, now);
			return new Transferred(labels, [labels.buffer as ArrayBuffer]);
		},
		count: ({ key, node, now }) => records.count(key, node, now),
		get: ({ key, ids, include, now }) => {
			const parts = records.packedByIds(key, ids.split("\u0000"), include, now);
			answers.set(++lastTicket, parts);
			return { ticket: lastTicket, parts: parts.length };
		},
		part: (ticket) => {
			const parts = answers.get(ticket);
			const part = parts?.shift();
			if (parts?.length === 0) answers.delete(ticket);
			if (part === undefined) throw new Error(`there is no part of the answer ${ticket} left`);
			return new Transferred(part, buffersOf(part));
		},
		page: ({ key, options }) => records.page(key, options),
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
				if (!cutShort && searcher.unranked.length > 0) rankFromDisk(searcher, query);
				const { slots, distances, way, widths } = searcher;
				return { slots: [...slots], distances: [...distances], way, widths, cutShort };
			});
			last = run.catch(() => {}).then(turn);
			return run;
		},
	};
}

/** Reads the rows that decide the answer, and ranks them. Nobody else waits for this thread. */
function rankFromDisk(searcher: Searcher, query: SlotQuery): void {
	const { unranked, slots, distances } = searcher;
	const rows = new Uint8Array(unranked.length * searcher.generation.size.rowBytes);
	searcher.files?.readManySync(unranked, rows);
	searcher.rank(query, unranked, rows, { slots: [...slots], distances: [...distances] });
}
