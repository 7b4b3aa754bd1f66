import type { Worker } from "node:worker_threads";
import type { Calling } from "./threads.ts";
import { endedThread } from "./workers/ended-thread.ts";
import type { Installed, ReaderMethods } from "./workers/messages.ts";
import { Caller } from "./workers/rpc.ts";

/**
 * The reader worker, started by the first call that asks it something: many programs only write, get and search, and never need it. What is
 * attached until then is told to it first. A generation with row files starts it at once, since their writer may remove them, and only who
 * has them open by then can read on.
 */
export class ReaderThread implements Calling<ReaderMethods> {
	readonly #start: () => Worker;
	readonly #attached = new Map<number, Installed>();
	#worker: Worker | undefined;
	#caller: Caller<ReaderMethods> | undefined;
	#failure: Error | undefined;

	constructor(start: () => Worker) {
		this.#start = start;
	}

	get failure(): Error | undefined {
		return this.#failure ?? this.#caller?.failure;
	}

	call: Calling<ReaderMethods>["call"] = (method, argument, transfer) => {
		if (this.#failure !== undefined) return Promise.reject(this.#failure);
		if (this.#caller !== undefined || !this.#isKept(method, argument)) {
			this.#caller ??= this.#begin();
			return this.#caller.call(method, argument, transfer);
		}
		return Promise.resolve() as never;
	};

	/** Ends every call that waits, and those to come. */
	fail(error: Error): void {
		this.#failure ??= error;
		this.#caller?.fail(error);
	}

	async terminate(): Promise<void> {
		await this.#worker?.terminate();
	}

	/** Whether it is enough to remember a call. */
	#isKept(method: string, argument: unknown): boolean {
		if (method === "detach") {
			this.#attached.delete(argument as number);
			return true;
		}
		if (method !== "attach") return false;
		const installed = argument as Installed;
		if (installed.generation.rowFiles !== null) return false;
		this.#attached.set(installed.key, installed);
		return true;
	}

	/** The call that asks keeps the process alive until it is answered, and the thread with it. */
	#begin(): Caller<ReaderMethods> {
		this.#worker = this.#start();
		const caller = new Caller<ReaderMethods>(this.#worker, { mayEnd: true, ended: endedThread("reader") });
		// One that cannot be attached has no searcher there: who asks for one is told so.
		for (const installed of this.#attached.values()) caller.call("attach", installed).catch(() => {});
		this.#attached.clear();
		return caller;
	}
}
