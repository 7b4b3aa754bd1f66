import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Parallel } from "@nigh/index";
import type { Arena, KernelName } from "@nigh/kernels";
import type { Reply, Request } from "./messages.ts";

/** Most threads of a pool: beyond, handing out work costs more than it brings. */
export const MAX_THREADS = 64;

export interface PoolOptions {
	/** Worker threads, 1 to {@link MAX_THREADS}. Default: as many as the machine runs at a time. */
	readonly threads?: number;
}

/** Worker threads that run kernels over shared arenas. They do not keep the process alive while they have nothing to do. */
export interface ThreadPool extends Parallel {
	/** Ends the threads; what is running fails. Closing twice does nothing. */
	close(): Promise<void>;
	[Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts worker threads.
 *
 * @throws RangeError for a number of threads outside 1 to 64.
 * @example
 * await using pool = await createPool({ threads: 2 });
 * const index = createHnsw({ dimensions: 128, metric: "l2", shared: true });
 * await index.insertMany(vectors, { parallel: pool });
 */
export async function createPool(options: PoolOptions = {}): Promise<ThreadPool> {
	for (const name of Object.keys(options)) {
		if (name !== "threads") throw new RangeError(`createPool has no option ${name}: it has threads`);
	}
	const threads = options.threads ?? Math.min(availableParallelism(), MAX_THREADS);
	if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
		throw new RangeError(`threads is ${threads}; it must be an integer from 1 to ${MAX_THREADS}`);
	}
	const lanes = Array.from({ length: threads }, () => new Lane());
	try {
		await Promise.all(lanes.map((lane) => lane.started));
	} catch (error) {
		await Promise.all(lanes.map((lane) => lane.close()));
		throw error;
	}
	return new WorkerPool(lanes);
}

class WorkerPool implements ThreadPool {
	readonly lanes: number;
	readonly #lanes: readonly Lane[];
	/** Numbers of the arenas that the workers hold; a worker lets go of an arena when nobody here has it any more. */
	readonly #numbers = new WeakMap<Arena, number>();
	readonly #dropped = new FinalizationRegistry<number>((arena) => {
		for (const lane of this.#lanes) lane.tell({ type: "detach", arena });
	});
	#next = 0;
	/** Runs follow one another: a lane does one call at a time. */
	#last: Promise<unknown> = Promise.resolve();

	constructor(lanes: readonly Lane[]) {
		this.#lanes = lanes;
		this.lanes = lanes.length;
	}

	run(arena: Arena, kernel: KernelName, args: readonly (readonly number[])[]): Promise<void> {
		if (!arena.shared) throw new TypeError("a pool needs a shared arena: create the index with shared: true");
		if (args.length > this.lanes) throw new RangeError(`${args.length} calls do not fit ${this.lanes} lanes`);
		const run = this.#last.then(async () => {
			const number = this.#attach(arena);
			const calls = args.map((list, i) =>
				(this.#lanes[i] as Lane).call({ type: "call", arena: number, kernel, args: list }),
			);
			// All lanes must be at rest before a failure is reported: they write to the caller's memory.
			const failure = (await Promise.allSettled(calls)).find((result) => result.status === "rejected");
			if (failure !== undefined) throw failure.reason;
		});
		this.#last = run.catch(() => undefined);
		return run;
	}

	async close(): Promise<void> {
		await Promise.all(this.#lanes.map((lane) => lane.close()));
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.close();
	}

	#attach(arena: Arena): number {
		const known = this.#numbers.get(arena);
		if (known !== undefined) return known;
		const number = this.#next++;
		for (const lane of this.#lanes)
			lane.tell({ type: "attach", arena: number, memory: arena.memory, engine: arena.engine });
		this.#numbers.set(arena, number);
		this.#dropped.register(arena, number);
		return number;
	}
}

/** One worker. */
class Lane {
	/** Resolves when the worker runs, rejects when it cannot be started. */
	readonly started: Promise<void>;
	readonly #worker: Worker;
	#waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
	#failure: Error | undefined;

	constructor() {
		// Compiled, this file and the worker are .js; from source, Node runs the .ts as they are.
		const entry = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
		this.#worker = new Worker(new URL(entry, import.meta.url), { name: "nigh" });
		this.started = new Promise((resolve, reject) => {
			this.#worker.once("online", () => {
				// From here on it only keeps the process alive while it works.
				this.#worker.unref();
				resolve();
			});
			this.#worker.once("error", reject);
		});
		this.#worker.on("message", (reply: Reply) =>
			this.#settle(reply.type === "failed" ? new Error(reply.message) : undefined),
		);
		this.#worker.on("error", (error: Error) => this.#fail(error));
		this.#worker.on("exit", (code) => this.#fail(new Error(`the worker thread has ended (code ${code})`)));
	}

	tell(request: Request): void {
		this.#worker.postMessage(request);
	}

	call(request: Request): Promise<void> {
		if (this.#failure !== undefined) return Promise.reject(this.#failure);
		return new Promise((resolve, reject) => {
			this.#waiting = { resolve, reject };
			this.#worker.ref();
			this.tell(request);
		});
	}

	async close(): Promise<void> {
		this.#worker.ref();
		await this.#worker.terminate();
	}

	#fail(error: Error): void {
		this.#failure ??= error;
		this.#settle(this.#failure);
	}

	#settle(error: Error | undefined): void {
		const waiting = this.#waiting;
		this.#waiting = undefined;
		this.#worker.unref();
		if (error === undefined) waiting?.resolve();
		else waiting?.reject(error);
	}
}
