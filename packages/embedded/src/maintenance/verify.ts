import { checkOptions, isNighError, type ProgressOptions, type VerifyReport } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { Progress } from "../files/progress.ts";
import { bytesOf } from "./check-files.ts";
import { checkIndex } from "./check-index.ts";
import type { Maintained } from "./maintained.ts";
import type { Finding } from "./messages.ts";
import { inThread } from "./thread.ts";

const NAMES = ["onProgress", "signal"] as const satisfies readonly (keyof ProgressOptions)[];

/**
 * Reads everything: the records, all snapshots, and of every open collection its index in memory. Works beside whatever else is going on,
 * in other threads. Progress is in bytes.
 */
export async function verify(maintained: Maintained, options: ProgressOptions): Promise<VerifyReport> {
	checkOptions(options, NAMES, "verify");
	const { findings, bytes } = await findProblems(maintained, options, "verify()");
	return { ok: findings.length === 0, bytes, problems: findings.map(({ problem }) => problem) };
}

/** @param doing Who asks, as it begins a sentence. */
export async function findProblems(
	{ paths, opened }: Pick<Maintained, "paths" | "opened">,
	options: ProgressOptions,
	doing: string,
): Promise<{ findings: readonly Finding[]; bytes: number }> {
	const progress = new Progress(options, doing);
	progress.throwIfAborted();
	const files = { records: paths.records, snapshots: paths.snapshots };
	const cores = opened();
	progress.expect(bytesOf(files));
	for (const core of cores) progress.expect(indexBytes(core));
	const { findings, bytes } = await inThread("checkFiles", files, {
		signal: options.signal,
		advanced: (read) => progress.advance(read),
	});
	const all = [...findings];
	for (const core of cores) {
		all.push(...(await unlessClosed(checkIndex(core, options.signal))));
		progress.advance(indexBytes(core));
	}
	progress.finish();
	return { findings: all, bytes };
}

/** Of the labels that are compared. */
function indexBytes({ searcher }: CollectionCore): number {
	return (searcher?.generation.slotEnd ?? 0) * Uint32Array.BYTES_PER_ELEMENT;
}

/** A collection that was closed or dropped meanwhile has no index any more. */
async function unlessClosed(check: Promise<readonly Finding[]>): Promise<readonly Finding[]> {
	try {
		return await check;
	} catch (error) {
		if (isNighError(error, "CLOSED") || isNighError(error, "NOT_FOUND")) return [];
		throw error;
	}
}
