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

interface Known {
	readonly name: string;
	spec: ExaminedSpec;
	/** The generation that serves, and that which the thread has been told of; -1: none. */
	generation: number;
	attached: number;
	/** Resolves when it has been told. */
	attaching: Promise<void>;
}

/** Where a generation has room for the examiner. */
export type AreaFor = (key: number, generation: number) => Promise<Pick<Attachment, "generation" | "area">>;

/**
 * The examiner, started by the first call that asks it something: a program that only writes, or searches a little, never needs it. It is told of a
 * collection before the first call that is about it, and from then on of each generation that takes over.
 */
export class ExaminerThread implements Calling<ExaminerMethods> {
	readonly #start: () => Worker;
	readonly #areaFor: AreaFor;
	readonly #notes: ExaminerNoteHandlers;
	readonly #known = new Map<number, Known>();
	#worker: Worker | undefined;
	#caller: Caller<ExaminerMethods> | undefined;
	#failure: Error | undefined;

	constructor(start: () => Worker, areaFor: AreaFor, notes: ExaminerNoteHandlers) {
		this.#start = start;
		this.#areaFor = areaFor;
		this.#notes = notes;
	}

	get failure(): Error | undefined {
		return this.#failure ?? this.#caller?.failure;
	}

	/** A generation serves from now on. One without an index needs no examiner. */
	install({ key, generation }: Installed, as: ExaminedAs): void {
		if (generation.identity === undefined) return;
		const known = this.#known.get(key);
		if (known === undefined) {
			const { name, spec } = as;
			this.#known.set(key, {
				name,
				spec: examinedSpec(spec),
				generation: generation.number,
				attached: -1,
				attaching: Promise.resolve(),
			});
			return;
		}
		known.generation = generation.number;
		if (known.attached >= 0) this.#attach(key, known).catch(() => {});
	}

	/** Another recall may be asked for from now on, or queries may not be kept any more. */
	respec(key: number, spec: ExaminedSpec): void {
		const known = this.#known.get(key);
		if (known === undefined) return;
		known.spec = examinedSpec(spec);
		// Also where it does not run yet: what was logged before must not stay on disk.
		if (known.attached >= 0 || !known.spec.logQueries) this.call("respec", { key, spec: known.spec }).catch(() => {});
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
		if (this.#failure !== undefined) return Promise.reject(this.#failure);
		this.#caller ??= this.#begin();
		const caller = this.#caller;
		const key = typeof argument === "object" ? (argument as { readonly key?: number } | null)?.key : undefined;
		const known = key === undefined ? undefined : this.#known.get(key);
		// Of an index that is built nothing is known here. Where another serves, what is known of that one comes first.
		if (known === undefined) return caller.call(method, argument, transfer);
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
		known.attached = known.generation;
		const attaching = this.#areaFor(key, known.generation)
			.then(async ({ generation, area }) => {
				known.attached = Math.max(known.attached, generation.number);
				await this.#caller?.call("attach", { key, name: known.name, spec: known.spec, generation, area });
			})
			.catch((error) => {
				// The next call tries again.
				if (known.attaching === attaching) known.attached = -1;
				throw error;
			});
		known.attaching = attaching;
		return attaching;
	}

	#begin(): Caller<ExaminerMethods> {
		this.#worker = this.#start();
		return new Caller<ExaminerMethods>(this.#worker, {
			mayEnd: true,
			ended: endedThread("examiner"),
		}).listen<ExaminerNotes>(this.#notes);
	}
}

/** Of a spec, what crosses threads. */
function examinedSpec({ recall, logQueries }: ExaminedSpec): ExaminedSpec {
	return { recall, logQueries };
}
