import { type Embedder, NighError } from "@nigh/contract";
import { FilterCache, type WrittenRecord } from "./filters.ts";
import { RowMaker } from "./memory/rows.ts";
import { Searcher } from "./memory/searcher.ts";
import type { Settings } from "./options.ts";
import { Pending } from "./pending.ts";
import type { StoredSpec } from "./records/catalogue.ts";
import type { RecordReader } from "./records/reader.ts";
import type { Calls } from "./threads.ts";
import { LatencyRecorder } from "./watch/latency.ts";
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
	readonly latency = { search: new LatencyRecorder(), write: new LatencyRecorder() };
	/** Whether writers wait for the tail to be taken in. */
	isWaiting = false;
	#searcher: Searcher | undefined;
	#rows: RowMaker | undefined;
	#closed: NighError | undefined;
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
			this.#rows = new RowMaker({ dimensions, metric, weights });
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
		const { dimensions } = await embedder.identity();
		const isRight = vectors.length === texts.length && vectors.every((vector) => vector.length === dimensions);
		if (isRight) return vectors;
		throw new NighError(
			"DIMENSION_MISMATCH",
			`the embedder was to make ${texts.length} vectors of ${dimensions} dimensions and made others: was its model changed?`,
			{ field: "embedder", expected: dimensions, actual: vectors[0]?.length },
		);
	}

	/** A write has been acknowledged: what it wrote is seen by filters from now on. */
	acknowledge(change: number, written: readonly WrittenRecord[]): void {
		this.filters.written(written);
		this.change = Math.max(this.change, change);
	}

	/** A generation has taken over. */
	install({ generation, areas }: Installed): void {
		this.#searcher = new Searcher(generation, areas.caller);
		this.spec = { ...this.spec, dimensions: generation.format.dimensions };
		// What the old one had is in it up to here.
		this.change = Math.max(this.change, this.#searcher.generation.change);
		this.filters.clear();
	}

	/** What has expired by now is out of sight when this returns. */
	expire(): void {
		this.#searcher?.generation.expire(this.now);
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
		return this.#pending.track(call);
	}

	/** Takes {@link close} back: what it was closed for has not happened. */
	reopen(): void {
		this.#closed = undefined;
	}

	/** Refuses further calls and waits for those under way. */
	async close(reason: NighError): Promise<void> {
		this.#closed ??= reason;
		await this.#pending.settled();
	}
}
