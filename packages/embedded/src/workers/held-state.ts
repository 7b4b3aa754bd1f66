import type { DatabaseSync } from "node:sqlite";
import { openReader } from "../records/connection.ts";
import { RecordReader } from "../records/reader.ts";

/**
 * One state of the records, kept for whoever reads in it until it is released. It has a connection of its own, so that the other reads of the
 * thread see what is newest meanwhile. One after the other is held: an older state would not have what is acknowledged by then.
 */
export class HeldState {
	readonly #path: string;
	readonly #inTurn: (work: () => Promise<void>) => void;
	#connection: DatabaseSync | undefined;
	#reader: RecordReader | undefined;
	#release: (() => void) | undefined;

	/** @param inTurn Runs one work after the other. Default: those of this object alone. */
	constructor(path: string, inTurn: (work: () => Promise<void>) => void = oneByOne()) {
		this.#path = path;
		this.#inTurn = inTurn;
	}

	/** Reads what is held, between {@link hold} and {@link release}. */
	get reader(): RecordReader {
		this.#connection ??= openReader(this.#path);
		this.#reader ??= new RecordReader(this.#connection);
		return this.#reader;
	}

	/** Resolves to what `begin` has made of the state, which is then held until {@link release}. */
	hold<T>(begin: (reader: RecordReader) => T | Promise<T>): Promise<T> {
		const { promise, resolve, reject } = Promise.withResolvers<T>();
		const { promise: released, resolve: release } = Promise.withResolvers<void>();
		this.#inTurn(() =>
			this.during(async (reader) => {
				resolve(await begin(reader));
				this.#release = release;
				await released;
			}).catch(reject),
		);
		return promise;
	}

	release(): void {
		this.#release?.();
		this.#release = undefined;
	}

	/** Holds a state while `work` runs. To be called in turn. */
	async during<T>(work: (reader: RecordReader) => T | Promise<T>): Promise<T> {
		const { reader } = this;
		reader.begin();
		try {
			return await work(reader);
		} finally {
			reader.end();
		}
	}

	close(): void {
		this.#connection?.close();
	}
}

function oneByOne(): (work: () => Promise<void>) => void {
	let last = Promise.resolve();
	return (work) => {
		last = last.then(work);
	};
}
