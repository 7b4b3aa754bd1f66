import { type Embedder, isNighError, NighError } from "@nigh/contract";
import { FilterCache, type WrittenRecords } from "./filters.ts";
import { RowMaker } from "./memory/rows.ts";
import { Searcher } from "./memory/searcher.ts";
import { withinMemory } from "./memory/within-memory.ts";
import type { Settings } from "./options.ts";
import { Pending } from "./pending.ts";
import { CollectionRecall } from "./recall/collection-recall.ts";
import type { Sink } from "./recall/sampling.ts";
import { chosenIndex, type IndexChoice, isSameIndex, type StoredSpec } from "./records/catalogue.ts";
import type { RecordReader } from "./records/reader.ts";
import type { Calls } from "./threads.ts";
import { LatencyRecorder } from "./watch/latency.ts";
import { SearchLatency } from "./watch/search-latency.ts";
import type { Installed } from "./workers/messages.ts";

/** What all collections of an open database share. */
export interface DatabaseCore {
	readonly threads: Calls;
	readonly settings: Settings;
	/** Point reads of the calling thread. */
	readonly records: RecordReader;
	/** How what is committed comes to be seen here. */
	readonly view: View;
}

/**
 * How a thread comes to see what is committed.
 *
 * - `writer`: every write is acknowledged to it, so that what it keeps of filters can be kept up to date.
 * - `shared`: it reads the memory of the writer, where everything committed is published a moment later.
 * - `process`: another process writes; what it has written is fetched by `refresh`.
 */
export type View = "writer" | "shared" | "process";

/** One open collection, as its verbs see it. */
export class CollectionCore {
	readonly database: DatabaseCore;
	readonly key: number;
	readonly name: string;
	spec: StoredSpec;
	embedder: Embedder | undefined;
	/** The last change that has been acknowledged to this thread. */
	change: number;
	readonly filters: FilterCache;
	readonly recall: CollectionRecall;
	readonly latency = { search: new SearchLatency(), write: new LatencyRecorder() };
	/** Whether writers wait for the tail to be taken in. */
	isWaiting = false;
	/** Resolves when no conversion to another index is under way or waits for its turn. */
	converting: Promise<void> = Promise.resolve();
	/** The moment of the last {@link expire}. */
	#expiredAt = Number.NEGATIVE_INFINITY;
	#searcher: Searcher | undefined;
	#rows: RowMaker | undefined;
	#closed: NighError | undefined;
	/** The files of the searcher have been given back. */
	#isShut = false;
	/** What has taken over since. */
	#late: Installed | undefined;
	/** Whether calls under way may fail because what they read and write is gone. */
	#isGone = false;
	readonly #pending = new Pending();

	constructor(
		database: DatabaseCore,
		{ key, name, spec, change }: { key: number; name: string; spec: StoredSpec; change: number },
		embedder: Embedder | undefined,
	) {
		this.database = database;
		this.key = key;
		this.name = name;
		this.spec = spec;
		this.change = change;
		this.embedder = embedder;
		this.filters = new FilterCache(this);
		this.recall = new CollectionRecall(spec.tuner, database.view === "shared" ? undefined : this.#sink());
	}

	/** Queries and audits go to the examiner. What does not get there is lost to the sample, as is what is searched for when nobody looks. */
	#sink(): Sink {
		const { key, database } = this;
		const lost = () => {};
		return {
			queries: (queries) => void database.threads.examiner.call("queries", { key, queries, now: this.now }).catch(lost),
			audit: (audit) => void database.threads.examiner.call("audit", { key, audit, now: this.now }).catch(lost),
		};
	}

	/** `undefined` while there are no vectors: their length is not known. */
	get searcher(): Searcher | undefined {
		return this.#searcher;
	}

	get now(): number {
		return this.database.settings.now();
	}

	/** Checks vectors of so many dimensions as this collection has them. */
	rowsFor(dimensions: number): RowMaker {
		if (this.#rows?.format.dimensions !== dimensions) {
			const { metric, weights } = this.spec;
			this.#rows = withinMemory(
				this.#searcher?.generation.live ?? 0,
				() => new RowMaker({ dimensions, metric, weights }),
			);
		}
		return this.#rows;
	}

	/** The vectors of texts. */
	async embed(texts: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
		const { embedder } = this;
		if (embedder === undefined) {
			const message = "the collection was opened without an embedder: give one in its spec, or give vectors.";
			throw new NighError("INVALID_OPTION", message, { field: "embed" });
		}
		const vectors = await embedder.embed(texts, signal === undefined ? {} : { signal });
		// What it told when the collection was opened: the vectors that are there have as many.
		const dimensions = this.spec.dimensions ?? (await embedder.identity()).dimensions;
		const isRight = vectors.length === texts.length && vectors.every((vector) => vector?.length === dimensions);
		// One with a component that is no number would be stored, and never found.
		if (isRight) return vectors.map((vector) => this.rowsFor(dimensions).format.check(vector) as Float32Array);
		throw new NighError(
			"DIMENSION_MISMATCH",
			`the embedder was to make ${texts.length} vectors of ${dimensions} dimensions and made others: was its model changed?`,
			{ field: "embedder", expected: dimensions, actual: vectors[0]?.length },
		);
	}

	/** A write has been acknowledged: what it wrote is seen by filters from now on. */
	acknowledge(change: number, written?: WrittenRecords): void {
		if (written !== undefined) this.filters.written(written);
		this.change = Math.max(this.change, change);
	}

	/** Another process has written up to here, and the memory has it. */
	follow(change: number): void {
		// What has been written is known here by its vectors alone.
		if (change !== this.change) this.filters.forget();
		this.acknowledge(change);
	}

	/** A generation has taken over. Of a collection that is closed nobody would give its files back. */
	install(installed: Installed): void {
		if (this.#isShut) this.#late = installed;
		else this.#use(installed);
	}

	#use({ generation, areas, isBuilt, choice }: Installed): void {
		if (isBuilt === true) this.latency.search.restart();
		this.#searcher?.close();
		this.#searcher = new Searcher(generation, areas.caller);
		this.spec = { ...this.spec, ...this.#converted(choice), dimensions: generation.format.dimensions };
		// What the old one had is in it up to here.
		this.change = Math.max(this.change, this.#searcher.generation.change);
		this.recall.follow(this.#searcher.generation);
		this.filters.clear();
	}

	/** What another thread or process has converted is told with the index; a conversion of this one is noted when it is stored. */
	#converted(choice: IndexChoice | undefined): Pick<StoredSpec, "converted"> {
		if (choice === undefined || this.database.view === "writer") return {};
		return isSameIndex(choice, chosenIndex(this.spec)) ? {} : { converted: choice };
	}

	/** What has expired by now is out of sight when this returns, and what has not is in sight. */
	expire(): void {
		const { now } = this;
		// The matches that are kept lack what had expired when they were found.
		if (now < this.#expiredAt) this.filters.forget();
		this.#expiredAt = now;
		this.#searcher?.generation.expire(now);
	}

	/** @throws NighError `CLOSED`. */
	checkOpen(): void {
		if (this.#closed !== undefined) throw this.#closed;
	}

	/** @throws NighError `CLOSED`, `READ_ONLY`. */
	checkWritable(): void {
		this.checkOpen();
		if (!this.database.settings.readOnly) return;
		throw new NighError("READ_ONLY", "the database is open for reading only: open it without readOnly to write.");
	}

	/** Remembers a call until it has ended, so that closing can wait for it. */
	track<T>(call: Promise<T>): Promise<T> {
		return this.#pending.track(
			call.catch((error) => {
				throw this.failureOf(error);
			}),
		);
	}

	/** What a call that failed is to say: once the collection has been dropped, it failed for that reason, wherever it was. */
	failureOf(error: unknown): unknown {
		if (!this.#isGone || this.#closed === undefined) return error;
		const isOther = isNighError(error) && error.code !== "UNAVAILABLE" && error.code !== "NOT_FOUND";
		return isOther ? error : new NighError("CLOSED", this.#closed.message, {}, { cause: error });
	}

	/** Takes {@link close} or {@link drop} back: what it was closed for has not happened. */
	reopen(): void {
		this.#closed = undefined;
		this.#isGone = false;
		if (!this.#isShut) return;
		this.#isShut = false;
		const late = this.#late;
		this.#late = undefined;
		if (late !== undefined) this.#use(late);
		// The old one has given its files back.
		else if (this.#searcher !== undefined)
			this.#searcher = new Searcher(this.#searcher.generation.handle, this.#searcher.area);
	}

	/** Refuses further calls and waits for those under way. */
	async close(reason: NighError): Promise<void> {
		this.#closed ??= reason;
		// Until then they go on with whatever takes over.
		await this.#pending.settled();
		// While it can still be examined.
		this.recall.sampling.close(this.#isGone);
		this.#isShut = true;
		this.#searcher?.close();
	}

	/** As {@link close}, for one that is being dropped: the calls under way may fail, for that reason. */
	drop(reason: NighError): Promise<void> {
		this.#isGone = true;
		this.#closed = reason;
		return this.close(reason);
	}
}
