import { BOUNDS } from "../bounds.ts";
import { type Capabilities, type Feature, requireFeature } from "../capabilities.ts";
import type { Collection } from "../collection.ts";
import type { CertifyOptions, RebuildOptions } from "../collection-reports.ts";
import type { EffectiveSettings } from "../collection-spec.ts";
import type { Embedder } from "../embedder.ts";
import { isNighError, NighError } from "../errors.ts";
import { checkId, compareIds } from "../ids.ts";
import type { IndexSpec } from "../index-spec.ts";
import { checkBound, checkOptions } from "../options.ts";
import type { IncludeOptions, PruneOptions, ScanOptions, StoredRecord } from "../records.ts";
import type { SearchRequest, SearchResult } from "../search.ts";
import * as check from "./reference-checks.test-support.ts";
import { checkParameters, indexFor, PARAMETERS } from "./reference-index.test-support.ts";
import { answer, exactStatement } from "./reference-search.test-support.ts";
import { fillOf, ReferenceStore, type Stored } from "./reference-store.test-support.ts";

/** What a collection knows of where it stands. */
export interface Place {
	readonly name: string;
	readonly capabilities: Capabilities;
	isClosed(): boolean;
	now(): number;
}

export class ReferenceCollection implements Collection {
	readonly name: string;
	readonly #stored: Stored;
	readonly #place: Place;
	readonly #store: ReferenceStore;
	#closed = false;

	constructor(stored: Stored, place: Place, embedder: Embedder | undefined) {
		this.name = place.name;
		this.#stored = stored;
		this.#place = place;
		this.#store = new ReferenceStore(stored, place.now, embedder);
	}

	async upsert(records: readonly unknown[], options?: { partial?: boolean }) {
		this.#begin("upsert", options, ["partial"]);
		return this.#store.write(records, options, "draft");
	}

	async update(patches: readonly unknown[], options?: { partial?: boolean }) {
		this.#begin("update", options, ["partial"]);
		return this.#store.write(patches, options, "patch");
	}

	// biome-ignore lint/suspicious/noExplicitAny: the two overloads of `get` give different types.
	async get(ids: any, options?: { include?: IncludeOptions }): Promise<any> {
		this.#begin("get", options, ["include"]);
		check.checkInclude(options?.include);
		const include = options?.include ?? { text: true };
		const read = (id: unknown) => {
			const row = this.#store.alive(checkId(id));
			return row && project(row, include);
		};
		return Array.isArray(ids) ? check.checkList(ids, "ids").map(read) : read(ids);
	}

	async delete(target: unknown, options?: object) {
		this.#begin("delete", options, []);
		const ids = this.#targets(target);
		const there = new Set(ids.filter((id) => this.#store.alive(id) !== undefined));
		for (const id of there) this.#stored.rows.delete(id);
		if (there.size > 0) this.#stored.change++;
		return { deleted: there.size, changeNumber: this.#stored.change };
	}

	async count(options?: { filter?: unknown }) {
		this.#begin("count", options, ["filter"]);
		return this.#store.list(check.checkFilter(options?.filter)).length;
	}

	async *scan(options: ScanOptions = {}): AsyncGenerator<StoredRecord> {
		this.#begin("scan", options, ["filter", "after", "limit", "include"]);
		const { after, include, limit = BOUNDS.scanLimit.max } = options;
		check.checkInclude(include);
		checkBound("limit", limit, BOUNDS.scanLimit);
		if (after !== undefined) checkId(after);
		const predicate = check.checkFilter(options.filter);
		const ids = this.#store.list(predicate).map(({ id }) => id);
		let given = 0;
		for (const id of ids) {
			if (given === limit) return;
			const row = this.#store.alive(id);
			if (row === undefined || (after !== undefined && compareIds(id, after) <= 0)) continue;
			given++;
			yield project(row, include ?? {});
		}
	}

	async search(request: SearchRequest): Promise<SearchResult> {
		this.#begin("search", undefined, []);
		return this.#answer(request, this.#store);
	}

	async searchMany(requests: readonly SearchRequest[], options?: object) {
		this.#begin("searchMany", options, []);
		if (!Array.isArray(requests))
			throw new NighError("INVALID_OPTION", "requests must be an array.", { field: "requests" });
		checkBound("requests", requests.length, BOUNDS.queriesPerCall);
		const results: SearchResult[] = [];
		const state = this.#store.held();
		for (const [row, request] of requests.entries()) {
			try {
				results.push(await this.#answer(request, state));
			} catch (error) {
				if (!isNighError(error)) throw error;
				if (error.code === "SEARCH_TIMEOUT") results.push({ ...this.#cutShort(request, state), error });
				else throw new NighError(error.code, `Request ${row}: ${error.message}`, { ...error.details, row });
			}
		}
		return results;
	}

	async #answer(request: SearchRequest, store: ReferenceStore): Promise<SearchResult> {
		const start = performance.now();
		const predicate = check.checkRequest(request, this.#place.capabilities, this.#stored.effective.index.kind);
		const { effective } = this.#stored;
		const query = await this.#query(request, store);
		check.begin(request);
		this.#stored.searches++;
		if (performance.now() - start > (request.timeoutMs ?? Number.POSITIVE_INFINITY)) {
			if (request.partial) return this.#cutShort(request, store);
			throw new NighError("SEARCH_TIMEOUT", `The search took longer than ${request.timeoutMs} ms.`);
		}
		const hits = answer(store.list(predicate), query, request, effective).map((found) => {
			const { distance, score, fusedScore } = found;
			const fused = fusedScore === undefined ? {} : { fusedScore };
			const { vector, metadata = true, text } = request.include ?? {};
			const isRead = metadata || text || vector;
			return { ...(isRead ? project(found, request.include ?? {}) : { id: found.id }), distance, score, ...fused };
		});
		return {
			hits,
			recall: exactStatement(request.recall ?? effective.recall),
			plan: { strategy: "scan", index: this.#stored.effective.index.kind, cutShort: false, durationMs: 0 },
			changeNumber: store.change,
		};
	}

	#cutShort({ recall = this.#stored.effective.recall }: SearchRequest, { change }: ReferenceStore): SearchResult {
		return {
			hits: [],
			recall: { ...exactStatement(recall), state: "uncertified", estimate: null },
			plan: { strategy: "scan", index: this.#stored.effective.index.kind, cutShort: true, durationMs: 0 },
			changeNumber: change,
		};
	}

	async prune(options: PruneOptions = {}) {
		this.#begin("prune", options, ["maxAgeMs", "maxRecords", "filter", "dryRun"]);
		const { maxAgeMs, maxRecords, dryRun } = options;
		if (maxAgeMs !== undefined) checkBound("maxAgeMs", maxAgeMs, BOUNDS.ageMs);
		if (maxRecords !== undefined) checkBound("maxRecords", maxRecords, { ...BOUNDS.maxRecords, min: 0 });
		check.checkFlag("dryRun", dryRun);
		const matches = this.#store.list(check.checkFilter(options.filter)).sort((a, b) => a.updatedAt - b.updatedAt);
		const expired = [...this.#stored.rows.keys()].filter((id) => this.#store.alive(id) === undefined);
		const tooOld = maxAgeMs === undefined ? [] : matches.filter((row) => this.#place.now() - row.updatedAt > maxAgeMs);
		const rest = matches.slice(tooOld.length);
		const tooMany = maxRecords === undefined ? [] : rest.slice(0, Math.max(0, rest.length - maxRecords));
		const gone = [...expired, ...[...tooOld, ...tooMany].map(({ id }) => id)];
		if (!dryRun) {
			for (const id of gone) this.#stored.rows.delete(id);
			if (gone.length > 0) this.#stored.change++;
		}
		const counts = { expired: expired.length, tooOld: tooOld.length, tooMany: tooMany.length };
		return { ...counts, changeNumber: this.#stored.change };
	}

	async optimize(options?: object) {
		return this.#maintain("optimize", options, []);
	}

	async rebuild(options: RebuildOptions = {}) {
		this.#begin("rebuild", options, ["onProgress", ...PARAMETERS], "rebuild");
		const { onProgress: _, signal: __, ...given } = options;
		const { index, dimensions } = this.#stored.effective;
		const parameters = { ...index.parameters, ...given };
		checkParameters("", index.kind, parameters, dimensions);
		this.#have({ kind: index.kind, parameters });
		return this.#maintain("rebuild", options, PARAMETERS);
	}

	async convert(index: IndexSpec, options?: object) {
		this.#begin("convert", options, ["onProgress"], "convert");
		this.#have(indexFor(this.#place.capabilities, index, this.#stored.effective));
		return this.#maintain("convert", options, []);
	}

	#have(index: EffectiveSettings["index"]): void {
		this.#stored.effective = { ...this.#stored.effective, index };
	}

	async certify(options: CertifyOptions = {}) {
		const names = ["onProgress", "target", "k", "confidence", "familyWise", "queries", "filter", "maxQueries", "maxMs"];
		this.#begin("certify", options, names, "certify");
		const { target = this.#stored.effective.recall, k = 1, confidence = 0.95, maxQueries = 1, maxMs = 1 } = options;
		checkBound("target", target, BOUNDS.recall);
		checkBound("k", k, { ...BOUNDS.k, max: BOUNDS.k.exactAbove });
		checkBound("confidence", confidence, BOUNDS.confidence);
		checkBound("maxQueries", maxQueries, BOUNDS.certifyQueries);
		checkBound("maxMs", maxMs, BOUNDS.timeoutMs);
		if (options.filter !== undefined && options.queries === undefined) {
			throw new NighError("INVALID_OPTION", "filter is of the queries.", { field: "filter" });
		}
		checkBound("queries", options.queries?.length ?? 1, BOUNDS.certifyQueries);
		for (const query of options.queries ?? []) check.checkAnyVector(query, this.#stored.effective);
		check.reportProgress(options, 1);
		const statement = exactStatement(target);
		return {
			statements: [statement],
			cells: [{ statement, setting: null, endsEarly: false, measured: [] }],
			isComplete: true,
			durationMs: 0,
		};
	}

	readonly tune = Object.assign(
		async (options?: object) => {
			this.#begin("tune", options, ["onProgress"], "tune");
			check.reportProgress(options, 1);
			return { changed: 0, before: null, after: null, tooSlow: [] };
		},
		{
			stats: async () => {
				this.#begin("tune", undefined, [], "tune");
				const { tuner, latencyMs } = this.#stored.effective;
				return { ...tuner, latencyMs, totalPulls: 0, cells: [] };
			},
			reset: async () => this.#begin("tune", undefined, [], "tune"),
		},
	);

	async warm(options?: object) {
		this.#begin("warm", options, ["onProgress"], "warm");
		check.reportProgress(options, 1);
		return { bytes: 0, durationMs: 0 };
	}

	async refresh(options?: object) {
		this.#begin("refresh", options, [], "refresh");
		return { changeNumber: this.#stored.change, changed: false };
	}

	async analyze(options?: object) {
		this.#begin("analyze", options, [], "analyze");
		return { index: this.#stored.effective.index.kind, issues: [] };
	}

	async health() {
		this.#begin("health", undefined, []);
		return fillOf(this.#stored, this.#place.now()).health;
	}

	async stats() {
		this.#begin("stats", undefined, []);
		const { effective, change, searches, writes } = this.#stored;
		const { records, fill } = fillOf(this.#stored, this.#place.now());
		const latency = (count: number) => (count === 0 ? null : { count, p50: 0, p95: 0, p99: 0, max: 0 });
		return {
			name: this.name,
			effective,
			records,
			changeNumber: change,
			index: { kind: effective.index.kind, main: records, tail: 0, tombstones: 0 },
			fill,
			latency: { search: latency(searches), write: latency(writes) },
			ages: { fold: null, snapshot: null },
			memory: null,
			diskBytes: null,
			recall: [],
		};
	}

	async close(): Promise<void> {
		this.#closed = true;
	}

	#begin(verb: string, options: object | undefined, names: readonly string[], feature?: Feature): void {
		if (this.#closed || this.#place.isClosed()) throw new NighError("CLOSED", `${verb}: the collection is closed.`);
		if (this.#stored.dropped) throw new NighError("NOT_FOUND", `${verb}: the collection was dropped.`);
		if (feature !== undefined) requireFeature(this.#place.capabilities, feature);
		checkOptions(options, [...names, "signal"], verb);
		check.begin(options);
	}

	#maintain(feature: Feature, options: object | undefined, names: readonly string[]) {
		this.#begin(feature, options, ["onProgress", ...names], feature);
		const vectors = this.#store.list(() => true).length;
		check.reportProgress(options, vectors);
		const bytes = { before: 0, after: 0 };
		return {
			index: this.#stored.effective.index.kind,
			vectors,
			removed: 0,
			bytes,
			durationMs: 0,
			changeNumber: this.#stored.change,
		};
	}

	#targets(target: unknown): string[] {
		if (typeof target === "string") return [checkId(target)];
		if (Array.isArray(target)) return check.checkList(target, "ids").map((id) => checkId(id));
		if (typeof target !== "object" || target === null) {
			throw new NighError("INVALID_OPTION", "delete takes an id, several, or a filter.", { field: "target" });
		}
		checkOptions(target, ["filter"], "delete");
		const { filter } = target as { filter?: unknown };
		return this.#store.list(check.checkFilter(filter ?? null)).map(({ id }) => id);
	}

	async #query(request: SearchRequest, store: ReferenceStore) {
		const { effective } = this.#stored;
		const { id, embed, vector } = request;
		if (id !== undefined) {
			const row = store.alive(checkId(id));
			if (row === undefined) throw new NighError("NOT_FOUND", `There is no record ${id}.`, { id });
			return row.vector;
		}
		if (embed === undefined) return check.checkAnyVector(vector, effective);
		return this.#store.embed(embed, new NighError("INVALID_OPTION", "embed needs an embedder.", { field: "embed" }));
	}
}

function project({ vector, metadata, text, ...rest }: check.Row, include: IncludeOptions): StoredRecord {
	const { id, insertedAt, updatedAt, expiresAt } = rest;
	return {
		id,
		...(include.vector && { vector: vector.slice() }),
		...((include.metadata ?? true) && metadata !== undefined && { metadata: structuredClone(metadata) }),
		...(include.text && text !== undefined && { text }),
		insertedAt,
		updatedAt,
		...(expiresAt !== undefined && { expiresAt }),
	};
}
