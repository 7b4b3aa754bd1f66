import {
	BOUNDS,
	type CertifiedCell,
	type CertifyOptions,
	type CertifyReport,
	checkBits,
	checkBound,
	checkInteger,
	checkOptions,
	isNighError,
	NighError,
	parseFilter,
} from "@nigh/contract";
import { targetFor } from "@nigh/recall";
import type { CollectionCore } from "../core.ts";
import { checkFlag } from "../options.ts";
import { exactRecall } from "../recall/statement.ts";
import { Task } from "../workers/task.ts";
import { checkAborted } from "./check-aborted.ts";
import { Progress } from "./progress.ts";

const NAMES = [
	"target",
	"k",
	"confidence",
	"familyWise",
	"queries",
	"filter",
	"maxQueries",
	"maxMs",
	"onProgress",
	"signal",
] as const satisfies readonly (keyof CertifyOptions)[];

/** Parts that progress is told in: how many queries there will be, nobody knows before. */
const PARTS = 1_000;

/** Has the examiner compare searches with exact answers, and tells what that has certified. */
export async function certify(core: CollectionCore, options: CertifyOptions): Promise<CertifyReport> {
	core.checkOpen();
	const request = requestOf(core, options);
	const { signal } = options;
	checkAborted(signal);
	const start = performance.now();
	const progress = new Progress(options.onProgress, PARTS);
	const { searcher } = core;
	const target = request.target ?? core.spec.recall;
	const isExact = targetFor(target) === 1;
	const exact = (): CertifiedCell => ({
		statement: exactRecall(target, searcher?.generation.change ?? core.change),
		setting: null,
		endsEarly: false,
		measured: [],
	});
	const reported = (cells: readonly CertifiedCell[], isComplete: boolean): CertifyReport => {
		progress.finish();
		const statements = cells.map(({ statement }) => statement);
		return { statements, cells, isComplete, durationMs: performance.now() - start };
	};
	const isAlways = searcher === undefined || searcher.area.main === null;
	// Everything is compared: there is nothing to certify.
	if (isAlways || (isExact && request.target !== undefined)) return reported([exact()], true);
	core.recall.sampling.flush();
	const task = new Task();
	const abort = () => task.abort();
	signal?.addEventListener("abort", abort, { once: true });
	const stop = progress.watch(task);
	try {
		const { key, now, database } = core;
		const { cells, isComplete } = await database.threads.examiner.call("certify", {
			...request,
			key,
			now,
			task: task.words,
		});
		// Searches may have asked for less than the collection does.
		return reported(isExact ? [exact(), ...cells] : cells, isComplete);
	} catch (error) {
		if (!isNighError(error, "ABORTED")) throw error;
		const message = "the work was ended by its AbortSignal; what was certified by then stays.";
		throw new NighError("ABORTED", message, {}, { cause: signal?.reason });
	} finally {
		stop();
		signal?.removeEventListener("abort", abort);
	}
}

function requestOf(core: CollectionCore, options: CertifyOptions) {
	checkOptions(options, NAMES, "certify");
	const { target, k, queries, filter, maxMs, familyWise = false } = options;
	checkFlag("familyWise", familyWise);
	if (filter !== undefined && queries === undefined) {
		const message = "filter is what the queries are searched with, and there are none: give queries, or leave it out.";
		throw new NighError("INVALID_OPTION", message, { field: "filter" });
	}
	return {
		target: target === undefined ? undefined : checkBound("target", target, BOUNDS.recall),
		k: k === undefined ? undefined : checkInteger("k", k, { ...BOUNDS.k, max: BOUNDS.k.exactAbove }),
		confidence: checkBound("confidence", options.confidence ?? BOUNDS.confidence.default, BOUNDS.confidence),
		familyWise,
		queries: queries === undefined ? [] : vectorsOf(core, queries),
		node: filter === undefined ? undefined : parseFilter(filter),
		maxQueries: checkInteger("maxQueries", options.maxQueries ?? BOUNDS.certifyQueries.default, BOUNDS.certifyQueries),
		maxMs: maxMs === undefined ? Number.POSITIVE_INFINITY : checkInteger("maxMs", maxMs, BOUNDS.timeoutMs),
	};
}

/** Copies, checked. */
function vectorsOf(core: CollectionCore, queries: unknown): (Float32Array | Uint8Array)[] {
	if (!Array.isArray(queries)) {
		throw new NighError("INVALID_OPTION", "queries must be an array of vectors.", { field: "queries" });
	}
	const { min, max } = BOUNDS.certifyQueries;
	if (queries.length < min) {
		const message =
			"queries is an empty list: leave it out to certify by the searches there were, or give some vectors.";
		throw new NighError("INVALID_OPTION", message, { field: "queries", value: 0 });
	}
	if (queries.length > max) {
		const [given, most] = [queries.length, max].map((each) => each.toLocaleString("en-US"));
		const message = `queries are ${given} vectors; at most ${most} are taken: draw as many of them.`;
		throw new NighError("INVALID_OPTION", message, { field: "queries", value: queries.length });
	}
	const { dimensions, type } = core.spec;
	if (dimensions === null) return [];
	const check = (vector: unknown, row: number) =>
		type === "bit"
			? checkBits(vector, dimensions, { row })
			: core.rowsFor(dimensions).format.check(vector as Float32Array, row);
	return Array.from(queries, (vector, row) => check(vector, row).slice());
}
