import {
	BOUNDS,
	type CallOptions,
	checkBound,
	checkOptions,
	isNighError,
	type Metadata,
	NighError,
	type SearchRequest,
	type SearchResult,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { uncertifiedRecall } from "../recall/statement.ts";
import { publishFailure } from "../watch/events.ts";
import { Slices } from "../workers/slices.ts";
import { checkAborted } from "./check-aborted.ts";
import { type Checked, checkRequest } from "./check-request.ts";
import { fairTurn } from "./fair-turn.ts";
import type { Question } from "./find.ts";
import { answerIn, outOfTime, report, vectorFor } from "./search.ts";
import { inSomeState, type SearchState } from "./search-state.ts";

/** Answers in the order of the requests. */
export async function searchMany<M extends Metadata>(
	core: CollectionCore,
	requests: readonly SearchRequest<M>[],
	options: CallOptions,
): Promise<SearchResult<M>[]> {
	core.checkOpen();
	checkOptions(options, ["signal"], "searchMany");
	checkAborted(options.signal);
	if (!Array.isArray(requests)) {
		throw new NighError("INVALID_OPTION", "searchMany takes an array of requests.", { field: "requests" });
	}
	checkBound("requests", requests.length, BOUNDS.queriesPerCall);
	// An array may have holes, which `map` would pass over.
	const checked = Array.from(requests, (request, row) =>
		checkedRow(core, request as unknown as SearchRequest, row, options.signal),
	);
	const prepared: Prepared[] = [];
	for (const [row, request] of checked.entries()) {
		const start = performance.now();
		const vector = await vectorFor(core, request).catch((error) => {
			throw withRow(error, row);
		});
		prepared.push({ request, vector, tookMs: performance.now() - start });
	}
	await fairTurn();
	const since = performance.now();
	const { signal } = options;
	// As long as one of them has time.
	const longest = prepared.reduce(
		(most, { request, tookMs }) => Math.max(most, (request.timeoutMs ?? Number.POSITIVE_INFINITY) - tookMs),
		0,
	);
	const left = (waitedMs: number) => longest - waitedMs;
	const results =
		(await inSomeState(core, { signal, left }, (state, waitedMs) => answerAll<M>(core, prepared, state, waitedMs))) ??
		prepared.map(({ request, tookMs }, row) => late<M>(core, { request, start: since - tookMs }, row, undefined));
	results.forEach((result, row) => {
		if (result.error === undefined) report(core, checked[row] as Checked, result);
		else publishFailure("nigh:search", core.name, result.plan.durationMs, result.error);
	});
	return results;
}

/** A request with the vector that is searched near to (none: it took longer than the search may), and the ms that it took to find that. */
interface Prepared {
	readonly request: Checked;
	readonly vector: Float32Array | Uint8Array | undefined;
	readonly tookMs: number;
}

/** `undefined`: they could not all be answered in that state. */
async function answerAll<M extends Metadata>(
	core: CollectionCore,
	requests: readonly Prepared[],
	given: SearchState | undefined,
	waitedMs: number,
): Promise<SearchResult<M>[] | undefined> {
	const results: SearchResult<M>[] = [];
	let state = given;
	const slices = new Slices();
	for (const [row, { request, vector, tookMs }] of requests.entries()) {
		await slices.pause();
		// Its own time, and what all have waited: that of the others is not its fault.
		const start = performance.now() - tookMs - waitedMs;
		const result =
			vector === undefined
				? late<M>(core, { request, start }, row, state)
				: await answerOne<M>(core, { request, vector, start }, row, state);
		if (result === undefined) return undefined;
		results.push(result);
		// The first says which change all are to be of.
		if (result.error === undefined) state = state?.at(result.changeNumber);
	}
	const changeNumber = state?.change;
	if (changeNumber === undefined) return results;
	return results.map((result) => (result.error === undefined ? result : { ...result, changeNumber }));
}

function checkedRow(
	core: CollectionCore,
	request: SearchRequest,
	row: number,
	signal: AbortSignal | undefined,
): Checked {
	try {
		const checked = checkRequest(core, request, row);
		// Either ends it.
		const signals = [checked.signal, signal].filter((each) => each !== undefined);
		return { ...checked, signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0] };
	} catch (error) {
		throw withRow(error, row);
	}
}

/** One that runs out of its time leaves the others as they are. */
async function answerOne<M extends Metadata>(
	core: CollectionCore,
	question: Question,
	row: number,
	state: SearchState | undefined,
): Promise<SearchResult<M> | undefined> {
	try {
		return await answerIn<M>(core, question, state);
	} catch (error) {
		return withError<M>(core, question.request, row, state, error);
	}
}

/** What one has that ran out of its time before it was searched for. */
function late<M extends Metadata>(
	core: CollectionCore,
	asked: Pick<Question, "request" | "start">,
	row: number,
	state: SearchState | undefined,
): SearchResult<M> {
	try {
		return outOfTime<M>(core, asked);
	} catch (error) {
		return withError<M>(core, asked.request, row, state, error);
	}
}

/** @throws the error of a request that ends them all: any other than having run out of its time. */
function withError<M extends Metadata>(
	core: CollectionCore,
	request: Checked,
	row: number,
	state: SearchState | undefined,
	error: unknown,
): SearchResult<M> {
	if (!isNighError(error, "SEARCH_TIMEOUT")) throw withRow(error, row);
	return {
		hits: [],
		recall: uncertifiedRecall(request.recall),
		plan: { strategy: "scan", index: "flat", cutShort: true, durationMs: request.timeoutMs ?? 0 },
		changeNumber: state?.change ?? core.change,
		error,
	};
}

function withRow(error: unknown, row: number): unknown {
	if (!isNighError(error)) return error;
	return new NighError(error.code, `Request ${row}: ${error.message}`, { ...error.details, row }, { cause: error });
}
