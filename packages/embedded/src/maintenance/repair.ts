import { rmSync } from "node:fs";
import { checkOptions, isNighError, type ProgressOptions, type RepairReport, type VerifyProblem } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { Maintained } from "./maintained.ts";
import type { Finding } from "./messages.ts";
import { collectionsIn, findProblems } from "./verify.ts";

const NAMES = ["onProgress", "signal"] as const satisfies readonly (keyof ProgressOptions)[];

/**
 * Verifies, mends what can be mended without giving a record up, and verifies again: damaged snapshots are written anew (or go, where the
 * collection is not open: opening it builds its index), an index in memory that does not agree with the records is built again from
 * them, and of the records whatever `mendRecords` can. The progress is that of verifying, twice.
 */
export async function repair(maintained: Maintained, options: ProgressOptions): Promise<RepairReport> {
	checkOptions(options, NAMES, "repair");
	const before = await findProblems(maintained, options, "repair()");
	if (before.findings.length === 0) return { repaired: [], remaining: [] };
	await mend(maintained, before.findings);
	const after = await findProblems(maintained, options, "repair()");
	const remaining = after.findings.map(({ problem }) => problem);
	return { repaired: without(before.findings, remaining), remaining };
}

/** The problems that are gone. */
export function without(findings: readonly Finding[], remaining: readonly VerifyProblem[]): VerifyProblem[] {
	const left = new Set(remaining.map(nameOf));
	return findings.map(({ problem }) => problem).filter((problem) => !left.has(nameOf(problem)));
}

function nameOf({ collection, code, message }: VerifyProblem): string {
	return JSON.stringify([collection, code, message]);
}

async function mend(maintained: Maintained, findings: readonly Finding[]): Promise<void> {
	const { writer } = maintained.core.threads;
	const inRecords = findings.filter((finding) => finding.in === "records");
	if (inRecords.length > 0) await writer.call("mend", undefined);
	const opened = new Set(maintained.opened().map(({ name }) => name));
	// What is of no one collection may be of each.
	const mayBeWrong = inRecords.some(({ problem }) => problem.collection === null);
	for (const { name } of collectionsIn(maintained)) {
		const own = findings.filter(({ problem }) => problem.collection === name);
		// Of one that is not open, a damaged snapshot only has to go.
		const isConcerned = mayBeWrong || opened.has(name) || own.some((finding) => finding.in !== "snapshot");
		if (!isConcerned) continue;
		await unlessImpossible(maintained.visiting(name, (collection) => mendIndex(collection, own, mayBeWrong)));
	}
	for (const { path, problem } of findings) {
		// One that a newer version has written is none of our affair.
		if (path === undefined || problem.code !== "CORRUPT_SNAPSHOT" || opened.has(problem.collection ?? "")) continue;
		rmSync(path, { force: true });
	}
}

async function mendIndex(core: CollectionCore, findings: readonly Finding[], mayBeWrong: boolean): Promise<void> {
	const { key, database } = core;
	const { writer, indexer } = database.threads;
	const damaged = findings.flatMap(({ path, problem }) =>
		path !== undefined && problem.code === "CORRUPT_SNAPSHOT" ? [path] : [],
	);
	// Rows that the generation in memory goes by may be among those that are damaged.
	if (mayBeWrong || findings.some((finding) => finding.in !== "snapshot" || finding.inRows === true)) {
		await writer.call("reindex", key);
		// Builds what is to be built, and writes a snapshot of it.
		if (core.searcher !== undefined) await indexer.call("optimize", { key, fresh: false });
	} else if (damaged.length > 0) await indexer.call("snapshot", { key, damaged });
}

/** What cannot be done is told by the problem that stays. */
async function unlessImpossible(mending: Promise<unknown>): Promise<void> {
	try {
		await mending;
	} catch (error) {
		if (isNighError(error, "CORRUPT_RECORDS") || isNighError(error, "CLOSED")) return;
		throw error;
	}
}
