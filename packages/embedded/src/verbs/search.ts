import {
	type Hit,
	type Metadata,
	NighError,
	type SearchPlan,
	type SearchRequest,
	type SearchResult,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { isExactWay } from "../memory/main-search.ts";
import { vectorOf } from "../memory/rows.ts";
import { statementFor, uncertifiedRecall } from "../recall/statement.ts";
import { askedKind } from "../records/catalogue.ts";
import { publish } from "../watch/events.ts";
import { attach } from "./attach.ts";
import { checkAborted } from "./check-aborted.ts";
import { type Checked, checkRequest } from "./check-request.ts";
import { fairTurn } from "./fair-turn.ts";
import { type Found, find, nothing, type Question } from "./find.ts";
import { inTime } from "./in-time.ts";
import { inSomeState, type SearchState } from "./search-state.ts";

/** One search, from its request to its result. */
export async function search<M extends Metadata>(
	core: CollectionCore,
	request: SearchRequest<M>,
): Promise<SearchResult<M>> {
	core.checkOpen();
	const checked = checkRequest(core, request as unknown as SearchRequest);
	checkAborted(checked.signal);
	const start = performance.now();
	const result =
		(await answer<M>(core, { request: checked, start })) ?? outOfTime<M>(core, { request: checked, start });
	report(core, checked, result);
	return result;
}

/** Answers, without telling of it. `undefined` where the time has run out before there was anything to answer. */
export async function answer<M extends Metadata>(
	core: CollectionCore,
	asked: Omit<Question, "vector">,
): Promise<SearchResult<M> | undefined> {
	const { request, start } = asked;
	const vector = await vectorFor(core, request);
	if (vector === undefined) return undefined;
	const due = fairTurn();
	if (due !== undefined) await due;
	const { signal, timeoutMs = Number.POSITIVE_INFINITY } = request;
	const left = () => start + timeoutMs - performance.now();
	return inSomeState(core, { signal, left }, (state) => answerIn<M>(core, { ...asked, vector }, state));
}

/** Answers in one state (none: there are no vectors); `undefined` where not everything was of that state. */
export async function answerIn<M extends Metadata>(
	core: CollectionCore,
	question: Question,
	state: SearchState | undefined,
): Promise<SearchResult<M> | undefined> {
	const { request, start } = question;
	if (state === undefined) return resultOf<M>(core, question, nothing(core, false), []);
	const isLate = () => performance.now() > start + (request.timeoutMs ?? Number.POSITIVE_INFINITY);
	const found = await find(core, question, state);
	checkAborted(request.signal);
	if (found === undefined) return isLate() ? outOfTime<M>(core, question) : undefined;
	if ((found.cutShort || isLate()) && !request.partial) throw timedOut(request, performance.now() - start);
	const hits = await attach<M>(core, request, found, state);
	return hits && resultOf<M>(core, question, found, hits);
}

/**
 * What is answered where the time has run out before anything was found: with `partial`, that there is nothing.
 *
 * @throws NighError `SEARCH_TIMEOUT` without.
 */
export function outOfTime<M extends Metadata>(
	core: CollectionCore,
	asked: Pick<Question, "request" | "start">,
): SearchResult<M> {
	if (asked.request.partial) return resultOf<M>(core, asked, nothing(core, true), []);
	throw timedOut(asked.request, performance.now() - asked.start);
}

/** The vector that is searched near to; `undefined` where it takes longer than the search may. */
export async function vectorFor(
	core: CollectionCore,
	{ vector, embed, id, signal, timeoutMs: leftMs = Number.POSITIVE_INFINITY }: Checked,
): Promise<Float32Array | Uint8Array | undefined> {
	if (vector !== undefined) return vector;
	if (embed !== undefined) {
		const embedded = await inTime({ leftMs, signal }, (inner) => core.embed([embed], inner));
		return embedded?.[0];
	}
	const [record] = core.database.records.byIds(core.key, [id as string], { metadata: false, vector: true }, core.now);
	if (record?.vector !== undefined) return vectorOf(record.vector, core.spec);
	throw new NighError("NOT_FOUND", `there is no record ${JSON.stringify(id)} to search near to`, {
		field: "id",
		value: id,
	});
}

function resultOf<M extends Metadata>(
	core: CollectionCore,
	{ request, start }: Pick<Question, "request" | "start">,
	{ change, way, widths, matches, cutShort, service }: Found,
	hits: readonly Hit<M>[],
): SearchResult<M> {
	const durationMs = performance.now() - start;
	const plan: SearchPlan = {
		strategy: way,
		index: core.searcher?.mainKind ?? askedKind(core.spec),
		...widths,
		...(matches !== undefined && { matches }),
		cutShort,
		durationMs,
	};
	const isExact = isExactWay(way);
	const recall = cutShort ? uncertifiedRecall(request.recall) : statementFor(service, request.recall, isExact, change);
	return { hits, recall, plan, changeNumber: change };
}

/** Tells of a search that has been answered. */
export function report(core: CollectionCore, { k }: Checked, { hits, recall, plan }: SearchResult): void {
	const { durationMs, strategy, cutShort } = plan;
	core.latency.search.record(durationMs);
	publish("nigh:search", () => ({
		collection: core.name,
		durationMs,
		strategy,
		k,
		hits: hits.length,
		cutShort,
		recall: recall.state,
	}));
}

function timedOut({ timeoutMs }: Checked, tookMs: number): NighError {
	return new NighError(
		"SEARCH_TIMEOUT",
		`the search took ${Math.ceil(tookMs)} ms and may take ${timeoutMs}: allow more, ask for less recall, or take what was found with partial: true`,
		{ timeoutMs, tookMs },
	);
}
