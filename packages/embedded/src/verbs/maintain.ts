import {
	type AnalyzeReport,
	type CallOptions,
	checkOptions,
	type IndexSettings,
	isNighError,
	type MaintenanceReport,
	NighError,
	type ProgressOptions,
	type RebuildOptions,
	type RefreshReport,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { askedKind, chosenIndex, type IndexChoice, isSameIndex } from "../records/catalogue.ts";
import type { IndexState } from "../workers/messages.ts";
import { Task } from "../workers/task.ts";
import { checkAborted } from "./check-aborted.ts";
import { Progress } from "./progress.ts";
import { REBUILD_PARAMETERS, rebuiltIndex } from "./rebuilt-index.ts";

const PROGRESS = ["onProgress", "signal"] as const satisfies readonly (keyof ProgressOptions)[];

/** What can be told of the disk; `null` where it cannot. */
interface Disk {
	diskBytes(): number | null;
}

export async function optimize(core: CollectionCore, options: ProgressOptions, disk: Disk): Promise<MaintenanceReport> {
	checkOptions(options, PROGRESS, "optimize");
	return maintain(core, options, disk, { fresh: false });
}

export async function rebuild(core: CollectionCore, options: RebuildOptions, disk: Disk): Promise<MaintenanceReport> {
	checkOptions(options, [...PROGRESS, ...REBUILD_PARAMETERS], "rebuild");
	return afterConversions(core, options, async () => {
		const index = rebuiltIndex(core.spec, options, core.searcher?.generation.handle.index);
		return maintain(core, options, disk, { fresh: true, ...(index !== undefined && { index }) });
	});
}

/** `index` has been checked. */
export async function convert(
	core: CollectionCore,
	index: IndexSettings,
	options: ProgressOptions,
	disk: Disk,
): Promise<MaintenanceReport> {
	checkOptions(options, PROGRESS, "convert");
	return afterConversions(core, options, () => maintain(core, options, disk, { fresh: true, index }));
}

/** One after the other, each with its spec: what was asked for last is what serves, and what the spec says. */
async function afterConversions<T>(
	core: CollectionCore,
	{ signal }: ProgressOptions,
	work: () => Promise<T>,
): Promise<T> {
	core.checkWritable();
	checkAborted(signal);
	const before = core.converting;
	const { promise: ended, resolve: end } = Promise.withResolvers<void>();
	core.converting = before.then(() => ended);
	const { promise: abort, resolve: onAbort } = Promise.withResolvers<void>();
	const wake = () => onAbort();
	signal?.addEventListener("abort", wake, { once: true });
	try {
		await Promise.race([before, abort]);
		checkAborted(signal);
		return await work();
	} finally {
		signal?.removeEventListener("abort", wake);
		end();
	}
}

interface Work {
	readonly fresh: boolean;
	readonly index?: IndexChoice;
}

async function maintain(
	core: CollectionCore,
	{ onProgress, signal }: ProgressOptions,
	disk: Disk,
	work: Work,
): Promise<MaintenanceReport> {
	core.checkWritable();
	checkAborted(signal);
	const start = performance.now();
	const bytesBefore = disk.diskBytes();
	const { key, database } = core;
	const { indexer, writer } = database.threads;
	const before = core.searcher === undefined ? undefined : await indexer.call("state", key);
	const progress = new Progress(onProgress, before === undefined ? 0 : before.main + before.tail);
	if (before === undefined) await keepChoice(core, work.index);
	const state = before && (await arrange(core, work, progress, signal));
	if (state !== undefined) checkAborted(signal);
	// Without a snapshot everything is read from the records on opening, which need no tombstone; with two, the older may be read.
	const through = state?.oldestSnapshot ?? state?.change;
	const removed = through === undefined ? 0 : await writer.call("reclaim", { key, through });
	progress.finish();
	const bytesAfter = disk.diskBytes();
	return {
		index: state?.kind ?? askedKind(core.spec),
		vectors: state?.main ?? 0,
		removed,
		bytes: bytesBefore === null || bytesAfter === null ? null : { before: bytesBefore, after: bytesAfter },
		durationMs: performance.now() - start,
		changeNumber: core.searcher?.generation.change ?? core.change,
	};
}

/** Has the indexer do it. What it is asked for stays, as soon as it is what serves. */
async function arrange(
	core: CollectionCore,
	work: Work,
	progress: Progress,
	signal: AbortSignal | undefined,
): Promise<IndexState> {
	const { key, database } = core;
	const { indexer } = database.threads;
	const task = new Task();
	const abort = () => {
		task.abort();
		indexer.call("abandon", undefined).catch(() => {});
	};
	signal?.addEventListener("abort", abort, { once: true });
	if (signal?.aborted) abort();
	const stop = progress.watch(task);
	try {
		const state = await indexer.call("optimize", { key, ...work, task: task.words });
		await keepChoice(core, work.index);
		return state;
	} catch (error) {
		await keepWhatServes(core, work.index);
		throw isNighError(error, "ABORTED") ? aborted(signal) : error;
	} finally {
		stop();
		signal?.removeEventListener("abort", abort);
	}
}

/** What was converted stays so when the collection is opened again. */
async function keepChoice(core: CollectionCore, index: IndexChoice | undefined): Promise<void> {
	if (index === undefined || isSameIndex(chosenIndex(core.spec), index)) return;
	core.spec = await core.database.threads.writer.call("respec", {
		key: core.key,
		spec: { ...core.spec, converted: index },
	});
}

/** It may have failed, or have been ended, after the new index had taken over. */
async function keepWhatServes(core: CollectionCore, index: IndexChoice | undefined): Promise<void> {
	if (index === undefined) return;
	try {
		const { choice } = await core.database.threads.indexer.call("state", core.key);
		if (isSameIndex(choice, index)) await keepChoice(core, index);
	} catch {
		// What has failed before is what the caller is to hear of.
	}
}

function aborted(signal: AbortSignal | undefined): NighError {
	const message = "the work was ended by its AbortSignal; the collection goes on with the index that it has.";
	return new NighError("ABORTED", message, {}, { cause: signal?.reason });
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
	core.follow(change);
	return { changeNumber: change, changed };
}

/** A thread that shares the memory sees what is published as it is. */
function seen(core: CollectionCore): RefreshReport {
	const changeNumber = core.searcher?.generation.change ?? core.change;
	const changed = changeNumber !== core.change;
	core.acknowledge(changeNumber);
	return { changeNumber, changed };
}
