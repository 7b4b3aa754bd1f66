import {
	type DatabaseHealth,
	type HealthReason,
	type HealthReport,
	type HealthStatus,
	isNighError,
} from "@nigh/contract";
import type { CollectionCore, DatabaseCore } from "../core.ts";
import type { CatalogueEntry } from "../records/catalogue.ts";
import { cellAdvice, indexAdvice } from "../watch/index-advice.ts";
import { recallAdvice } from "../watch/recall-advice.ts";
import { type Limit, limited, nearestLimit } from "../workers/limits.ts";
import type { IndexState } from "../workers/messages.ts";
import { tunerOf } from "./tune.ts";

/** Of one that is open, what its ids take is known. */
type Stored = Pick<CatalogueEntry, "key" | "spec"> & Pick<Partial<CollectionCore>, "searcher">;

/** How an open collection is. */
export async function health(core: CollectionCore): Promise<HealthReport> {
	core.checkOpen();
	const { database } = core;
	const answers = await Promise.all([
		answered(core, "writer", () => handOverReasons(core)),
		answered(core, "indexer", () => indexReasons(core)),
		answered(core, "reader", () => limitReasons(database, core)),
	]);
	return reportOf([...endedThreads(database), ...answers.flat()]);
}

/**
 * How a database is, and each of its collections. One that is not open is not opened for it: what can be told of it is how near it is to its
 * limits; what is the matter with its index shows once it is open.
 *
 * @param entries What the catalogue has; called once.
 */
export async function databaseHealth(
	database: DatabaseCore,
	opened: readonly CollectionCore[],
	entries: () => readonly CatalogueEntry[],
): Promise<DatabaseHealth> {
	const byName = new Map<string, () => Promise<HealthReport>>();
	const damaged: HealthReason[] = [];
	try {
		for (const entry of entries()) byName.set(entry.name, () => storedHealth(database, entry));
	} catch (error) {
		damaged.push(unreadable(error));
	}
	for (const core of opened) byName.set(core.name, () => health(core));
	const reports = await Promise.all(
		[...byName].map(async ([name, report]) => [name, await unlessGone(report())] as const),
	);
	const collections = Object.fromEntries(reports.flatMap(([name, report]) => (report ? [[name, report]] : [])));
	const reasons = [...endedThreads(database), ...damaged];
	return { status: worst([...reasons, ...Object.values(collections)]), reasons, collections };
}

async function storedHealth(database: DatabaseCore, stored: Stored): Promise<HealthReport> {
	// That the thread it is asked of has ended is told by the database.
	if (database.threads.reader.failure !== undefined) return reportOf([]);
	try {
		return reportOf(await limitReasons(database, stored));
	} catch (error) {
		return reportOf([unreadable(error)]);
	}
}

/** One that was closed or dropped meanwhile has no health. */
async function unlessGone(report: Promise<HealthReport>): Promise<HealthReport | undefined> {
	try {
		return await report;
	} catch (error) {
		if (isNighError(error, "CLOSED") || isNighError(error, "NOT_FOUND")) return undefined;
		throw error;
	}
}

export function worst(parts: readonly { readonly status: HealthStatus }[]): HealthStatus {
	if (parts.some(({ status }) => status === "failing")) return "failing";
	return parts.some(({ status }) => status === "degraded") ? "degraded" : "ok";
}

function reportOf(reasons: readonly HealthReason[]): HealthReport {
	return { status: worst(reasons), reasons };
}

const THREADS = ["writer", "indexer", "reader"] as const;

/** What does not work without a thread. */
const WORK: Readonly<Record<(typeof THREADS)[number], string>> = {
	writer: "nothing can be written",
	indexer: "what is written is not taken into the index",
	reader: "filters, words, counts and scans are not answered",
};

function endedThreads({ threads }: DatabaseCore): HealthReason[] {
	return [...failingThreads(threads), ...unexamined(threads)];
}

/** Without the examiner every answer is as good as before, as long as nothing changes that would have been found out. */
function unexamined({ examiner: { failure } }: DatabaseCore["threads"]): HealthReason[] {
	if (failure === undefined) return [];
	return [
		{
			code: "thread-ended",
			status: "degraded",
			message: `${failure.message} Until then recall is neither certified nor watched.`,
			recommendation: "Nothing that was acknowledged is lost. Close the database and open it again.",
		},
	];
}

function failingThreads(threads: DatabaseCore["threads"]): HealthReason[] {
	return THREADS.flatMap((name) => {
		const { failure } = threads[name];
		if (failure === undefined) return [];
		return failing(
			"thread-ended",
			`${failure.message} Until then ${WORK[name]}.`,
			"Nothing that was acknowledged is lost. Close the database and open it again.",
		);
	});
}

/** Nothing where the thread has ended: that is told beside it. */
async function answered(
	core: CollectionCore,
	thread: (typeof THREADS)[number],
	reasons: () => Promise<HealthReason[]>,
): Promise<HealthReason[]> {
	const { threads } = core.database;
	if (threads[thread].failure !== undefined) return [];
	try {
		return await reasons();
	} catch (error) {
		core.checkOpen();
		if (threads[thread].failure !== undefined) return [];
		return [unreadable(error)];
	}
}

/** @throws what has nothing to do with damage. */
function unreadable(error: unknown): HealthReason {
	if (!isNighError(error, "CORRUPT_RECORDS")) throw error;
	const [reason] = failing(
		"records-damaged",
		error.message,
		"verify() reads everything and tells what is damaged; repair() mends what can be mended, else restore a backup.",
	);
	return reason;
}

function failing(code: string, message: string, recommendation: string): [HealthReason] {
	return [{ code, status: "failing", message, recommendation }];
}

/** Whether what is committed comes to be found. */
async function handOverReasons({ key, database }: CollectionCore): Promise<HealthReason[]> {
	// A thread that only reads the memory hears of it from the one that has opened the database.
	if (database.view === "shared") return [];
	const failure = await database.threads.writer.call("failure", key);
	if (failure === null) return [];
	return failing(
		"index-behind",
		failure,
		"Searches answer from an earlier state, and writes are refused. Close the database and open it again, or call repair().",
	);
}

async function indexReasons(core: CollectionCore): Promise<HealthReason[]> {
	const { searcher, isWaiting, key, database } = core;
	const state = searcher === undefined ? undefined : await database.threads.indexer.call("state", key);
	const reasons =
		state === undefined ? [] : [...problemsOf(state), ...adviceFor(core, state), ...recallReasons(core, state)];
	if (!isWaiting) return reasons;
	return [
		...reasons,
		{
			code: "tail-full",
			status: "degraded",
			message: `writers wait: ${state?.tail ?? "the"} vectors are still to be taken into the index, which is as many as the tail holds.`,
			recommendation: "Nothing is lost. Write more slowly, give the database more threads, or let it catch up.",
		},
	];
}

const ADVICE: Readonly<Record<string, string>> = {
	"snapshot-damaged":
		"Nothing is lost: the index was built again from the records. Look at the disk if it happens again.",
	"snapshot-unread":
		"Nothing is lost: the index was built again from the records, since there was no memory for the one that was saved. Give the process more.",
	"rows-damaged":
		"Nothing is lost, and nothing has to be done: the records are sound. Should it stay, repair() builds the index anew. Look at the disk if it happens again.",
	"fold-failed":
		"It is tried again every few seconds: see to what the message says was missing. Until then writes are refused once the tail is full.",
	"recall-unexamined":
		"Answers are as good as they were, and what is certified already stays; for the rest everything is compared, or answers promise nothing. Delete or prune records, or spread them over several collections; where the system gives no more memory, give the process more.",
	"records-behind":
		"If you did not put older records there yourself, writes are lost: compare with a backup, and look at the disk. verify() reads everything.",
	"snapshot-failed": "See that the folder can be written to and has space; then optimize() tries again.",
};

function problemsOf({ problems, building, kind }: IndexState): HealthReason[] {
	const reasons = problems.map(
		({ code, message }): HealthReason => ({
			code,
			status: "degraded",
			message,
			recommendation: ADVICE[code] ?? "rebuild() tries again; the message says what was missing.",
		}),
	);
	if (building === null || kind !== "flat") return reasons;
	return [
		...reasons,
		{
			code: "index-building",
			status: "degraded",
			message: `the index is being built (${Math.floor(building * 100)} %); until then every record is compared: exact, and slower.`,
			recommendation: "Wait; nothing has to be done.",
		},
	];
}

/** Not while another is being built: that is what would be advised. */
function adviceFor(
	{ latency }: CollectionCore,
	{ built, building, choice, parameters, cells }: IndexState,
): HealthReason[] {
	if (built === null || building !== null) return [];
	const { kind: _, ...asked } = choice;
	const drawn = cells === null ? [] : cellAdvice(cells, built.live);
	return [
		...drawn,
		...indexAdvice({
			records: built.live,
			builtRecords: built.records,
			died: built.died,
			searchP95: latency.search.p95,
			asked: cells === null ? asked : {},
			used: parameters,
		}),
	];
}

/** What is the matter with the recall of the index that serves. */
function recallReasons(core: CollectionCore, state: IndexState): HealthReason[] {
	const { recall, spec, searcher } = core;
	const table = recall.serving.table;
	const isOfIndex = table !== undefined && table.identity === searcher?.generation.handle.identity?.id;
	const cells = isOfIndex ? table.cells : [];
	const tooSlow = spec.latencyMs === null ? [] : (tunerOf(core)?.tooSlow(spec.latencyMs) ?? []);
	return recallAdvice({ cells, tooSlow, latencyMs: spec.latencyMs, kind: state.kind, parameters: state.parameters });
}

const MORE: Readonly<Record<Limit, string>> = {
	maxRecords: "Delete or prune records, or open the collection with a larger maxRecords.",
	memoryLimit: "Delete or prune records, or open the collection with a larger memoryLimit.",
	maxMB: "Delete or prune records, or open the collection with a larger memory.maxMB.",
	memory: "Delete or prune records, or spread them over several collections: the memory of one ends at 4 GiB.",
};

async function limitReasons(
	{ threads, settings }: DatabaseCore,
	{ key, spec, searcher }: Stored,
): Promise<HealthReason[]> {
	const records = await threads.reader.call("count", { key, node: undefined, now: settings.now() });
	const { share, limit } = nearestLimit(limited(spec, searcher?.generation), records);
	if (share < spec.warnAt) return [];
	return [
		{
			code: "near-limit",
			status: "degraded",
			message: `${Math.floor(share * 100)} % of what the collection may hold is used (a warning is due from ${Math.floor(spec.warnAt * 100)} % on).`,
			recommendation: MORE[limit],
		},
	];
}
