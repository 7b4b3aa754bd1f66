import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { checkOptions, isNighError, type ProgressOptions, type RepairReport, type VerifyProblem } from "@nigh/contract";
import { flushFolder } from "../files/flush.ts";
import { checkNotLost, checkThere, noteCreated } from "../folder/created.ts";
import { type FolderPaths, prepareFolder } from "../folder/layout.ts";
import { takeLock } from "../folder/lock.ts";
import type { RecordsProblem } from "../records/integrity.ts";
import type { SalvageReport } from "../records/salvage.ts";
import { removeAllRows } from "../row-files/folder.ts";
import { removeAll } from "../snapshot/folder.ts";
import { recordsFinding } from "./check-files.ts";
import type { Finding, MendReport } from "./messages.ts";
import { without } from "./repair.ts";
import { removeSaving, savingPath } from "./saving-files.ts";
import { finishSwap, swapRecords } from "./swap-records.ts";
import { inThread } from "./thread.ts";
import { findProblems } from "./verify.ts";

const NAMES = ["onProgress", "signal"] as const satisfies readonly (keyof ProgressOptions)[];

/** What {@link repairFolder} did. */
export interface FolderRepairReport extends RepairReport {
	/** What was saved into new records; `null` where those there are could be mended, or nothing was wrong. */
	readonly salvage: SalvageReport | null;
	/** Where the damaged file is kept; `null` where it was not replaced. */
	readonly damaged: string | null;
}

/**
 * Repairs a database that nobody has open, above all one that is too damaged to be opened. What can be mended in place is. Where SQLite
 * cannot read its file, what it can still read is saved into a new one, which takes its place at once or not at all; the damaged file is
 * kept as `records.damaged-<time>.sqlite`. Indexes are built again when the collections are opened.
 *
 * @param path The folder of the database. A backup can be repaired too, in a copy of its folder.
 * @throws NighError `LOCKED`, `NOT_FOUND`, `READ_ONLY`, `DISK_FULL`, `NEWER_VERSION`, `ABORTED`; `CORRUPT_RECORDS` where nothing can be
 * saved: only a backup helps. In each of these cases nothing has changed.
 */
export async function repairFolder(path: string, options: ProgressOptions = {}): Promise<FolderRepairReport> {
	checkOptions(options, NAMES, "repairFolder");
	const folder = resolve(path);
	checkThere(folder);
	const paths = prepareFolder(folder, { create: false });
	const lock = takeLock(paths.folder);
	try {
		finishSwap(paths);
		checkNotLost(paths);
		removeSaving(paths.folder);
		return await repairLocked(paths, options);
	} catch (error) {
		removeSaving(paths.folder);
		throw error;
	} finally {
		lock.release();
	}
}

async function repairLocked(paths: FolderPaths, options: ProgressOptions): Promise<FolderRepairReport> {
	const mended = await mendInPlace(paths, options.signal);
	if (mended.isSound) {
		const { findings } = await findProblems({ paths }, options, "repairFolder()");
		const snapshots = findings.filter(isDamagedSnapshot);
		for (const { path } of snapshots) rmSync(path as string, { force: true });
		const remaining = findings.filter((finding) => !snapshots.includes(finding)).map(({ problem }) => problem);
		const repaired = without([...found(mended.before), ...snapshots], remaining);
		return { repaired, remaining, salvage: null, damaged: null };
	}
	const target = savingPath(paths.folder);
	const salvage = await inThread("salvage", { damaged: paths.records, target }, { signal: options.signal });
	const damaged = await swapRecords(paths, target);
	// They are of the database that is gone: the new one has an identity of its own.
	removeAll(paths.snapshots);
	removeAllRows(paths.snapshots);
	await flushFolder(paths.snapshots);
	noteCreated(paths);
	const { findings } = await findProblems({ paths }, options, "repairFolder()");
	const remaining = [...lossesOf(salvage, damaged), ...findings.map(({ problem }) => problem)];
	return { repaired: without(found(mended.before), remaining), remaining, salvage, damaged };
}

/** Records that cannot even be opened cannot be mended. */
async function mendInPlace({ records }: FolderPaths, signal: AbortSignal | undefined): Promise<MendReport> {
	try {
		return await inThread("mendRecords", records, { signal });
	} catch (error) {
		if (!isNighError(error, "CORRUPT_RECORDS")) throw error;
		const before = [{ collection: null, message: error.message }];
		return { before, isSound: false };
	}
}

function found(problems: readonly RecordsProblem[]): Finding[] {
	return problems.map(({ collection, message }) => recordsFinding(collection, message));
}

function isDamagedSnapshot(finding: Finding): boolean {
	return finding.in === "snapshot" && finding.problem.code === "CORRUPT_SNAPSHOT";
}

function lossesOf({ collections, lostCollections }: SalvageReport, damaged: string): VerifyProblem[] {
	const losses: VerifyProblem[] = collections
		.filter(({ lost }) => lost > 0)
		.map(({ name, lost, kept }) =>
			loss(name, `${lost} records of the collection "${name}" are lost; ${kept} are saved.`, damaged),
		);
	if (lostCollections > 0) losses.push(loss(null, `${lostCollections} collections are lost.`, damaged));
	return losses;
}

function loss(collection: string | null, message: string, damaged: string): VerifyProblem {
	const recommendation = `Restore them from a backup, or write them again. The damaged file is kept: ${damaged}`;
	return { collection, code: "CORRUPT_RECORDS", message, recommendation };
}
