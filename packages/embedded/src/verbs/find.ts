import { BOUNDS, checkInteger, compareIds, type FilterNode, isNighError } from "@nigh/contract";
import { adaptiveEf } from "@nigh/index";
import { type Arm, type Bandit, type Rung, targetFor } from "@nigh/recall";
import type { CollectionCore } from "../core.ts";
import { isExactWay, type Way, type Widths } from "../memory/main-search.ts";
import type { Matches, Searcher, SlotQuery } from "../memory/searcher.ts";
import { widthsOf } from "../recall/rung-query.ts";
import { MOST_EXACT_BYTES } from "../recall/served.ts";
import type { Service } from "../recall/serving.ts";
import type { RowFiles } from "../row-files/read.ts";
import { scoreFor } from "./attach.ts";
import type { Checked } from "./check-request.ts";
import { fuse, type Ranked } from "./fuse.ts";
import { inTime, type TimeLimit } from "./in-time.ts";
import type { SearchState } from "./search-state.ts";

/** Bytes of rows that are compared on the calling thread; more would take it about 2 ms. */
const MOST_BYTES_HERE = 24 * 2 ** 20;

/** What one state of the collection answers. */
export interface Found {
	readonly ranked: readonly Ranked[];
	readonly change: number;
	readonly way: Way;
	readonly widths: Widths;
	readonly matches: number | undefined;
	readonly cutShort: boolean;
	/** What its recall is known by; `undefined`: nothing speaks of it. */
	readonly service?: Service | undefined;
}

/** What is asked for; `start` is when, as `performance.now()` tells it. */
export interface Question {
	readonly request: Checked;
	readonly vector: Float32Array | Uint8Array;
	readonly start: number;
	/** Nobody asks: it is neither kept as a query nor audited, and the tuner learns nothing by it. */
	readonly isTrial?: boolean;
	/** The way to search, whatever serves; `null`: exactly. */
	readonly rung?: Rung | null;
}

/** What there is to find where there are no vectors, or no time. */
export function nothing({ change }: CollectionCore, cutShort: boolean): Found {
	return { ranked: [], change, way: "scan", widths: {}, matches: undefined, cutShort };
}

/**
 * The nearest, of one state. `undefined`: another generation has taken over, every bitmap is lent, what is committed is not in the memory
 * yet, what was read is of a later state than what was searched, or the time has run out.
 */
export function find(core: CollectionCore, question: Question, state: SearchState): Promise<Found | undefined> {
	core.expire();
	const { node } = question.request;
	const use = (matches?: Matches) => findAmong(core, question, state, matches);
	return node === undefined ? use() : withMatches(state, node, limitOf(question), use);
}

/**
 * Calls `use` with the matches of a filter, for which it waits no longer than it may: evaluating one for the first time may take long. The
 * thread that does goes on, and the next search with that filter finds it done. `undefined` where the time has run out.
 */
async function withMatches<T>(
	state: SearchState,
	node: FilterNode,
	limit: TimeLimit,
	use: (matches: Matches) => Promise<T>,
): Promise<T | undefined> {
	const lent = Promise.withResolvers<boolean>();
	let isWanted = true;
	const using = state.withMatches(node, async (matches) => {
		lent.resolve(true);
		return isWanted ? use(matches) : undefined;
	});
	// Nobody is told of what comes too late.
	using.catch(() => {});
	try {
		isWanted = (await inTime(limit, () => Promise.race([lent.promise, using.then(() => true)]))) ?? false;
	} catch (error) {
		isWanted = false;
		throw error;
	}
	return isWanted ? using : undefined;
}

function limitOf({ request: { timeoutMs = Number.POSITIVE_INFINITY, signal }, start }: Question): TimeLimit {
	return { leftMs: start + timeoutMs - performance.now(), signal };
}

async function findAmong(
	core: CollectionCore,
	question: Question,
	state: SearchState,
	matches: Matches | undefined,
): Promise<Found | undefined> {
	const { request, vector, start } = question;
	const { searcher } = state;
	const { generation } = searcher;
	// Without a filter the newest published state is as good as the newest acknowledged, which the bitmaps of filters know.
	const change = state.change ?? matches?.change ?? generation.change;
	if (matches !== undefined && matches.change !== change) return undefined;
	// Committed and not yet published: it will be in a moment.
	if (change > generation.change) return undefined;
	if (core.database.view === "shared" && generation.change < core.database.records.state(core.key).change)
		return undefined;
	const { text, node, timeoutMs } = request;
	const depth = text === undefined ? request.k : legDepth(request.k);
	const { rung } = question;
	const serve =
		rung === undefined
			? serveFor(core, question, depth, searcher, matches)
			: { ...EXACT, exact: rung === null, widths: rung === null ? {} : widthsOf(rung, depth) };
	const query: SlotQuery = { vector, k: depth, change, exact: serve.exact, ...serve.widths, matches };
	const isAudited = serve.isCertified && question.isTrial !== true && core.recall.sampling.tossForAudit(start);
	const [near, words] = await Promise.all([
		served(core, serve, () =>
			nearest(core, searcher, query, limitOf(question), timeoutMs === undefined ? undefined : start + timeoutMs),
		),
		text === undefined ? undefined : inTime(limitOf(question), () => state.words({ text, limit: depth, node })),
	]);
	if (near === undefined || (text !== undefined && words?.change !== change)) return undefined;
	const ranked = near.slots.map(
		(slot, i): Ranked => ({
			label: generation.labels[slot] as number,
			id: generation.idOf(slot),
			distance: near.distances[i] as number,
		}),
	);
	ranked.sort(byDistance);
	const { way, widths, cutShort } = near;
	const found = { change, way, widths, matches: matches?.count, cutShort, service: serve.service };
	if (question.isTrial !== true) note(core, question, query, near, searcher, isAudited ? serve.service : undefined);
	if (words === undefined) return { ...found, ranked: within(core, request, ranked) };
	const fused = await fuse(core, vector, ranked, words.hits, request, state);
	return fused && { ...found, ranked: within(core, request, fused).slice(0, request.k) };
}

interface Near {
	readonly slots: readonly number[];
	readonly distances: readonly number[];
	readonly way: Way;
	readonly widths: Widths;
	readonly cutShort: boolean;
}

/** Whether a search is quick enough for the calling thread. */
export function isQuick(searcher: Searcher, query: Parameters<Searcher["bytesCompared"]>[0]): boolean {
	return searcher.bytesCompared(query) <= MOST_BYTES_HERE;
}

/** Searches here where that is quick, else on the reader worker. `undefined`: another generation has taken over. */
async function nearest(
	core: CollectionCore,
	searcher: Searcher,
	query: SlotQuery,
	limit: TimeLimit,
	deadline: number | undefined,
): Promise<Near | undefined> {
	const { database, key } = core;
	const { signal } = limit;
	if (isQuick(searcher, query) && searcher.search(query, 1.5 * MOST_BYTES_HERE)) {
		const near = answersOf(searcher);
		const { unranked } = searcher;
		if (unranked.length === 0) return near;
		return rankedFromDisk(searcher, query, near, unranked, limit).catch((error) => {
			// Its files may have gone with it.
			if (core.searcher === searcher || isNighError(error, "ABORTED")) throw error;
			return undefined;
		});
	}
	const abort = signal === undefined ? undefined : new Int32Array(new SharedArrayBuffer(4));
	const raise = () => void (abort !== undefined && Atomics.store(abort, 0, 1));
	signal?.addEventListener("abort", raise, { once: true });
	try {
		const found = await database.threads.reader.call("scan", {
			key,
			generation: searcher.generation.handle.number,
			query: { ...query, vector: query.vector.slice() },
			deadline: deadline === undefined ? undefined : performance.timeOrigin + deadline,
			abort,
		});
		return found;
	} catch (error) {
		// As above.
		if (core.searcher === searcher || isNighError(error, "ABORTED")) throw error;
		return undefined;
	} finally {
		signal?.removeEventListener("abort", raise);
	}
}

/** Copies: another search of this thread may come before the caller goes on. */
function answersOf({ slots, distances, way, widths }: Searcher): Near {
	return { slots: slots.slice(), distances: distances.slice(), way, widths, cutShort: false };
}

/** Reads the rows that decide the answer, many at a time, and ranks them. Where the time has run out before, the answer is what is known without them. */
async function rankedFromDisk(
	searcher: Searcher,
	query: SlotQuery,
	near: Near,
	unranked: Uint32Array,
	limit: TimeLimit,
): Promise<Near> {
	const rows = new Uint8Array(unranked.length * searcher.generation.size.rowBytes);
	const files = searcher.files as RowFiles;
	const read = await inTime(limit, async (signal) => {
		await files.readMany(unranked, rows, signal === undefined ? {} : { signal });
		return true;
	});
	if (read === undefined) return { ...near, cutShort: true };
	searcher.rank(query, unranked, rows, near);
	return { ...near, slots: searcher.slots.slice(), distances: searcher.distances.slice() };
}

/** Each leg of a hybrid search is asked for more than is answered: what is third in one may be first in both. */
function legDepth(k: number): number {
	return Math.min(10_000, Math.max(4 * k, 100));
}

/** How a search is gone about. */
interface Serve {
	readonly exact: boolean;
	readonly widths: Width;
	/** What its recall is known by. */
	readonly service?: Service;
	/** Whether an approximate search is certified to serve it. */
	readonly isCertified: boolean;
	/** Whether nobody has asked for it to be exact: what might serve is not known. */
	readonly isForWant: boolean;
	/** What the tuner has chosen. */
	readonly choice?: { readonly bandit: Bandit; readonly arm: Arm };
}

type Width = Pick<SlotQuery, "ef" | "isWidthAsked" | "patience" | "nprobe" | "rerank" | "budget" | "breadth">;

const EXACT: Serve = { exact: true, widths: {}, isCertified: false, isForWant: false };

/**
 * What serves a search: what was asked for by its width; what is certified for its recall; else the exact search. Where that would take long, or as
 * many go on already, it is as wide as the widest that was measured, or as searches commonly are, and the answer says that it is uncertified.
 */
function serveFor(
	core: CollectionCore,
	{ request, isTrial }: Question,
	k: number,
	searcher: Searcher,
	matches: Matches | undefined,
): Serve {
	if (request.exact || k > BOUNDS.k.exactAbove) return EXACT;
	if (searcher.area.main === null || isWidthAsked(request)) {
		return { ...EXACT, exact: false, widths: usualWidth(request, k, searcher) };
	}
	const asked = { k, recall: request.recall, matches: matches?.count };
	const service = core.recall.serviceFor(asked, searcher.generation);
	if (service.rung !== null && service.rung !== undefined) {
		const choice = isTrial === true ? undefined : core.recall.armFor(service);
		const rung = choice === undefined ? service.rung : choice.arm.rung;
		if (rung === null) return { ...EXACT, service, ...(choice !== undefined && { choice }) };
		const isCertified = service.state !== "breached";
		return {
			exact: false,
			widths: widthsOf(rung, k),
			service,
			isCertified,
			isForWant: false,
			...(choice && { choice }),
		};
	}
	const mayBeExact = core.recall.mayBeExact && searcher.bytesOfAll({ k, matches }) <= MOST_EXACT_BYTES;
	if (mayBeExact) return { ...EXACT, service, isForWant: true };
	const { widest } = service;
	const widths = widest === undefined ? usualWidth(request, k, searcher) : widthsOf(widest, k);
	return { ...EXACT, exact: false, widths, service };
}

function isWidthAsked({ ef, nprobe, rerank, budget }: Checked): boolean {
	return ef !== undefined || nprobe !== undefined || rerank !== undefined || budget !== undefined;
}

/** Runs a search as it is served: counts those that are exact for want of better, and tells the tuner how long its choice took. */
async function served(
	core: CollectionCore,
	{ isForWant, choice }: Serve,
	search: () => Promise<Near | undefined>,
): Promise<Near | undefined> {
	if (choice === undefined && !isForWant) return search();
	if (isForWant) core.recall.exactRunning++;
	const start = performance.now();
	try {
		const near = await search();
		if (choice !== undefined && core.spec.tuner.live) credit(choice, near, performance.now() - start);
		return near;
	} finally {
		if (isForWant) core.recall.exactRunning--;
	}
}

/** An arm has its credit only where it has answered as it is labelled. */
function credit({ bandit, arm }: NonNullable<Serve["choice"]>, near: Near | undefined, ms: number): void {
	if (near !== undefined && !near.cutShort && isExactWay(near.way) === (arm.rung === null)) bandit.credit(arm, ms);
	else bandit.fellBack(arm);
}

/** Searches that have been noted: each is kept and audited once. */
const noted = new WeakSet<Checked>();

/**
 * Keeps a query to certify by, and has a search audited whose coin has said so. What asks for a record's own neighbours is neither: it finds them
 * too easily. What is searched for exactly, or with a width of its own, is no search that a declared recall serves.
 */
function note(
	core: CollectionCore,
	{ request }: Question,
	{ vector, k, matches, change }: SlotQuery,
	{ distances, cutShort, way }: Near,
	{ generation, area }: Searcher,
	service: Service | undefined,
): void {
	if (area.main === null || cutShort || request.id !== undefined || k > BOUNDS.k.exactAbove) return;
	if (request.exact || isWidthAsked(request)) return;
	// What is answered again in another state is one search.
	if (noted.has(request)) return;
	noted.add(request);
	const { sampling } = core.recall;
	const share = matches === undefined ? undefined : matches.count / Math.max(1, generation.live);
	const query = { k, node: request.node, share, target: targetFor(request.recall) };
	sampling.offer(query, vector);
	const cell = service?.cells.at(-1);
	// What is watched is what is certified: approximate answers.
	if (cell === undefined || isExactWay(way)) return;
	const { target, process, k: band } = cell;
	const at = { band, process, generation: generation.handle.number, change };
	sampling.audit({ ...query, ...at, target, vector: vector.slice(), distances });
}

/** How wide searches commonly are: the index's own width is made for 0.95, and the share that is missed falls about in proportion to it. */
function usualWidth({ ef, nprobe, rerank, budget, recall }: Checked, depth: number, searcher: Searcher): Width {
	const { main } = searcher.area;
	if (main === null) return {};
	const breadth = Math.min(16, Math.max(0.5, 0.05 / Math.max(1e-3, 1 - recall)));
	if (main.kind !== "hnsw") {
		const { nlist } = main.reader;
		const most = (asked: number | undefined) =>
			asked === undefined ? undefined : checkInteger("nprobe", asked, { min: 1, max: nlist });
		// A leg of a hybrid search looks for more than its user asked for.
		const candidates = rerank === undefined || rerank === 0 ? rerank : Math.max(rerank, depth);
		return { nprobe: most(nprobe), rerank: candidates, budget, breadth, isWidthAsked: nprobe !== undefined };
	}
	if (ef !== undefined) return { ef: Math.max(ef, depth), isWidthAsked: true };
	if (breadth === 1) return {};
	const base = Math.max(main.reader.ef, adaptiveEf(depth));
	return { ef: Math.min(10_000, Math.max(depth, Math.round(base * breadth))) };
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
