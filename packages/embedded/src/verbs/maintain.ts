import {
	type AnalyzeReport,
	BOUNDS,
	type CallOptions,
	checkInteger,
	checkOptions,
	type IndexSpec,
	type MaintenanceReport,
	NighError,
	type ProgressOptions,
	type RebuildOptions,
	type RefreshReport,
	type WarmReport,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { IndexChoice } from "../workers/messages.ts";
import { checkAborted } from "./check-aborted.ts";

const PROGRESS = ["onProgress", "signal"] as const satisfies readonly (keyof ProgressOptions)[];

/** How often progress is asked for while the indexer works. */
const PROGRESS_MS = 100;

export function optimize(core: CollectionCore, options: ProgressOptions): Promise<MaintenanceReport> {
	checkOptions(options, PROGRESS, "optimize");
	return maintain(core, options, { fresh: false });
}

export function rebuild(core: CollectionCore, options: RebuildOptions): Promise<MaintenanceReport> {
	checkOptions(options, [...PROGRESS, "M", "efConstruction"], "rebuild");
	const { M, efConstruction } = options;
	if (M === undefined && efConstruction === undefined) return maintain(core, options, { fresh: true });
	const links = M === undefined ? undefined : checkInteger("M", M, BOUNDS.M);
	const least = Math.max(BOUNDS.efConstruction.min, 2 * (links ?? BOUNDS.M.default));
	const index: IndexChoice = {
		kind: "hnsw",
		...(links !== undefined && { M: links }),
		...(efConstruction !== undefined && {
			efConstruction: checkInteger("efConstruction", efConstruction, { ...BOUNDS.efConstruction, min: least }),
		}),
	};
	return maintain(core, options, { fresh: true, index });
}

/** `index` has been checked. */
export function convert(core: CollectionCore, index: IndexSpec, options: ProgressOptions): Promise<MaintenanceReport> {
	checkOptions(options, PROGRESS, "convert");
	if (index.kind === "ivf")
		throw new NighError("UNSUPPORTED", "the embedded back end has no ivf index yet", { feature: "ivf" });
	return maintain(core, options, { fresh: true, index });
}

async function maintain(
	core: CollectionCore,
	{ onProgress, signal }: ProgressOptions,
	what: { fresh: boolean; index?: IndexChoice },
): Promise<MaintenanceReport> {
	core.checkWritable();
	checkAborted(signal);
	const start = performance.now();
	const { key, database } = core;
	const { indexer, writer } = database.threads;
	if (core.searcher === undefined)
		return { index: "flat", vectors: 0, removed: 0, durationMs: 0, changeNumber: core.change };
	const before = await indexer.call("state", key);
	const stop = watchProgress(core, onProgress, before.main + before.tail);
	try {
		const state = await indexer.call("optimize", { key, ...what });
		if (what.index !== undefined) await keepChoice(core, what.index);
		// Without a snapshot everything is read from the records on opening, which need no tombstone; with two, the older may be read.
		const through = state.oldestSnapshot ?? state.change;
		await writer.call("reclaim", { key, through });
		stop();
		tell(onProgress, state.main, state.main);
		return {
			index: state.kind,
			vectors: state.main,
			removed: before.tombstones,
			durationMs: performance.now() - start,
			changeNumber: core.searcher.generation.change,
		};
	} finally {
		stop();
	}
}

/** What was converted stays so when the collection is opened again. */
async function keepChoice(core: CollectionCore, index: IndexChoice): Promise<void> {
	const spec = { ...core.spec, converted: index };
	await core.database.threads.writer.call("respec", { key: core.key, spec });
	core.spec = spec;
}

/** Tells now and then how far the indexer has come. What the listener throws is ignored. */
function watchProgress(core: CollectionCore, onProgress: ProgressOptions["onProgress"], total: number): () => void {
	if (onProgress === undefined) return () => {};
	const timer = setInterval(async () => {
		try {
			const { building } = await core.database.threads.indexer.call("state", core.key);
			if (building !== null) tell(onProgress, Math.floor(building * total), total);
		} catch {
			// The work has ended meanwhile.
		}
	}, PROGRESS_MS);
	return () => clearInterval(timer);
}

/** What a listener throws is its own affair. */
function tell(onProgress: ProgressOptions["onProgress"], done: number, total: number): void {
	try {
		onProgress?.(done, total);
	} catch {
		// The work goes on.
	}
}

export async function analyze(core: CollectionCore, options: CallOptions): Promise<AnalyzeReport> {
	core.checkOpen();
	checkOptions(options, ["signal"], "analyze");
	checkAborted(options.signal);
	if (core.searcher === undefined) return { index: "flat", issues: [] };
	return core.database.threads.indexer.call("analyze", core.key);
}

export async function refresh(core: CollectionCore, options: CallOptions): Promise<RefreshReport> {
	core.checkOpen();
	checkOptions(options, ["signal"], "refresh");
	checkAborted(options.signal);
	const { view } = core.database;
	if (view === "writer") return { changeNumber: core.change, changed: false };
	if (view === "shared") return seen(core);
	return fetchChanges(core);
}

/** Brings what another process has written since. */
export async function fetchChanges(core: CollectionCore): Promise<RefreshReport> {
	const { change, changed } = await core.database.threads.writer.call("refresh", core.key);
	core.acknowledge(change, []);
	// What has been written is known here by its vectors alone.
	if (changed) core.filters.forget();
	return { changeNumber: change, changed };
}

/** A thread that shares the memory sees what is published as it is. */
function seen(core: CollectionCore): RefreshReport {
	const changeNumber = core.searcher?.generation.change ?? core.change;
	const changed = changeNumber !== core.change;
	core.acknowledge(changeNumber, []);
	return { changeNumber, changed };
}

/** Bytes between two of which at least one is touched: a page. */
const PAGE = 4_096;
/** Bytes that are touched before other work of the thread gets its turn. */
const SLICE = 32 * 2 ** 20;

/** Touches every page of the memory that searches read, so that the first of them does not have to wait for it. */
export async function warm(core: CollectionCore, options: ProgressOptions): Promise<WarmReport> {
	core.checkOpen();
	checkOptions(options, PROGRESS, "warm");
	checkAborted(options.signal);
	const start = performance.now();
	const { searcher } = core;
	if (searcher === undefined) return { bytes: 0, durationMs: 0 };
	const bytes = new Uint8Array(searcher.generation.handle.memory.buffer);
	let sum = 0;
	for (let from = 0; from < bytes.length; from += SLICE) {
		const end = Math.min(bytes.length, from + SLICE);
		for (let at = from; at < end; at += PAGE) sum += bytes[at] as number;
		tell(options.onProgress, end, bytes.length);
		checkAborted(options.signal);
		await new Promise((resolve) => setImmediate(resolve));
	}
	// The sum is used, so that no compiler can leave the reading out.
	return { bytes: sum >= 0 ? bytes.length : 0, durationMs: performance.now() - start };
}
