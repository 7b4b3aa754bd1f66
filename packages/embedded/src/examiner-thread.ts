import type { Worker } from "node:worker_threads";
import type { Attachment, ExaminedSpec, ExaminerMethods, ExaminerNotes } from "./examiner/messages.ts";
import type { Calling } from "./threads.ts";
import { endedThread } from "./workers/ended-thread.ts";
import type { Installed } from "./workers/messages.ts";
import { Caller } from "./workers/rpc.ts";

/** What the examiner is told of a collection. */
export interface ExaminedAs {
	readonly name: string;
	readonly spec: ExaminedSpec;
}

export type ExaminerNoteHandlers = { readonly [K in keyof ExaminerNotes]: ExaminerNotes[K] };

/** In place of the number of a generation. */
const NONE = -1;

interface Known {
	readonly name: string;
	spec: ExaminedSpec;
	/** The generation that serves, {@link NONE} where it has no index; and that which the thread has been told of. */
	generation: number;
	attached: number;
	/** Resolves when it has been told, of that or that there is none any more. */
	attaching: Promise<void>;
}

/** Where a generation has room for the examiner. */
export type AreaFor = (key: number, generation: number) => Promise<Pick<Attachment, "generation" | "area">>;

export interface ExaminerThreadOptions {
	/** Starts the worker. */
	readonly start: () => Worker;
	readonly areaFor: AreaFor;
	readonly notes: ExaminerNoteHandlers;
	/** Whether what was found out is another process's to write down and to remove. */
	readonly readOnly: boolean;
}

/**
 * The examiner, started by the first call that asks it something: the first search of an index, or an index that is being built and large enough to have
 * vectors held out; a program whose collections are small and compared one by one never needs it. It is told of a collection before the first call that is
 * about it, and from then on of each generation that takes over.
 */
export class ExaminerThread implements Calling<ExaminerMethods> {
	readonly #options: ExaminerThreadOptions;
	readonly #known = new Map<number, Known>();
	#worker: Worker | undefined;
	#caller: Caller<ExaminerMethods> | undefined;
	#failure: Error | undefined;

	constructor(options: ExaminerThreadOptions) {
		this.#options = options;
	}

	get failure(): Error | undefined {
		return this.#failure ?? this.#caller?.failure;
	}

	/** A generation serves from now on. One without an index needs no examiner, which lets go of the one before. */
	install({ key, generation: { number, identity } }: Installed, { name, spec }: ExaminedAs): void {
		const generation = identity === undefined ? NONE : number;
		const known = this.#known.get(key);
		if (known === undefined) {
			const attaching = Promise.resolve();
			this.#known.set(key, { name, spec: examinedSpec(spec), generation, attached: NONE, attaching });
			return;
		}
		known.generation = generation;
		if (generation === NONE) this.#letGo(key, known);
		else if (known.attached >= 0) this.#attach(key, known).catch(() => {});
	}

	/** Another recall may be asked for from now on, or queries may not be kept any more. */
	respec(key: number, spec: ExaminedSpec): void {
		const known = this.#known.get(key);
		if (known === undefined) return;
		known.spec = examinedSpec(spec);
		const { logQueries } = spec;
		if (known.generation !== NONE) {
			// Also where it does not run yet: what was logged before must not stay on disk.
			if (known.attached >= 0 || !logQueries) this.call("respec", { key, spec: known.spec }).catch(() => {});
			return;
		}
		// What there is on disk is of an index that there was: nothing else of it will be wanted either.
		if (!logQueries && !this.#options.readOnly) this.call("drop", key).catch(() => {});
	}

	/**
	 * The collection is closed, or gone with all that was known of it.
	 *
	 * @param tuned What searches have taught its tuner, to be written down.
	 */
	async forget(key: number, isGone = false, tuned?: unknown): Promise<void> {
		const known = this.#known.get(key);
		if (this.#caller !== undefined && tuned !== undefined)
			await this.call("tuned", { key, state: tuned }).catch(() => {});
		this.#known.delete(key);
		if (this.#caller === undefined || this.failure !== undefined) return;
		await known?.attaching.catch(() => {});
		await this.#caller.call(isGone ? "drop" : "detach", key).catch(() => {});
	}

	call: Calling<ExaminerMethods>["call"] = (method, argument, transfer) => {
		const caller = this.#caller ?? this.#begin();
		if (this.#failure !== undefined || caller === undefined) return Promise.reject(this.#failure);
		const key = typeof argument === "object" ? (argument as { readonly key?: number } | null)?.key : undefined;
		const known = key === undefined ? undefined : this.#known.get(key);
		// Of an index that is built nothing is known here. Where another serves, what is known of that one comes first.
		if (known === undefined || known.generation === NONE) return caller.call(method, argument, transfer);
		return this.#attach(key as number, known).then(() => caller.call(method, argument, transfer));
	};

	/** Ends every call that waits, and those to come. */
	fail(error: Error): void {
		this.#failure ??= error;
		this.#caller?.fail(error);
	}

	async terminate(): Promise<void> {
		await this.#worker?.terminate();
	}

	#attach(key: number, known: Known): Promise<void> {
		if (known.attached >= known.generation) return known.attaching;
		const least = known.generation;
		known.attached = least;
		const attaching = known.attaching
			.catch(() => {})
			.then(() => this.#options.areaFor(key, least))
			.then(async ({ generation, area }) => {
				if (known.generation === NONE) return;
				known.attached = Math.max(known.attached, generation.number);
				await this.#caller?.call("attach", { key, name: known.name, spec: known.spec, generation, area });
			})
			.catch((error) => {
				// The next call tries again.
				if (known.attaching === attaching) known.attached = NONE;
				throw error;
			});
		known.attaching = attaching;
		return attaching;
	}

	/** Has the thread let go of an index that serves no more, once it has been told of it: its memory lives for as long. */
	#letGo(key: number, known: Known): void {
		known.attached = NONE;
		const caller = this.#caller;
		if (caller === undefined) return;
		known.attaching = known.attaching
			.catch(() => {})
			.then(() => caller.call("detach", key))
			// It has ended, and with it what it had.
			.catch(() => {});
	}

	/** `undefined` where it cannot be started: then {@link failure} says why. It keeps the process alive while calls are under way, and not before. */
	#begin(): Caller<ExaminerMethods> | undefined {
		if (this.#failure !== undefined) return undefined;
		const ended = endedThread("examiner");
		try {
			this.#worker = this.#options.start();
		} catch (cause) {
			this.#failure = ended(cause as Error);
			return undefined;
		}
		this.#caller = new Caller<ExaminerMethods>(this.#worker, { mayEnd: true, ended });
		this.#caller.listen<ExaminerNotes>(this.#options.notes);
		this.#worker.unref();
		return this.#caller;
	}
}

/** Of a spec, what crosses threads. */
function examinedSpec({ recall, logQueries }: ExaminedSpec): ExaminedSpec {
	return { recall, logQueries };
}
