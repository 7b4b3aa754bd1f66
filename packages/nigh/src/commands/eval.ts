import { BOUNDS } from "@nigh/contract";
import { type IvfIndex, PRESETS, type VectorIndex } from "@nigh/index";
import {
	buildIndex,
	buildParameters,
	checkBuild,
	checkSearches,
	type OnProgress,
	searchParameters,
} from "../eval/build.ts";
import { exactNeighbors } from "../eval/exact-neighbors.ts";
import { type KeptVectors, searchKept } from "../eval/kept-vectors.ts";
import { checkFiles, checkQueries, loadTruth, loadVectors, type Vectors } from "../eval/load.ts";
import { measure } from "../eval/measure.ts";
import { type IsNearest, meanRecall, nearestByDistance, nearestByIds } from "../eval/recall.ts";
import { jsonLine, type OperatingPoint, paramsText, pointTable } from "../eval/report.ts";
import { EVAL_OPTIONS, type EvalSettings, evalSettings, type SearchParameters } from "../eval/settings.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { progressBar } from "../terminal/progress.ts";
import { grouped } from "../terminal/table.ts";
import type { Command, Terminal } from "./command.ts";

const HELP = `nigh eval: measures recall, speed and memory of an index over your vectors

Usage: nigh eval --base FILE --query FILE --metric METRIC [options]

  --base FILE         the vectors to search: fvecs, bvecs, npy or jsonl
  --query FILE        the vectors to search for
  --metric METRIC     l2, cosine, ip or l1
  --truth FILE.ivecs  ids of the exact neighbours of each query, nearest first;
                      computed when left out
  --index INDEX       hnsw (default), flat, ivf, ivfpq or ivfrabitq
  --preset NAME       of hnsw: ${Object.keys(PRESETS).join(", ")};
                      default balanced
  --param NAME=VALUE  hnsw: M, efConstruction, ef, codes, seed, mL; flat: codes
                      (auto, none or sq7); ivf: nlist (a number or a rule),
                      nprobe, rotation, storage, codes, seed; ivfpq: nlist,
                      nprobe, M, bits, rotation, residual, profile, storage,
                      seed; ivfrabitq: nlist, nprobe, bits, epsilon, storage,
                      seed. May repeat.
                      ef and nprobe may list several values, a line for each:
                      ef=10,20,40
  --rerank N[,N...]   of ivfpq and ivfrabitq: candidates that are ranked again
                      by their vectors, a line for each; 0: none
  --k N               neighbours of a query, ${BOUNDS.k.min} to ${BOUNDS.k.max}; default ${BOUNDS.k.default}
  --limit N           only the first N vectors of the base (not with --truth)
  --queries N         only the first N queries
  --threads N         threads of the build; searches are measured on one
  --json              a JSON object on each line, for programs

Recall@k is the share of the k nearest vectors that were found; one as near as
the k-th counts as well. Build seconds are those of training cells, of taking
the vectors in and of arranging them, without reading files; --json tells
training and the rest apart (train_s and insert_s), and what the training warns
of (warnings, each with a code and a message). Each query is timed on its own,
after a pass to warm up; queries/s is the best of three passes, and p50 and p99
are the times of that pass. With storage=disk the bytes are those of the index
alone and its vectors are kept in memory beside it: recall is that of an index
on disk, and times are those without reading.

Examples
  nigh eval --base base.fvecs --query query.fvecs --metric l2
  nigh eval --base b.npy --query q.npy --metric cosine --param ef=40,80,160
  nigh eval --base b.bvecs --query q.bvecs --metric l2 --index flat --json
  nigh eval --base b.fvecs --query q.fvecs --metric l2 --index ivfpq \\
    --param nprobe=1,2,4,8,16,32 --rerank 50,200`;

export const evalCommand: Command = {
	name: "eval",
	summary: "measures recall, speed and memory of an index on your vectors",
	help: HELP,
	run: async (args, terminal) => evaluate(evalSettings(parseArguments(args, EVAL_OPTIONS)), terminal),
};

async function evaluate(settings: EvalSettings, terminal: Terminal): Promise<void> {
	const { k, metric } = settings;
	checkBuild(settings);
	await checkFiles([settings.base, settings.query, ...(settings.truth === undefined ? [] : [settings.truth])]);
	const base = await loadVectors(settings.base, settings.limit);
	const queries = await loadVectors(settings.query, settings.queries);
	const rows = checkQueries(queries, base, k);
	checkSearches(settings, base);
	const truth = await truthOf(settings, base, queries, terminal);
	const { index, seconds, parts, warnings, kept } = await withBar(terminal, "building the index", (onProgress) =>
		buildIndex(settings, base, onProgress),
	);

	const build = buildParameters(index, settings.build);
	const points = settings.searches.map((search) => ({
		search,
		params: { ...build, ...searchParameters(index, search) },
	}));
	const table = pointTable(
		k,
		settings.index.length,
		Math.max(...points.map(({ params }) => paramsText(params).length)),
	);
	if (!settings.json) {
		const from = settings.truth === undefined ? "computed" : `from ${settings.truth.path}`;
		terminal.print(
			`${grouped(base.count)} vectors of ${base.dimensions} dimensions, ${metric}; ${grouped(queries.count)} queries; exact neighbours ${from}`,
		);
		for (const { message } of warnings) terminal.print(`warning: ${message}`);
		terminal.print(table.header);
	}
	const { total, codes } = index.memory();
	for (const { search, params } of points) {
		const { answers, speed } = measure(rows, searchOf(index, kept, k, search));
		const point: OperatingPoint = {
			index: settings.index,
			params,
			build_s: seconds,
			...(parts !== undefined && { train_s: parts.training, insert_s: parts.insertion, warnings }),
			// Without re-ranking the distances are estimates, which say nothing of who is nearest.
			recall: meanRecall(answers, k, search.rerank === 0 ? truth.byIds : truth.byDistance),
			...speed,
			bytes_total: total,
			bytes_codes: codes,
			n: base.count,
			dim: base.dimensions,
			k,
		};
		terminal.print(settings.json ? jsonLine(point) : table.row(point));
	}
	index.dispose();
}

/** How hits are judged: by their labels, or by the distances that they were answered with. */
interface Truth {
	readonly byIds: IsNearest;
	readonly byDistance: IsNearest;
}

async function truthOf(settings: EvalSettings, base: Vectors, queries: Vectors, terminal: Terminal): Promise<Truth> {
	const { truth, k, metric } = settings;
	if (truth !== undefined) {
		const byIds = nearestByIds(await loadTruth(truth, { base, queries, metric, k }), k, metric, base, queries);
		return { byIds, byDistance: byIds };
	}
	const neighbors = await withBar(terminal, "finding the exact neighbours", (onProgress) =>
		exactNeighbors(base, queries, metric, k, onProgress),
	);
	return {
		byIds: nearestByIds(neighbors, k, metric, base, queries),
		byDistance: nearestByDistance(neighbors.kthDistances),
	};
}

function searchOf(index: VectorIndex, kept: KeptVectors | undefined, k: number, search: SearchParameters) {
	if (kept !== undefined) return (query: Float32Array) => searchKept(index as IvfIndex, kept, query, k, search);
	return (query: Float32Array) => index.search(query, k, search);
}

async function withBar<T>(terminal: Terminal, label: string, work: (onProgress: OnProgress) => Promise<T>): Promise<T> {
	const bar = progressBar(terminal.errors, label);
	try {
		return await work(bar.update);
	} finally {
		bar.clear();
	}
}
