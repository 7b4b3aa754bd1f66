import { setTimeout } from "node:timers/promises";
import {
	compareIds,
	type Distance,
	type Hit,
	type Metadata,
	NighError,
	type Score,
	type SearchPlan,
	type SearchRequest,
	type SearchResult,
	scoreOf,
} from "@nigh/contract";
import { adaptiveEf } from "@nigh/index";
import type { CollectionCore } from "../core.ts";
import { vectorOf } from "../memory/rows.ts";
import type { Matches, Searcher, SlotQuery, Way } from "../memory/searcher.ts";
import { chosenIndex } from "../records/catalogue.ts";
import type { ReadRecord } from "../records/row.ts";
import { publish } from "../watch/events.ts";
import { turn } from "../workers/turn.ts";
import { checkAborted } from "./check-aborted.ts";
import { type Checked, checkRequest } from "./check-request.ts";
import { fuse, type Ranked } from "./fuse.ts";
import { storedRecord } from "./get.ts";
import { fetchChanges } from "./maintain.ts";
import { exactRecall, uncertifiedRecall } from "./recall-statement.ts";

/** Bytes of rows that are compared on the calling thread; more would take it about 2 ms. */
const MOST_BYTES_HERE = 16 * 2 ** 20;

/** ms for which a search is done again because what it had found was written over before it could be read. */
const PATIENCE_MS = 10_000;

/** What one state of the collection answers. */
interface Found {
	readonly ranked: readonly Ranked[];
	readonly change: number;
	readonly way: Way;
	readonly ef: number | undefined;
	readonly matches: number | undefined;
	readonly cutShort: boolean;
}

/** One search, from its request to its result. */
export async function search<M extends Metadata>(
	core: CollectionCore,
	request: SearchRequest<M>,
): Promise<SearchResult<M>> {
	core.checkOpen();
	return answer<M>(core, checkRequest(core, request as unknown as SearchRequest));
}

/** Answers a request that has been checked. */
export async function answer<M extends Metadata>(core: CollectionCore, request: Checked): Promise<SearchResult<M>> {
	const start = performance.now();
	const deadline = request.timeoutMs === undefined ? undefined : start + request.timeoutMs;
	checkAborted(request.signal);
	const vector = request.vector ?? (await vectorFor(core, request));
	for (;;) {
		const found = await find(core, request, vector, deadline);
		checkAborted(request.signal);
		const isLate = found.cutShort || (deadline !== undefined && performance.now() > deadline);
		if (isLate && !request.partial) throw timedOut(request, performance.now() - start);
		const hits = attach<M>(core, request, found);
		if (hits !== undefined) return resultOf(core, request, found, hits, performance.now() - start);
		await nextState(core, start);
	}
}

/** What has overtaken a search is on its way into the memory: lets that happen. */
async function nextState(core: CollectionCore, since: number): Promise<void> {
	if (performance.now() - since > PATIENCE_MS) {
		throw new NighError("UNAVAILABLE", "the records that were found change faster than they can be read: try again");
	}
	if (core.database.view === "process") await fetchChanges(core);
	else if (core.database.view === "shared") await setTimeout(1);
	else await turn();
}

async function vectorFor(core: CollectionCore, { embed, id, signal }: Checked): Promise<Float32Array | Uint8Array> {
	if (embed !== undefined) {
		const [vector] = await core.embed([embed], signal);
		return vector as Float32Array;
	}
	const [record] = core.database.records.byIds(core.key, [id as string], { metadata: false, vector: true }, core.now);
	if (record?.vector !== undefined) return vectorOf(record.vector, core.spec);
	throw new NighError("NOT_FOUND", `there is no record ${JSON.stringify(id)} to search near to`, {
		field: "id",
		value: id,
	});
}

async function find(
	core: CollectionCore,
	request: Checked,
	vector: Float32Array | Uint8Array,
	deadline: number | undefined,
): Promise<Found> {
	core.expire();
	const start = performance.now();
	const { node } = request;
	for (;;) {
		const { searcher } = core;
		checkAborted(request.signal);
		if (searcher === undefined) return nothing(core, false);
		const found =
			node === undefined
				? await run(core, searcher, request, vector, undefined, deadline)
				: await core.filters.with(node, (matches) => run(core, searcher, request, vector, matches, deadline));
		if (found !== undefined) return found;
		if (deadline !== undefined && performance.now() > deadline) return nothing(core, true);
		// Another generation has taken over, every bitmap is lent, or what is committed is not published yet.
		await nextState(core, start);
	}
}

function nothing({ change }: CollectionCore, cutShort: boolean): Found {
	return { ranked: [], change, way: "scan", ef: undefined, matches: undefined, cutShort };
}

async function run(
	core: CollectionCore,
	searcher: Searcher,
	request: Checked,
	vector: Float32Array | Uint8Array,
	matches: Matches | undefined,
	deadline: number | undefined,
): Promise<Found | undefined> {
	const { generation } = searcher;
	if (core.database.view === "shared" && generation.change < core.database.records.state(core.key).change)
		return undefined;
	// The bitmaps of filters know what has been acknowledged; without a filter the newest published state is as good.
	const change = matches?.change ?? generation.change;
	// Committed and not yet published: it will be in a moment.
	if (change > generation.change) return undefined;
	const depth = request.text === undefined ? request.k : legDepth(request.k);
	const query: SlotQuery = {
		vector,
		k: depth,
		change,
		exact: request.exact,
		ef: efFor(request, depth, searcher),
		isWidthAsked: request.ef !== undefined,
		matches,
	};
	const legs = await Promise.all([
		nearest(core, searcher, query, request, deadline),
		request.text === undefined ? undefined : wordHits(core, request, depth),
	]);
	const [near, words] = legs;
	if (near === undefined || core.searcher !== searcher) return undefined;
	const ranked = near.slots.map(
		(slot, i): Ranked => ({
			label: generation.labels[slot] as number,
			id: generation.idOf(slot),
			distance: near.distances[i] as number,
		}),
	);
	const { way, ef, cutShort } = near;
	const state = { change, way, ef, matches: matches?.count, cutShort };
	if (words === undefined) return { ...state, ranked: within(core, request, ranked.sort(byDistance)) };
	const fused = fuse(core, vector, ranked.sort(byDistance), words, request);
	return fused === undefined ? undefined : { ...state, ranked: within(core, request, fused).slice(0, request.k) };
}

interface Near {
	readonly slots: readonly number[];
	readonly distances: readonly number[];
	readonly way: Way;
	readonly ef: number | undefined;
	readonly cutShort: boolean;
}

/** Searches here where that is quick, else on the reader worker. `undefined`: another generation has taken over. */
async function nearest(
	core: CollectionCore,
	searcher: Searcher,
	query: SlotQuery,
	{ signal }: Checked,
	deadline: number | undefined,
): Promise<Near | undefined> {
	if (searcher.comparisons(query) * searcher.generation.size.rowBytes <= MOST_BYTES_HERE) {
		searcher.search(query);
		// Copies: another search of this thread may come before the caller goes on.
		return {
			slots: searcher.slots.slice(),
			distances: searcher.distances.slice(),
			way: searcher.way,
			ef: searcher.ef,
			cutShort: false,
		};
	}
	const abort = signal === undefined ? undefined : new Int32Array(new SharedArrayBuffer(4));
	const raise = () => void (abort !== undefined && Atomics.store(abort, 0, 1));
	signal?.addEventListener("abort", raise, { once: true });
	try {
		const found = await core.database.threads.reader.call("scan", {
			key: core.key,
			generation: searcher.generation.handle.number,
			query: { ...query, vector: query.vector.slice() },
			deadline: deadline === undefined ? undefined : performance.timeOrigin + deadline,
			abort,
		});
		return found === undefined ? undefined : { ...found, ef: undefined };
	} finally {
		signal?.removeEventListener("abort", raise);
	}
}

function wordHits(core: CollectionCore, { text, node }: Checked, limit: number) {
	return core.database.threads.reader.call("words", {
		key: core.key,
		text: text as string,
		limit,
		now: core.now,
		node,
	});
}

/** Each leg of a hybrid search is asked for more than is answered: what is third in one may be first in both. */
function legDepth(k: number): number {
	return Math.min(10_000, Math.max(4 * k, 100));
}

/**
 * The beam width for a recall, until it is measured: the index's own is made for 0.95, and the share that is missed falls about in
 * proportion to its width.
 */
function efFor({ ef, recall }: Checked, depth: number, searcher: Searcher): number | undefined {
	// A leg of a hybrid search looks for more than its user asked for, so it cannot be narrower than that.
	if (ef !== undefined) return Math.max(ef, depth);
	if (!searcher.hasGraph) return undefined;
	const base = Math.max(searcher.area.graph?.ef ?? 0, adaptiveEf(depth));
	const factor = Math.min(16, Math.max(0.5, 0.05 / Math.max(1e-3, 1 - recall)));
	return factor === 1 ? undefined : Math.min(10_000, Math.max(depth, Math.round(base * factor)));
}

function within(
	core: CollectionCore,
	{ minScore, maxDistance }: Checked,
	ranked: readonly Ranked[],
): readonly Ranked[] {
	if (minScore === Number.NEGATIVE_INFINITY && maxDistance === Number.POSITIVE_INFINITY) return ranked;
	return ranked.filter(({ distance }) => distance <= maxDistance && scoreFor(core, distance) >= minScore);
}

function byDistance(a: Ranked, b: Ranked): number {
	return a.distance - b.distance || compareIds(a.id, b.id);
}

export function scoreFor({ spec }: CollectionCore, distance: number): Score {
	return scoreOf(spec.metric, distance as Distance, spec.dimensions ?? 1);
}

/** Reads what was asked for with the hits. `undefined`: a record has been written over since, so the hits are of no one state any more. */
function attach<M extends Metadata>(
	core: CollectionCore,
	{ include }: Checked,
	{ ranked, change }: Found,
): Hit<M>[] | undefined {
	const measure = (hit: Ranked) => ({
		distance: hit.distance as Distance,
		score: scoreFor(core, hit.distance),
		...(hit.fusedScore !== undefined && { fusedScore: hit.fusedScore }),
	});
	if (!include.metadata && !include.text && !include.vector)
		return ranked.map((hit) => ({ id: hit.id, ...measure(hit) }));
	const labels = ranked.map(({ label }) => label);
	const records = core.database.records.byLabels(core.key, labels, include);
	const hits: Hit<M>[] = [];
	for (let i = 0; i < ranked.length; i++) {
		const record: ReadRecord | undefined = records[i];
		if (record === undefined || record.change > change) return undefined;
		hits.push({ ...storedRecord<M>(core, record), ...measure(ranked[i] as Ranked) });
	}
	return hits;
}

function resultOf<M extends Metadata>(
	core: CollectionCore,
	request: Checked,
	{ change, way, ef, matches, cutShort }: Found,
	hits: readonly Hit<M>[],
	durationMs: number,
): SearchResult<M> {
	const plan: SearchPlan = {
		strategy: way,
		index: core.searcher?.hasGraph === true || chosenIndex(core.spec).kind === "hnsw" ? "hnsw" : "flat",
		...(ef !== undefined && { ef }),
		...(matches !== undefined && { matches }),
		cutShort,
		durationMs,
	};
	const isExact = (way === "scan" || way === "filtered-scan") && !cutShort;
	const recall = isExact ? exactRecall(request.recall, change) : uncertifiedRecall(request.recall);
	core.latency.search.record(durationMs);
	publish("nigh:search", () => ({
		collection: core.name,
		durationMs,
		strategy: way,
		k: request.k,
		hits: hits.length,
		cutShort,
		recall: recall.state,
	}));
	return { hits, recall, plan, changeNumber: change };
}

function timedOut({ timeoutMs }: Checked, tookMs: number): NighError {
	return new NighError(
		"SEARCH_TIMEOUT",
		`the search took ${Math.ceil(tookMs)} ms and may take ${timeoutMs}: allow more, ask for less recall, or take what was found with partial: true`,
		{ timeoutMs, tookMs },
	);
}
