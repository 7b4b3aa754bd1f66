import {
	type AnalyzeReport,
	type CallOptions,
	type CertifyOptions,
	type CertifyReport,
	type Collection,
	type CollectionStats,
	type CountOptions,
	type DeleteResult,
	type DeleteTarget,
	type GetOptions,
	type HealthReport,
	type Id,
	type IndexSpec,
	type MaintenanceReport,
	type Metadata,
	NighError,
	type ProgressOptions,
	type PruneOptions,
	type PruneReport,
	type RebuildOptions,
	type RecordInput,
	type RecordPatch,
	type RefreshReport,
	requireFeature,
	type ScanOptions,
	type SearchRequest,
	type SearchResult,
	type StoredRecord,
	type Tune,
	type TuneReport,
	type TuneStats,
	type WarmReport,
	type WriteOptions,
	type WriteResult,
} from "@nigh/contract";
import { SHARED } from "./capabilities.ts";
import type { CollectionCore } from "./core.ts";
import { indexOf } from "./index-settings.ts";
import { certify } from "./verbs/certify.ts";
import { count } from "./verbs/count.ts";
import { deleteRecords } from "./verbs/delete.ts";
import { getMany, getOne } from "./verbs/get.ts";
import { health } from "./verbs/health.ts";
import { analyze, convert, optimize, rebuild, refresh } from "./verbs/maintain.ts";
import { prune } from "./verbs/prune.ts";
import { scan } from "./verbs/scan.ts";
import { search } from "./verbs/search.ts";
import { searchMany } from "./verbs/search-many.ts";
import { stats } from "./verbs/stats.ts";
import { resetTuning, tune, tuneStats } from "./verbs/tune.ts";
import { update } from "./verbs/update.ts";
import { upsert } from "./verbs/upsert.ts";
import { warm } from "./verbs/warm.ts";
import { type EventName, tellingFailure } from "./watch/events.ts";

/** What a collection needs of its database. */
export interface Owner {
	/** `null` where it cannot be told. */
	diskBytes(): number | null;
	/** Called once, when the user closes the collection. Waits for the calls under way; later ones are refused with `reason`. */
	close(reason: NighError): Promise<void>;
}

/** A collection in a folder. Its verbs stand in files of their own. */
export class EmbeddedCollection<M extends Metadata = Metadata> implements Collection<M> {
	readonly #core: CollectionCore;
	readonly #owner: Owner;
	#closing: Promise<void> | undefined;

	constructor(core: CollectionCore, owner: Owner) {
		this.#core = core;
		this.#owner = owner;
	}

	get name(): string {
		return this.#core.name;
	}

	upsert(records: readonly RecordInput<M>[], options: WriteOptions = {}): Promise<WriteResult> {
		return this.#watched("nigh:upsert", () => upsert(this.#core, records, options));
	}

	update(patches: readonly RecordPatch<M>[], options: WriteOptions = {}): Promise<WriteResult> {
		return this.#watched("nigh:upsert", () => update(this.#core, patches, options));
	}

	get(id: Id, options?: GetOptions): Promise<StoredRecord<M> | undefined>;
	get(ids: readonly Id[], options?: GetOptions): Promise<(StoredRecord<M> | undefined)[]>;
	get(
		id: Id | readonly Id[],
		options: GetOptions = {},
	): Promise<StoredRecord<M> | (StoredRecord<M> | undefined)[] | undefined> {
		const { track } = this.#core;
		if (Array.isArray(id))
			return track.call(this.#core, getMany<M>(this.#core, id, options)) as Promise<(StoredRecord<M> | undefined)[]>;
		return this.#core.track(getOne<M>(this.#core, id as Id, options));
	}

	delete(target: DeleteTarget<M>, options: CallOptions = {}): Promise<DeleteResult> {
		return this.#watched("nigh:delete", () => deleteRecords(this.#core, target, options));
	}

	count(options: CountOptions<M> = {}): Promise<number> {
		return this.#core.track(count(this.#core, options));
	}

	scan(options: ScanOptions<M> = {}): AsyncIterable<StoredRecord<M>> {
		return scan<M>(this.#core, options);
	}

	search(request: SearchRequest<M>): Promise<SearchResult<M>> {
		return this.#watched("nigh:search", () => search<M>(this.#core, request));
	}

	searchMany(requests: readonly SearchRequest<M>[], options: CallOptions = {}): Promise<SearchResult<M>[]> {
		return this.#watched("nigh:search", () => searchMany<M>(this.#core, requests, options));
	}

	prune(options: PruneOptions<M> = {}): Promise<PruneReport> {
		return this.#watched("nigh:prune", () => prune(this.#core, options));
	}

	async optimize(options: ProgressOptions = {}): Promise<MaintenanceReport> {
		return this.#core.track(optimize(this.#core, options, this.#owner));
	}

	async rebuild(options: RebuildOptions = {}): Promise<MaintenanceReport> {
		return this.#core.track(rebuild(this.#core, options, this.#owner));
	}

	async convert(index: IndexSpec, options: ProgressOptions = {}): Promise<MaintenanceReport> {
		return this.#core.track(convert(this.#core, indexOf(index, this.#core.spec), options, this.#owner));
	}

	async certify(options: CertifyOptions = {}): Promise<CertifyReport> {
		this.#require("certify");
		return this.#core.track(certify(this.#core, options));
	}

	readonly tune: Tune = Object.assign(
		async (options: ProgressOptions = {}): Promise<TuneReport> => {
			this.#require("tune");
			return this.#core.track(tune(this.#core, options));
		},
		{
			stats: async (): Promise<TuneStats> => {
				this.#require("tune");
				return tuneStats(this.#core);
			},
			reset: async (): Promise<void> => {
				this.#require("tune");
				return this.#core.track(resetTuning(this.#core));
			},
		},
	);

	warm(options: ProgressOptions = {}): Promise<WarmReport> {
		return this.#core.track(warm(this.#core, options));
	}

	refresh(options: CallOptions = {}): Promise<RefreshReport> {
		return this.#core.track(refresh(this.#core, options));
	}

	health(): Promise<HealthReport> {
		return this.#core.track(health(this.#core));
	}

	stats(): Promise<CollectionStats> {
		return this.#core.track(stats(this.#core, this.#owner.diskBytes()));
	}

	analyze(options: CallOptions = {}): Promise<AnalyzeReport> {
		return this.#core.track(analyze(this.#core, options));
	}

	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		try {
			const reason = new NighError("CLOSED", `the collection ${JSON.stringify(this.name)} is closed: open it again`);
			await this.#owner.close(reason);
		} catch (error) {
			// It is open still.
			this.#closing = undefined;
			throw error;
		}
	}

	/** Runs a verb that has a channel of its own, and remembers it until it has ended. */
	#watched<T>(name: EventName, verb: () => Promise<T>): Promise<T> {
		return this.#core.track(tellingFailure(name, this.#core.name, verb));
	}

	/** A thread that shares the memory of another only reads: what is certified belongs to that one. */
	#require(feature: "certify" | "tune"): void {
		this.#core.checkOpen();
		if (this.#core.database.view === "shared")
			requireFeature(SHARED, feature, `${feature}() in a thread that shares a database`);
	}
}
