import { asNighError } from "../records/sqlite-errors.ts";
import { turn } from "./turn.ts";

/** What a group of writes needs of the records. */
export interface Transactions {
	begin(): void;
	commit(): void;
	rollback(): void;
	savepoint(): void;
	release(): void;
	/** Throws where the whole transaction is gone: SQLite ends it by itself when the disk is full. */
	rollbackTo(): void;
}

/** One write: what it does to the records, and then to the memory that is searched. */
export interface Operation<T> {
	/** The collection it writes to: one that waits to be shown holds up no other. */
	readonly key?: number;
	/** Inside the transaction. What it throws undoes this operation and no other. */
	apply(): T;
	/** After the commit: makes it visible. The write is acknowledged when this has resolved. */
	show(result: T): Promise<void>;
}

/** What runs between two transactions. */
interface Interlude {
	readonly key: number | undefined;
	run(): Promise<unknown>;
}

/** Writes of one transaction at most: what is acknowledged together is also lost together where the commit fails. */
const MOST_TOGETHER = 1_024;

interface Waiting {
	readonly operation: Operation<unknown> | Interlude;
	readonly promise: Promise<unknown>;
	readonly resolve: (result: unknown) => void;
	readonly reject: (error: unknown) => void;
}

type Writing = Waiting & { readonly operation: Operation<unknown> };

/**
 * Group commit: what arrives while one transaction is being written makes up the next, so that a hundred callers share one flush to disk
 * instead of waiting for a hundred. What is committed of a collection is shown before more of it is; those of other collections go on meanwhile.
 */
export class GroupCommit {
	readonly #transactions: Transactions;
	#queue: Waiting[] = [];
	#isDraining = false;
	/** What has been asked for and has not been answered. */
	readonly #asked = new Set<Waiting>();
	/** What is being shown, by collection. */
	readonly #showing = new Map<number | undefined, Promise<void>>();
	/** Resolves when there may be something to do again. */
	#news: PromiseWithResolvers<void> | undefined;

	constructor(transactions: Transactions) {
		this.#transactions = transactions;
	}

	/** Resolves when the operation is on disk and visible. */
	run<T>(operation: Operation<T>): Promise<T> {
		return this.#enqueue(operation as unknown as Operation<unknown>) as Promise<T>;
	}

	/**
	 * Runs work in its turn, between two transactions: what was committed is visible, and nothing is committed until it has ended.
	 *
	 * @param key The collection it has to do with, where it is one.
	 */
	between<T>(work: () => Promise<T>, key?: number): Promise<T> {
		return this.#enqueue({ run: work, key }) as Promise<T>;
	}

	/** Waits for what has been asked for; with a key, for what has to do with that collection. */
	async settled(key?: number): Promise<void> {
		for (;;) {
			const asked = [...this.#asked].filter(
				({ operation }) => key === undefined || operation.key === undefined || operation.key === key,
			);
			if (asked.length === 0) return;
			await Promise.allSettled(asked.map(({ promise }) => promise));
		}
	}

	#enqueue(operation: Waiting["operation"]): Promise<unknown> {
		const waiting: Waiting = { operation, ...Promise.withResolvers<unknown>() };
		const { promise } = waiting;
		const forget = () => void this.#asked.delete(waiting);
		this.#asked.add(waiting);
		promise.then(forget, forget);
		this.#queue.push(waiting);
		this.#tellNews();
		if (!this.#isDraining) void this.#drain();
		return promise;
	}

	async #drain(): Promise<void> {
		this.#isDraining = true;
		// Whatever has arrived already comes along.
		await turn();
		while (this.#queue.length > 0) {
			const { operation, resolve, reject } = this.#queue[0] as Waiting;
			if (!("run" in operation)) {
				const group = this.#nextGroup();
				if (group.length > 0) this.#write(group);
				else await this.#hearNews();
			} else if (this.#showing.size > 0) await this.#hearNews();
			else {
				this.#queue.shift();
				await runNow(operation).then(resolve, reject);
			}
			await turn();
		}
		this.#isDraining = false;
	}

	#hearNews(): Promise<void> {
		this.#news ??= Promise.withResolvers<void>();
		return this.#news.promise;
	}

	#tellNews(): void {
		this.#news?.resolve();
		this.#news = undefined;
	}

	/** The operations up to the next interlude, without those of collections that are still being shown. */
	#nextGroup(): Writing[] {
		const interlude = this.#queue.findIndex(({ operation }) => "run" in operation);
		const end = interlude === -1 ? this.#queue.length : interlude;
		if (this.#showing.size === 0) return this.#queue.splice(0, Math.min(end, MOST_TOGETHER)) as Writing[];
		const group: Writing[] = [];
		const staying: Waiting[] = [];
		for (const waiting of this.#queue.slice(0, end) as Writing[]) {
			const mayGo = group.length < MOST_TOGETHER && !this.#showing.has(waiting.operation.key);
			(mayGo ? group : staying).push(waiting);
		}
		if (group.length > 0) this.#queue = staying.concat(this.#queue.slice(end));
		return group;
	}

	#write(group: readonly Writing[]): void {
		for (const [writing, result] of this.#commit(group)) this.#show(writing, result);
	}

	/** After what is being shown of the same collection. */
	#show({ operation, resolve, reject }: Writing, result: unknown): void {
		const { key } = operation;
		const shown = (this.#showing.get(key) ?? Promise.resolve())
			.then(() => operation.show(result))
			.then(() => resolve(result), reject)
			.then(() => {
				if (this.#showing.get(key) !== shown) return;
				this.#showing.delete(key);
				this.#tellNews();
			});
		this.#showing.set(key, shown);
	}

	/** Applies a group in one transaction; returns those that were committed, with their results. */
	#commit(group: readonly Writing[]): [Writing, unknown][] {
		const transactions = this.#transactions;
		const applied: [Writing, unknown][] = [];
		try {
			transactions.begin();
			for (const waiting of group) {
				transactions.savepoint();
				try {
					applied.push([waiting, waiting.operation.apply()]);
					transactions.release();
				} catch (error) {
					transactions.rollbackTo();
					waiting.reject(error);
				}
			}
			transactions.commit();
			return applied;
		} catch (error) {
			this.#undo();
			const failure = asNighError(error, "writing to the database");
			// Those that were refused already stay refused: a promise settles once.
			for (const { reject } of group) reject(failure);
			return [];
		}
	}

	#undo(): void {
		try {
			this.#transactions.rollback();
		} catch {
			// SQLite has rolled back by itself, as it does when the disk is full.
		}
	}
}

/** Async, so that what it throws at once is caught too. */
async function runNow(interlude: Interlude): Promise<unknown> {
	return interlude.run();
}
