// Back ends that are wrong in one way each: the reference with a verb spoilt.
import type { Collection } from "../collection.ts";
import { NighError } from "../errors.ts";
import type { IndexSpec } from "../index-spec.ts";
import type { Distance, Score } from "../metric.ts";
import type { Hit, SearchResult } from "../search.ts";
import { collect } from "./model.ts";
import { openReference } from "./reference.test-support.ts";
import { type Sabotage, sabotage, sabotageDatabase, withHits, withRequest } from "./spoil.test-support.ts";

function without<T extends object>(object: T, ...names: readonly string[]): object {
	return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

const KNOWN = ["vector", "embed", "id", "text", "fusion", "k", "filter", "minScore", "maxDistance", "recall", "exact"];

export const SABOTAGES: readonly Sabotage[] = [
	withHits("the nearest hit is missing", "search", (hits) => hits.slice(1)),
	withHits("the last hit is missing", "search", (hits) => hits.slice(0, -1)),
	withHits("one hit of many is missing now and then", "upsert", (hits) => hits.filter((_, i) => i !== 17)),
	withHits("hits are in the wrong order", "search", (hits) => hits.toReversed()),
	withHits("equal distances are in the order of UTF-16", "search", (hits) =>
		hits.toSorted((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1)),
	),
	withHits("a hit comes twice", "search", (hits) => (hits.length < 2 ? hits : [...hits.slice(0, -1), hits[0] as Hit])),
	withHits("the distance is squared", "search", (hits) =>
		hits.map((hit) => ({ ...hit, distance: (hit.distance ** 2) as Distance })),
	),
	withHits("the distance is a little off", "search, metrics", (hits) =>
		hits.map((hit) => ({ ...hit, distance: (hit.distance * 1.0001) as Distance })),
	),
	withHits("the score is the distance", "search", (hits) =>
		hits.map((hit) => ({ ...hit, score: Number(hit.distance) as Score })),
	),
	withHits("the fused score is always there", "search, hybrid", (hits) =>
		hits.map((hit) => ({ fusedScore: 0, ...hit })),
	),
	withHits("the vector is always there", "search", (hits) =>
		hits.map((hit) => ({ ...hit, vector: Float32Array.of(1) })),
	),
	withRequest("k is one too small", "search", (request) => ({ ...request, k: Math.max(1, (request.k ?? 10) - 1) })),
	withRequest("the filter is ignored", "search, filtered", (request) => without(request, "filter")),
	withRequest("nprobe is ignored", "search, widths", (request) => without(request, "nprobe")),
	withRequest("a width of another kind of index is ignored", "search, widths", (request) => without(request, "ef")),
	withRequest("maxDistance is ignored", "search", (request) => without(request, "maxDistance")),
	withRequest("minScore is ignored", "search", (request) => without(request, "minScore")),
	withRequest("text is ignored", "search, hybrid", (request) => without(request, "text", "fusion")),
	withRequest("rrfK is ignored", "search, hybrid", (request) => without(request, "fusion")),
	withRequest("a * makes a prefix of a word", "search, hybrid", (request) =>
		request.text === "zeb*" ? { ...request, text: "zebra" } : request,
	),
	withRequest("unknown options are ignored", "wrong input", (request) =>
		request === null
			? request
			: Object.fromEntries(
					Object.entries(request).filter(([name]) => [...KNOWN, "timeoutMs", "include"].includes(name)),
				),
	),
	withRequest("a k out of bounds is made to fit", "wrong input", (request) =>
		typeof request.k !== "number"
			? request
			: { ...request, k: Math.min(10_000, Math.max(1, Math.trunc(request.k) || 1)) },
	),
	withRequest("timeoutMs is ignored", "search", (request) => without(request, "timeoutMs")),
	withRequest("timeoutMs of a batch is ignored", "searchMany", (request) => without(request, "timeoutMs")),
	withRequest("partial is ignored", "search", (request) => without(request, "partial")),
	withRequest("an aborted signal is ignored", "every verb", (request) => without(request, "signal")),
	sabotage("an exact answer says it is certified without a certificate", "search", (c) => ({
		search: async (request) => {
			const result = await c.search(request);
			return { ...result, recall: { ...result.recall, state: "certified" } };
		},
	})),
	sabotage("the batch answers in another order", "searchMany", (c) => ({
		searchMany: async (...of) => (await c.searchMany(...of)).toReversed(),
	})),
	sabotage("the batch does not tell the row", "searchMany", (c) => ({
		searchMany: async (requests) => Promise.all(requests.map((request) => c.search(request))),
	})),
	sabotage("every request of the batch sees what is newest", "searchMany", (c) => ({
		searchMany: async (requests, options) => {
			const checked = await c.searchMany(requests, options);
			for (const i of checked.keys()) {
				checked[i] = (await c.searchMany(requests.slice(i, i + 1), options))[0] as SearchResult;
			}
			return checked;
		},
	})),
	sabotage("one slow request of the batch fails them all", "searchMany", (c) => ({
		searchMany: async (...of) => {
			const results = await c.searchMany(...of);
			const slow = results.find(({ error }) => error !== undefined);
			if (slow !== undefined) throw slow.error;
			return results;
		},
	})),
	sabotage("an upsert makes a second record", "upsert", (c) => ({
		upsert: async (records, options) => {
			for (const old of await c
				.get(
					records.map(({ id }) => id),
					{ include: { vector: true } },
				)
				.catch(() => [])) {
				if (old !== undefined) await c.upsert([{ id: `${old.id.slice(0, 500)}~`, vector: old.vector as Float32Array }]);
			}
			return c.upsert(records, options);
		},
	})),
	sabotage("an upsert of an id that is there keeps the old vector", "upsert", (c) => ({
		upsert: async (records, options) => {
			const seen = new Set((await collect(c.scan())).map(({ id }) => id));
			const result = await c.upsert(
				records.filter(({ id }) => !seen.has(id)),
				options,
			);
			const patches = records
				.filter(({ id }) => seen.has(id))
				.map((record) => without(record, "vector") as { id: string });
			await c.update(patches);
			return { ...result, succeeded: records.length };
		},
	})),
	sabotage("insertedAt is not kept", "upsert", (c) => ({
		upsert: async (records, options) => {
			const isFull = (await c.stats()).fill.nearLimit;
			if (!isFull) await c.delete(records.map(({ id }) => id)).catch(() => {});
			return c.upsert(records, options);
		},
	})),
	sabotage("a bad batch is written in part", "upsert", (c) => ({
		upsert: async (records, options) => {
			try {
				return await c.upsert(records, options);
			} catch (error) {
				await c.upsert(records, { partial: true }).catch(() => {});
				throw error;
			}
		},
	})),
	sabotage("of two records of one id in a batch the first stays", "upsert", (c) => ({
		upsert: (records, options) => c.upsert(Array.isArray(records) ? records.toReversed() : records, options),
	})),
	sabotage("vectors are stored at unit length", "upsert", (c) => ({
		get: (async (ids: string, options?: object) => {
			const record = await c.get(ids, options);
			const norm = Math.hypot(...(record?.vector ?? []));
			return record?.vector === undefined ? record : { ...record, vector: record.vector.map((x) => x / norm) };
		}) as Collection["get"],
	})),
	sabotage("an update of a missing id creates it", "update", (c) => ({
		update: (patches, options) =>
			c.update(patches, options).catch(() => c.upsert(patches.map(({ id }) => ({ id, vector: [1, 2, 3, 4] })))),
	})),
	sabotage("an update merges the metadata", "update", (c) => ({
		update: async (patches, options) => {
			const old = await c.get(patches.map(({ id }) => id)).catch(() => []);
			const merged = patches.map((patch, i) =>
				patch.metadata ? { ...patch, metadata: { ...old[i]?.metadata, ...patch.metadata } } : patch,
			);
			return c.update(merged, options);
		},
	})),
	sabotage("get gives only what is there", "get", (c) => ({
		get: (async (ids: string[], options?: object) => {
			const found = await c.get(ids, options);
			return Array.isArray(ids) ? found.filter((each) => each !== undefined) : found;
		}) as Collection["get"],
	})),
	sabotage("a delete counts ids that were not there", "delete", (c) => ({
		delete: async (target, options) => {
			const result = await c.delete(target, options);
			return Array.isArray(target) ? { ...result, deleted: target.length } : result;
		},
	})),
	sabotage("a delete without a filter deletes everything", "wrong input", (c) => ({
		delete: (target, options) =>
			c.delete(
				typeof target === "object" && target !== null && !("filter" in target) ? { filter: {} } : target,
				options,
			),
	})),
	sabotage("count counts what a filter does not match", "count", (c) => ({
		count: (options) => c.count(without(options ?? {}, "filter")),
	})),
	sabotage("a scan is out of order", "scan", (c) => ({
		async *scan(options) {
			yield* (await collect(c.scan(options))).toReversed();
		},
	})),
	sabotage("a scan gives the record `after` again", "scan", (c) => ({
		async *scan({ after, ...options } = {}) {
			for (const record of await collect(c.scan({ ...options, limit: undefined }))) {
				if (after === undefined || record.id >= after) yield record;
			}
		},
	})),
	sabotage("a scan by numbered pages misses what moves up meanwhile", "scan", (c) => ({
		async *scan(options) {
			for (let at = 0; ; at++) {
				const record = (await collect(c.scan(options)))[at];
				if (record === undefined) return;
				yield record;
			}
		},
	})),
	sabotage("prune takes the newest", "prune", (c) => ({
		prune: async ({ maxRecords, ...options } = {}) => {
			const report = await c.prune(options);
			const all = (await collect(c.scan({ filter: options.filter }))).sort((a, b) => b.updatedAt - a.updatedAt);
			const gone = maxRecords === undefined ? [] : all.slice(0, Math.max(0, all.length - maxRecords));
			await c.delete(gone.map(({ id }) => id));
			return { ...report, tooMany: gone.length };
		},
	})),
	sabotage("a dry run deletes", "prune", (c) => ({ prune: (options) => c.prune({ ...options, dryRun: false }) })),
	sabotage("progress is never told", "maintenance", (c) => ({ optimize: () => c.optimize() })),
	sabotage("the end of the work is told twice", "maintenance", (c) => ({
		optimize: ({ onProgress = () => {} } = {}) =>
			c.optimize({
				onProgress(done, total) {
					onProgress(done, total);
					onProgress(done, total);
				},
			}),
	})),
	sabotage("rebuild makes a graph of a flat index", "maintenance", (c) => ({
		rebuild: (options = {}) => c.rebuild(without(options, "M", "efConstruction")),
	})),
	sabotage("stats count nothing", "health", (c) => ({ stats: async () => ({ ...(await c.stats()), records: 0 }) })),
	sabotage("health is always ok", "limits", () => ({ health: async () => ({ status: "ok", reasons: [] }) })),
	sabotage("closing does nothing", "every verb", () => ({ close: async () => {} })),
	sabotage("errors are not coded", "wrong input", (c) => ({
		upsert: (...of) =>
			c.upsert(...of).catch((error) => {
				throw new Error(error.message);
			}),
	})),
	sabotage("errors have another code", "wrong input", (c) => ({
		upsert: (...of) =>
			c.upsert(...of).catch((error) => {
				throw new NighError("INVALID_FILE", error.message, error.details);
			}),
	})),
	{ what: "expiry is ignored", foundBy: "expiry", open: () => openReference({ now: () => 1_800_000_000_000 }) },
	{
		what: "records expire a ms late",
		foundBy: "expiry",
		open: ({ now = () => 0 } = {}) => openReference({ now: () => now() - 1 }),
	},
	sabotageDatabase("a dropped collection leaves its records", "collections", () => ({ drop: async () => true })),
	sabotageDatabase("a limit of the spec is ignored", "limits", (db) => ({
		collection: (name, spec) => db.collection(name, spec && without(spec, "maxRecords")),
	})),
	sabotageDatabase("another spec is taken as it comes", "collections", (db) => ({
		collection: async (name, spec) => db.collection(name, (await db.collections()).includes(name) ? {} : spec),
	})),
	sabotageDatabase("a cap on memory is ignored", "storage", (db) => ({
		collection: (name, spec) => db.collection(name, spec && without(spec, "memory")),
	})),
	sabotage("where the vectors are to be is forgotten", "storage", (c) => ({
		convert: (index, options) => c.convert(without(index as object, "storage") as IndexSpec, options),
	})),
	sabotageDatabase("verify calls a database damaged that is in order", "backup", (db) => ({
		verify: async () => ({ ...(await db.verify()), ok: false }),
	})),
	{
		what: "nothing outlives a database",
		foundBy: "life of a collection",
		open: async (options) => {
			const opened = await openReference(options);
			return { ...opened, reopen: async () => (await openReference(options)).database };
		},
	},
];
