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
import { turn } from "../workers/turn.ts";
import { checkAborted } from "./check-aborted.ts";
import { type Checked, checkRequest } from "./check-request.ts";
import { uncertifiedRecall } from "./recall-statement.ts";
import { answer } from "./search.ts";

/** ms that searches may take before other work of the thread gets its turn. */
const SLICE_MS = 4;

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
	const checked = requests.map((request, row) =>
		checkedRow(core, request as unknown as SearchRequest, row, options.signal),
	);
	const results: SearchResult<M>[] = [];
	let since = performance.now();
	for (const [row, request] of checked.entries()) {
		if (performance.now() - since > SLICE_MS) {
			await turn();
			since = performance.now();
		}
		results.push(await answerOne<M>(core, request, row));
	}
	return results;
}

function checkedRow(
	core: CollectionCore,
	request: SearchRequest,
	row: number,
	signal: AbortSignal | undefined,
): Checked {
	try {
		const checked = checkRequest(core, request, row);
		return checked.signal === undefined ? { ...checked, signal } : checked;
	} catch (error) {
		throw withRow(error, row);
	}
}

/** One that runs out of its time leaves the others as they are. */
async function answerOne<M extends Metadata>(
	core: CollectionCore,
	request: Checked,
	row: number,
): Promise<SearchResult<M>> {
	try {
		return await answer<M>(core, request);
	} catch (error) {
		if (!isNighError(error, "SEARCH_TIMEOUT")) throw withRow(error, row);
		return {
			hits: [],
			recall: uncertifiedRecall(request.recall),
			plan: { strategy: "scan", index: "flat", cutShort: true, durationMs: request.timeoutMs ?? 0 },
			changeNumber: core.change,
			error,
		};
	}
}

function withRow(error: unknown, row: number): unknown {
	if (!isNighError(error)) return error;
	return new NighError(error.code, `Request ${row}: ${error.message}`, { ...error.details, row }, { cause: error });
}
