import type { CollectionStats, DatabaseHealth, HealthReason, HealthReport, HealthStatus } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { chosenIndex } from "../records/catalogue.ts";
import { fillOf } from "../workers/limits.ts";
import type { IndexState } from "../workers/messages.ts";

export async function stats(core: CollectionCore, diskBytes: number | null): Promise<CollectionStats> {
	core.checkOpen();
	const { spec, key, name, database, latency } = core;
	const { indexer, reader } = database.threads;
	const hasIndex = core.searcher !== undefined;
	// Before the first vector there is none: what was asked for is what will be.
	const asked = chosenIndex(spec).kind === "hnsw" ? "hnsw" : "flat";
	const [state, memory, records] = await Promise.all([
		hasIndex ? indexer.call("state", key) : undefined,
		hasIndex ? indexer.call("memory", key) : null,
		reader.call("count", { key, node: undefined, now: core.now }),
	]);
	const share = fillOf(spec, records);
	const { index: _, converted: __, ...settings } = spec;
	return {
		name,
		effective: {
			...settings,
			index: { kind: state?.kind ?? asked, parameters: { asked: chosenIndex(spec).kind, ...state?.parameters } },
		},
		records,
		changeNumber: core.searcher?.generation.change ?? core.change,
		index: {
			kind: state?.kind ?? asked,
			main: state?.main ?? 0,
			tail: state?.tail ?? 0,
			tombstones: state?.tombstones ?? 0,
		},
		fill: { share, nearLimit: share >= spec.warnAt },
		latency: { search: latency.search.stats(), write: latency.write.stats() },
		ages: { fold: ageOf(state?.foldedAt), snapshot: ageOf(state?.snapshotAt) },
		memory,
		diskBytes,
		recall: [],
	};
}

export async function health(core: CollectionCore): Promise<HealthReport> {
	core.checkOpen();
	const { key, database, spec } = core;
	const state = core.searcher === undefined ? undefined : await database.threads.indexer.call("state", key);
	const reasons: HealthReason[] = [];
	if (state !== undefined) reasons.push(...indexReasons(state));
	if (core.isWaiting) {
		reasons.push({
			code: "tail-full",
			status: "degraded",
			message: `writers wait: ${state?.tail ?? "the"} vectors are still to be taken into the index, which is as many as the tail holds.`,
			recommendation: "Nothing is lost. Write more slowly, give the database more threads, or let it catch up.",
		});
	}
	const share = fillOf(spec, await database.threads.reader.call("count", { key, node: undefined, now: core.now }));
	if (share >= spec.warnAt) {
		reasons.push({
			code: "near-limit",
			status: "degraded",
			message: `${Math.floor(share * 100)} % of what the collection may hold is used (a warning is due from ${Math.floor(spec.warnAt * 100)} % on).`,
			recommendation: "Delete or prune records, or open the collection with larger limits.",
		});
	}
	return { status: worst(reasons), reasons };
}

const ADVICE: Readonly<Record<string, string>> = {
	"snapshot-damaged":
		"Nothing is lost: the index was built again from the records. Look at the disk if it happens again.",
	"records-behind":
		"If you did not put older records there yourself, writes are lost: compare with a backup, and look at the disk. verify() reads everything.",
	"snapshot-failed": "See that the folder can be written to and has space; then optimize() tries again.",
};

function indexReasons({ problems, building, kind }: IndexState): HealthReason[] {
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

export function worst(reasons: readonly { readonly status: HealthStatus }[]): HealthStatus {
	if (reasons.some(({ status }) => status === "failing")) return "failing";
	return reasons.some(({ status }) => status === "degraded") ? "degraded" : "ok";
}

export function databaseHealth(collections: Readonly<Record<string, HealthReport>>): DatabaseHealth {
	return { status: worst(Object.values(collections)), reasons: [], collections };
}

function ageOf(time: number | null | undefined): number | null {
	return time === null || time === undefined ? null : Math.max(0, performance.timeOrigin + performance.now() - time);
}
