import { type ErrorCode, type ErrorDetails, isNighError, NighError } from "@nigh/contract";

/** What messages go over: a worker, a message port, or one connection of a channel. */
export interface Port {
	postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
	// biome-ignore lint/suspicious/noExplicitAny: what arrives is told apart by its fields.
	on(event: string, listener: (argument: any) => void): unknown;
	ref(): void;
	unref(): void;
}

/** What one thread asks of another: named methods with one argument each. */
// biome-ignore lint/suspicious/noExplicitAny: a table of methods of any argument and answer is what this is generic over.
export type Methods = { [method: string]: (argument: any) => any };

type Argument<M extends Methods, K extends keyof M> = Parameters<M[K]>[0];
type Answer<M extends Methods, K extends keyof M> = Awaited<ReturnType<M[K]>>;

interface Request {
	readonly request: number;
	readonly method: string;
	readonly argument: unknown;
}

/** An error as it crosses threads: structured cloning would lose the class and the code. */
export interface Failure {
	readonly code?: ErrorCode;
	readonly message: string;
	readonly details?: ErrorDetails;
	readonly stack?: string | undefined;
}

type Reply =
	| { readonly reply: number; readonly value: unknown }
	| { readonly reply: number; readonly failure: Failure };

type Note = { readonly note: string; readonly argument: unknown };

/** An answer whose buffers are handed over rather than copied. */
export class Transferred<T> {
	readonly value: T;
	readonly buffers: readonly ArrayBuffer[];

	constructor(value: T, buffers: readonly ArrayBuffer[]) {
		this.value = value;
		this.buffers = buffers;
	}
}

/** Methods as they are implemented: an answer may say what of it is handed over. */
export type Implementation<M extends Methods> = {
	[K in keyof M]: (
		argument: Argument<M, K>,
	) => Answer<M, K> | Transferred<Answer<M, K>> | Promise<Answer<M, K> | Transferred<Answer<M, K>>>;
};

/** Answers what arrives at a port, and tells the other side notes, in the order in which they are sent. */
export class Service<Notes extends Methods> {
	readonly #port: Port;

	constructor(port: Port) {
		this.#port = port;
	}

	serve<M extends Methods>(methods: Implementation<M>): this {
		this.#port.on("message", async (message: Request) => {
			if (message.request === undefined) return;
			const { request, method, argument } = message;
			try {
				const run = methods[method];
				if (run === undefined) throw new Error(`there is no method ${method}`);
				const answer = await run(argument);
				const isTransferred = answer instanceof Transferred;
				const value = isTransferred ? answer.value : answer;
				this.#port.postMessage(
					{ reply: request, value } satisfies Reply,
					isTransferred ? [...answer.buffers] : undefined,
				);
			} catch (error) {
				this.#port.postMessage({ reply: request, failure: failureOf(error) } satisfies Reply);
			}
		});
		return this;
	}

	tell<K extends keyof Notes & string>(note: K, argument: Argument<Notes, K>): void {
		this.#port.postMessage({ note, argument } satisfies Note);
	}
}

export interface CallerOptions {
	/** The port keeps the process alive only while calls are under way. Default: false. */
	readonly mayEnd?: boolean;
	/** What calls are refused with when the other side has ended, after an error or without. Default: that error, or `CLOSED`. */
	readonly ended?: (cause?: Error) => Error;
}

function hasEnded(cause?: Error): Error {
	return cause ?? new NighError("CLOSED", "the database's worker thread has ended: open it again");
}

/** The other side of a {@link Service}. */
export class Caller<M extends Methods> {
	readonly #port: Port;
	readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
	readonly #mayEnd: boolean;
	#next = 1;
	#failure: Error | undefined;

	constructor(port: Port, { mayEnd = false, ended = hasEnded }: CallerOptions = {}) {
		this.#port = port;
		this.#mayEnd = mayEnd;
		port.on("message", (message: Reply) => {
			if (message.reply !== undefined) this.#settle(message);
		});
		// A worker that ends leaves nobody waiting.
		port.on("error", (error: Error) => this.fail(ended(error)));
		port.on("exit", () => this.fail(ended()));
		// As a message port tells it.
		port.on("close", () => this.fail(ended()));
	}

	/** Why nothing is answered any more. */
	get failure(): Error | undefined {
		return this.#failure;
	}

	/** Calls a method; errors come back with their code. */
	call<K extends keyof M & string>(
		method: K,
		argument: Argument<M, K>,
		transfer?: readonly ArrayBuffer[],
	): Promise<Answer<M, K>> {
		if (this.#failure !== undefined) return Promise.reject(this.#failure);
		const request = this.#next++;
		return new Promise<Answer<M, K>>((resolve, reject) => {
			if (this.#mayEnd && this.#waiting.size === 0) this.#port.ref();
			this.#waiting.set(request, { resolve: resolve as (value: unknown) => void, reject });
			try {
				this.#port.postMessage(
					{ request, method, argument } satisfies Request,
					transfer === undefined ? undefined : [...transfer],
				);
			} catch (error) {
				this.#forget(request);
				throw error;
			}
		});
	}

	/** Listens to the notes of the other side. */
	listen<N extends Methods>(notes: { [K in keyof N]: (argument: Argument<N, K>) => void }): this {
		this.#port.on("message", (message: Note) => {
			if (message.note !== undefined) notes[message.note]?.(message.argument);
		});
		return this;
	}

	/** Ends every call that waits, and those to come. */
	fail(error: Error): void {
		this.#failure ??= error;
		for (const { reject } of this.#waiting.values()) reject(this.#failure);
		this.#waiting.clear();
		if (this.#mayEnd) this.#port.unref();
	}

	#settle(message: Reply): void {
		const waiting = this.#waiting.get(message.reply);
		if (waiting === undefined) return;
		this.#forget(message.reply);
		if ("failure" in message) waiting.reject(errorOf(message.failure));
		else waiting.resolve(message.value);
	}

	#forget(request: number): void {
		this.#waiting.delete(request);
		if (this.#mayEnd && this.#waiting.size === 0) this.#port.unref();
	}
}

/** What of an error goes through a port, as an answer or as a part of what is asked or told. */
export function failureOf(error: unknown): Failure {
	if (isNighError(error)) return { code: error.code, message: error.message, details: cloneable(error.details) };
	if (error instanceof Error) return { message: error.message, stack: error.stack };
	return { message: String(error) };
}

/** The error that {@link failureOf} was made of. */
export function errorOf({ code, message, details, stack }: Failure): Error {
	if (code !== undefined) return new NighError(code, message, details);
	const error = new Error(message);
	if (stack !== undefined) error.stack = stack;
	return error;
}

/** Details hold what the caller gave, which may be a function or a symbol. */
function cloneable(details: ErrorDetails): ErrorDetails {
	return Object.fromEntries(
		Object.entries(details).map(([name, value]) => {
			try {
				return [name, structuredClone(value)];
			} catch {
				return [name, String(value)];
			}
		}),
	);
}
