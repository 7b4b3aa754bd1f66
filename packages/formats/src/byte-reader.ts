import { NighError } from "@nigh/contract";
import { describe } from "./describe.ts";

/**
 * A stream of bytes: a Node stream, a web `ReadableStream` (where the engine can iterate over one), a generator, or an array of
 * chunks. A chunk may be overwritten by its source once the next one is asked for.
 */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const EMPTY = new Uint8Array(0);

/** Walks through a byte source, holding one chunk at a time and asking for the next only when that one is used up. */
export class ByteReader {
	readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
	readonly #signal: AbortSignal | undefined;
	/** `waiting` while a chunk is being asked for; `over` when the source ended or failed by itself and needs no closing. */
	#state: "open" | "waiting" | "over" = "open";
	#chunkStart = 0;
	/** The chunk that is being used up; read it from {@link position}, and move that on. */
	chunk: Uint8Array = EMPTY;
	position = 0;

	constructor(source: ByteSource, signal: AbortSignal | undefined) {
		this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
		this.#signal = signal;
	}

	/** Bytes of the file before the next one. */
	get offset(): number {
		return this.#chunkStart + this.position;
	}

	/** Bytes that can be used without waiting. */
	get available(): number {
		return this.chunk.length - this.position;
	}

	/** Makes at least one byte available; false where the source has ended. Asks the source only when nothing is left. */
	async more(): Promise<boolean> {
		while (this.available === 0) {
			if (this.#state === "over") return false;
			const chunk = await this.#next();
			this.#chunkStart += this.chunk.length;
			this.position = 0;
			this.chunk = chunk ?? EMPTY;
		}
		return true;
	}

	/** Copies `length` bytes to `target` from `start` on. Gives how many there were: fewer only where the source has ended. */
	async readInto(target: Uint8Array, start: number, length: number): Promise<number> {
		let copied = 0;
		while (copied < length && (this.available > 0 || (await this.more()))) {
			const part = Math.min(length - copied, this.available);
			target.set(this.chunk.subarray(this.position, this.position + part), start + copied);
			this.position += part;
			copied += part;
		}
		return copied;
	}

	/** Passes over `length` bytes. Gives how many there were: fewer only where the source has ended. */
	async skip(length: number): Promise<number> {
		let skipped = 0;
		while (skipped < length && (this.available > 0 || (await this.more()))) {
			const part = Math.min(length - skipped, this.available);
			this.position += part;
			skipped += part;
		}
		return skipped;
	}

	/** Fails with `ABORTED` where the signal says so. */
	throwIfAborted(): void {
		if (this.#signal?.aborted) throw this.#aborted();
	}

	/** Closes a source that has not ended by itself. */
	async close(): Promise<void> {
		const state = this.#state;
		this.#state = "over";
		this.chunk = EMPTY;
		this.position = 0;
		if (state === "over") return;
		const closing = Promise.resolve(this.#iterator.return?.());
		// A generator that is still waiting for its own input answers return() only after that: an abort cannot wait for it.
		if (state === "waiting") closing.catch(() => undefined);
		else await closing;
	}

	async #next(): Promise<Uint8Array | undefined> {
		this.throwIfAborted();
		this.#state = "waiting";
		let result: IteratorResult<Uint8Array>;
		try {
			result = await this.#untilAborted(this.#iterator.next());
		} catch (error) {
			// A source that listens to the same signal fails in its own words.
			if (this.#signal?.aborted) throw this.#aborted();
			this.#state = "over";
			throw error;
		}
		this.#state = result.done === true ? "over" : "open";
		if (result.done === true) return undefined;
		// By tag, since a chunk may come from another realm.
		if (Object.prototype.toString.call(result.value) === "[object Uint8Array]") return result.value;
		throw notBytes(result.value);
	}

	/** The same promise, given up when the signal is raised: a source that never answers must not keep the reader. */
	async #untilAborted<T>(pending: T | Promise<T>): Promise<T> {
		const signal = this.#signal;
		if (signal === undefined) return pending;
		let giveUp: () => void = () => undefined;
		const aborted = new Promise<never>((_, reject) => {
			giveUp = () => reject(this.#aborted());
			signal.addEventListener("abort", giveUp);
			// Asking the source may itself have raised it, and then there is no event any more.
			if (signal.aborted) giveUp();
		});
		try {
			return await Promise.race([pending, aborted]);
		} finally {
			signal.removeEventListener("abort", giveUp);
		}
	}

	#aborted(): NighError {
		return new NighError(
			"ABORTED",
			`Reading was aborted by its signal at byte ${this.offset}; expected to read on. Rows given before stay valid; read again from the start for the rest.`,
			{ byteOffset: this.offset },
			{ cause: this.#signal?.reason },
		);
	}
}

/**
 * Runs a reader over a source and closes the source when the reader is done, fails or is closed early. As in `for await`, a source
 * that fails to close is only heard of where nothing else went wrong.
 */
export async function* readFrom<T>(
	source: ByteSource,
	signal: AbortSignal | undefined,
	read: (reader: ByteReader) => AsyncGenerator<T, void>,
): AsyncGenerator<T, void> {
	const reader = new ByteReader(source, signal);
	let failed = false;
	try {
		yield* read(reader);
	} catch (error) {
		failed = true;
		throw error;
	} finally {
		const closing = reader.close();
		await (failed ? closing.catch(() => undefined) : closing);
	}
}

/** Refuses what is no stream, before anything is read. */
export function checkSource(source: unknown): void {
	if (typeof source === "object" && source !== null && !ArrayBuffer.isView(source)) {
		if (Symbol.asyncIterator in source || Symbol.iterator in source) return;
	}
	const advice = "Give a stream of Uint8Array chunks; wrap bytes that are in memory as [bytes].";
	const found = describe(source);
	throw new NighError("INVALID_OPTION", `source is ${found}; expected an iterable of Uint8Array. ${advice}`, {
		field: "source",
		value: found,
	});
}

function notBytes(value: unknown): NighError {
	const found = describe(value);
	return new NighError(
		"INVALID_OPTION",
		`source gave the chunk ${found}; expected Uint8Array. Open the stream without an encoding.`,
		{ field: "source", value: found },
	);
}
