import { setTimeout } from "node:timers/promises";
import { type FilterNode, type IncludeOptions, NighError } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { Matches, Searcher } from "../memory/searcher.ts";
import type { WordHit } from "../records/find-words.ts";
import { unpackRecords } from "../records/packed-records.ts";
import type { ReadRecord } from "../records/row.ts";
import type { Calling } from "../threads.ts";
import type { StateReads } from "../workers/state-reads.ts";
import { turn } from "../workers/turn.ts";
import { checkAborted } from "./check-aborted.ts";
import { inTime, type TimeLimit } from "./in-time.ts";

/** More records are read by another thread: the calling one would be busy for more than a millisecond. */
const MOST_HERE = 256;

export interface WordsRequest {
	readonly text: string;
	readonly limit: number;
	readonly node: FilterNode | undefined;
}

/** What a search reads: the memory, and the records beside it. */
export interface SearchState {
	readonly searcher: Searcher;
	/** The change that is searched; `undefined`: whichever is newest. */
	readonly change: number | undefined;
	/** The same at a change that has been searched in it. */
	at(change: number): SearchState;
	/** Lends the matches of a filter; `undefined` where there are none of this state, or no room for them. */
	withMatches<T>(node: FilterNode, use: (matches: Matches) => Promise<T>): Promise<T | undefined>;
	words(request: WordsRequest): Promise<{ readonly hits: readonly WordHit[]; readonly change: number }>;
	/** Records in the order of the labels. */
	records(labels: readonly number[], include: IncludeOptions): Promise<Iterable<ReadRecord | undefined>>;
}

/**
 * How often a search reads whatever is newest before it has a state held for it: holding costs two messages, and beside a writer of the same
 * process, which shows at once what it writes, the next try mostly succeeds.
 */
const FREE_TRIES = { writer: 4, shared: 4, process: 1 } as const;

/** Tries that are made however long they take (a search may take long by itself), and ms for which there are more: something has failed then. */
const LEAST_TRIES = 32;
const PATIENCE_MS = 30_000;

/** How long a state is waited for. */
export interface Waiting {
	readonly signal: AbortSignal | undefined;
	/** ms that are left when so many have passed in waiting, without what `use` has taken; infinity: no limit. */
	left(waitedMs: number): number;
}

/**
 * Calls `use` with one state after the other until it has found everything in one of them (`undefined`: it has not); with none where there
 * are no vectors. It is told how long it was waited for. `undefined` where the time has run out before, which is seen after the first.
 */
export async function inSomeState<T>(
	core: CollectionCore,
	{ signal, left }: Waiting,
	use: (state: SearchState | undefined, waitedMs: number) => Promise<T | undefined>,
): Promise<T | undefined> {
	const start = performance.now();
	const { view } = core.database;
	let usedMs = 0;
	const waitedMs = () => performance.now() - start - usedMs;
	const useOne = async (state: SearchState | undefined) => {
		const since = performance.now();
		try {
			return await use(state, waitedMs());
		} finally {
			usedMs += performance.now() - since;
		}
	};
	const limit: TimeLimit = {
		signal,
		get leftMs() {
			return left(waitedMs());
		},
	};
	const isStuck = stuckIn(core);
	for (let tries = 1; ; tries++) {
		checkAborted(signal);
		if (tries > 1 && limit.leftMs <= 0) return undefined;
		const { searcher } = core;
		const isHeld = searcher !== undefined && tries > FREE_TRIES[view];
		const result = isHeld
			? await withHeldState(core, limit, useOne)
			: await useOne(searcher === undefined ? undefined : newestState(core, searcher));
		if (result !== undefined) return result;
		if (isStuck() && tries > LEAST_TRIES) throw unsettled();
		// What has overtaken the search is on its way into the memory: lets that happen.
		await (view === "shared" ? setTimeout(1) : turn());
	}
}

/**
 * Whether nothing has come into the memory for longer than it should take, and nobody waits for room in it. To be asked again and again: as
 * long as there is progress, or writers wait, which may take long, nothing has failed.
 */
function stuckIn(core: CollectionCore): () => boolean {
	let since = performance.now();
	let seen: number | undefined;
	return () => {
		const slotEnd = core.searcher?.generation.slotEnd;
		// One that has ended waits no more, and cannot say so.
		const isWaiting = core.isWaiting && core.database.threads.writer.failure === undefined;
		if (isWaiting || slotEnd !== seen) since = performance.now();
		seen = slotEnd;
		return performance.now() - since > PATIENCE_MS;
	};
}

function unsettled(): NighError {
	const problem = "what has been written does not come into the memory that is searched";
	return new NighError("UNAVAILABLE", `${problem}: close the database and open it again`);
}

/** Whatever is newest when it is read: what is not of the state that is searched has to be searched for again. */
function newestState(core: CollectionCore, searcher: Searcher, change?: number): SearchState {
	const { database, key, filters } = core;
	const { reader } = database.threads;
	return {
		searcher,
		change,
		at: (searched) => newestState(core, searcher, searched),
		async withMatches(node, use) {
			// Bitmaps lie in the memory of the newest generation.
			if (core.searcher !== searcher) return undefined;
			// Another process has written what the memory here does not have yet: a filter would not be evaluated in its state.
			const isBehind = database.view === "process" && database.records.state(key).change !== core.change;
			if (isBehind && !filters.has(node)) return undefined;
			return filters.with(node, use);
		},
		words: (request) => reader.call("words", { key, now: core.now, ...request }),
		async records(labels, include) {
			if (labels.length <= MOST_HERE) return database.records.byLabels(key, labels, include);
			return unpackRecords(await reader.call("records", { key, labels, include }), include);
		},
	};
}

/**
 * Calls `use` with one state of the records, which is held meanwhile, and a memory that has it. Where another process writes, the memory is
 * brought to it. `undefined`: another generation has taken over, or the time has run out.
 */
async function withHeldState<T>(
	core: CollectionCore,
	limit: TimeLimit,
	use: (state: SearchState) => Promise<T | undefined>,
): Promise<T | undefined> {
	const { view, threads } = core.database;
	// In a process that only reads, the thread that writes elsewhere follows the other process.
	const port: Calling<StateReads> = view === "process" ? threads.writer : threads.reader;
	const before = core.searcher;
	const change = await hold(port, core.key, limit);
	if (change === undefined) return undefined;
	try {
		if (view === "process") core.follow(change);
		// What takes over now may lack what has died since; what was there before has all of it.
		const searcher = view === "process" ? core.searcher : before;
		if (searcher === undefined || !(await isPublished(core, searcher, change, limit))) return undefined;
		return await use(heldState(core, port, searcher, change));
	} finally {
		release(port);
	}
}

/** Holds the newest state, when it is this one's turn, and tells its change. `undefined`, without one, where the time has run out. */
async function hold(port: Calling<StateReads>, key: number, limit: TimeLimit): Promise<number | undefined> {
	const holding = port.call("hold", key);
	let change: number | undefined;
	try {
		change = await inTime(limit, () => holding);
		return change;
	} finally {
		// Its turn comes nevertheless, and goes to the next.
		if (change === undefined) void holding.then(() => release(port)).catch(() => {});
	}
}

function release(port: Calling<StateReads>): void {
	port.call("release", undefined).catch(() => {});
}

function heldState(core: CollectionCore, port: Calling<StateReads>, searcher: Searcher, change: number): SearchState {
	const { key } = core;
	const generation = searcher.generation.handle.number;
	const isHeld = true;
	return {
		searcher,
		change,
		at() {
			return this;
		},
		async withMatches(node, use) {
			if (core.searcher !== searcher) return undefined;
			return core.filters.once(async (bitmap) => {
				const { now } = core;
				const found = await port.call("match", { key, generation, node, bitmap, now, isHeld });
				return found && use({ bitmap, count: found.matches, change });
			});
		},
		words: (request) => port.call("words", { key, now: core.now, ...request, isHeld }),
		async records(labels, include) {
			return unpackRecords(await port.call("records", { key, labels, include, isHeld }), include);
		},
	};
}

/** Waits until what is committed is in the memory. `false`: the time has run out, or another generation has taken over, which will have it. */
async function isPublished(
	core: CollectionCore,
	searcher: Searcher,
	change: number,
	limit: TimeLimit,
): Promise<boolean> {
	for (const since = performance.now(); searcher.generation.change < change; await setTimeout(1)) {
		if (core.searcher !== searcher || limit.signal?.aborted === true || limit.leftMs <= 0) return false;
		if (performance.now() - since > WAIT_MS) return false;
	}
	return true;
}

/** ms to hold one state until the memory has it, which takes long where room has to be made first; then a newer one is held. */
const WAIT_MS = 1_000;
