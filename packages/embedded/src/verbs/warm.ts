import { checkOptions, isNighError, type ProgressOptions, type WarmReport } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { Searcher } from "../memory/searcher.ts";
import type { RowFiles } from "../row-files/read.ts";
import { turn } from "../workers/turn.ts";
import { checkAborted } from "./check-aborted.ts";
import { Progress } from "./progress.ts";

/** Bytes between two of which at least one is touched: a page. */
const PAGE = 4_096;
/** Bytes that are touched before other work of the thread gets its turn. */
const SLICE = 32 * 2 ** 20;

/**
 * Touches every page of the memory that searches read, and reads the rows that are on disk, so that the first search does not have to wait for
 * them. Where another generation takes over meanwhile, it begins anew with that one.
 */
export async function warm(core: CollectionCore, options: ProgressOptions): Promise<WarmReport> {
	core.checkOpen();
	checkOptions(options, ["signal", "onProgress"] satisfies (keyof ProgressOptions)[], "warm");
	checkAborted(options.signal);
	const start = performance.now();
	const total = extentOf(core.searcher);
	const progress = new Progress(options.onProgress, total);
	for (;;) {
		const { searcher } = core;
		const scale = total / Math.max(1, extentOf(searcher));
		try {
			const warmed = await touch(core, searcher, options.signal, (done) => progress.advance(Math.floor(done * scale)));
			progress.finish();
			return { ...warmed, durationMs: performance.now() - start };
		} catch (error) {
			core.checkOpen();
			// Its files were closed, or have gone.
			if (core.searcher === searcher || isNighError(error, "ABORTED")) throw error;
		}
	}
}

/** Bytes of the memory and the rows. */
function extentOf(searcher: Searcher | undefined): number {
	if (searcher === undefined) return 0;
	return searcher.generation.handle.memory.buffer.byteLength + rowBytesOf(searcher);
}

function rowBytesOf({ files, generation }: Searcher): number {
	return files === undefined ? 0 : generation.mainEnd * files.rowBytes;
}

async function touch(
	core: CollectionCore,
	searcher: Searcher | undefined,
	signal: AbortSignal | undefined,
	onBytes: (done: number) => void,
): Promise<Omit<WarmReport, "durationMs">> {
	if (searcher === undefined) return { bytes: 0 };
	const bytes = new Uint8Array(searcher.generation.handle.memory.buffer);
	const { files } = searcher;
	const rowBytes = rowBytesOf(searcher);
	let sum = 0;
	for (let from = 0; from < bytes.length; from += SLICE) {
		const end = Math.min(bytes.length, from + SLICE);
		for (let at = from; at < end; at += PAGE) sum += bytes[at] as number;
		onBytes(end);
		checkAborted(signal);
		await turn();
	}
	if (files !== undefined) await readRows(files, rowBytes, signal, (done) => onBytes(bytes.length + done));
	// Room that is reserved for growing is no memory yet.
	const used = (await core.database.threads.indexer.call("memory", core.key)).total;
	// The sum is used, so that no compiler can leave the reading out.
	return { bytes: sum >= 0 ? Math.min(used, bytes.length) : 0, ...(files !== undefined && { bytesRead: rowBytes }) };
}

/** Reads all rows that are on disk once: the system keeps of them what it has memory for. */
async function readRows(
	files: RowFiles,
	rowBytes: number,
	signal: AbortSignal | undefined,
	onBytes: (done: number) => void,
): Promise<void> {
	const end = rowBytes / files.rowBytes;
	const step = Math.max(1, Math.floor(SLICE / files.rowBytes));
	const rows = new Uint8Array(step * files.rowBytes);
	for (let from = 0; from < end; from += step) {
		const n = Math.min(step, end - from);
		const slots = Uint32Array.from({ length: n }, (_, i) => from + i);
		await files.readMany(slots, rows.subarray(0, n * files.rowBytes), { signal });
		onBytes((from + n) * files.rowBytes);
	}
}
