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
	/** Inside the transaction. What it throws undoes this operation and no other. */
	apply(): T;
	/** After the commit: makes it visible. The write is acknowledged when this has resolved. */
	show(result: T): Promise<void>;
}

/** What runs between two transactions. */
interface Interlude {
	run(): Promise<unknown>;
}

/** Writes of one transaction at most: what is acknowledged together is also lost together where the commit fails. */
const MOST_TOGETHER = 1_024;

interface Waiting {
	readonly operation: Operation<unknown> | Interlude;
	readonly resolve: (result: unknown) => void;
	readonly reject: (error: unknown) => void;
}

type Writing = Waiting & { readonly operation: Operation<unknown> };

/**
 * Group commit: what arrives while one transaction is being written makes up the next, so that a hundred callers share one flush to disk
 * instead of waiting for a hundred.
 */
export class GroupCommit {
	readonly #transactions: Transactions;
	readonly #queue: Waiting[] = [];
	#running: Promise<void> | undefined;

	constructor(transactions: Transactions) {
		this.#transactions = transactions;
	}

	/** Resolves when the operation is on disk and visible. */
	run<T>(operation: Operation<T>): Promise<T> {
		return this.#enqueue(operation as unknown as Operation<unknown>) as Promise<T>;
	}

	/** Runs work in its turn, between two transactions: what was committed is visible, and nothing is committed until it has ended. */
	between<T>(work: () => Promise<T>): Promise<T> {
		return this.#enqueue({ run: work }) as Promise<T>;
	}

	/** Waits for what has been asked for. */
	async settled(): Promise<void> {
		while (this.#running !== undefined) await this.#running;
	}

	#enqueue(operation: Waiting["operation"]): Promise<unknown> {
		return new Promise((resolve, reject) => {
			this.#queue.push({ operation, resolve, reject });
			this.#running ??= this.#drain();
		});
	}

	async #drain(): Promise<void> {
		// Whatever has arrived already comes along.
		await turn();
		while (this.#queue.length > 0) {
			const first = this.#queue[0] as Waiting;
			if ("run" in first.operation) {
				this.#queue.shift();
				await runNow(first.operation).then(first.resolve, first.reject);
			} else await this.#write(this.#nextGroup());
			await turn();
		}
		this.#running = undefined;
	}

	/** The operations up to the next interlude. */
	#nextGroup(): Writing[] {
		const end = this.#queue.findIndex(({ operation }) => "run" in operation);
		return this.#queue.splice(0, end === -1 ? MOST_TOGETHER : Math.min(end, MOST_TOGETHER)) as Writing[];
	}

	async #write(group: readonly Writing[]): Promise<void> {
		for (const [{ operation, resolve, reject }, result] of this.#commit(group)) {
			try {
				await operation.show(result);
				resolve(result);
			} catch (error) {
				reject(error);
			}
		}
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
