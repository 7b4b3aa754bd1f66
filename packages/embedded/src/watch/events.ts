import { type Channel, channel } from "node:diagnostics_channel";
import { type ErrorCode, type IndexKind, isNighError, type RecallState, type SearchPlan } from "@nigh/contract";

/** What every message of an operation that succeeded tells. */
export interface OperationMessage {
	/** The collection's name. */
	readonly collection: string;
	readonly durationMs: number;
	/** Only an operation that failed has one. */
	readonly error?: undefined;
}

/** Why an operation failed; `UNCODED`: for a reason that is not Nigh's, such as what an embedder throws. */
export type FailureCode = ErrorCode | "UNCODED";

/** An operation that failed: what it was refused for, and after how long. It comes on the channel of the operation. */
export interface FailureMessage {
	readonly collection: string;
	readonly durationMs: number;
	readonly error: FailureCode;
}

/** A search, or one request of `searchMany`. */
export interface SearchMessage extends OperationMessage {
	readonly strategy: SearchPlan["strategy"];
	readonly k: number;
	readonly hits: number;
	/** Whether `timeoutMs` cut it short. */
	readonly cutShort: boolean;
	readonly recall: RecallState;
}

/** An `upsert` or an `update`, from the call to the acknowledgement. */
export interface UpsertMessage extends OperationMessage {
	/** Records written, and those of the batch that were refused. */
	readonly succeeded: number;
	readonly failed: number;
	/** Size of the vectors written, in bytes. */
	readonly bytes: number;
	readonly changeNumber: number;
}

export interface DeleteMessage extends OperationMessage {
	readonly deleted: number;
	readonly changeNumber: number;
}

/** The tail, or a part of it, was taken into the main index. */
export interface FoldMessage extends OperationMessage {
	readonly index: IndexKind;
	readonly vectors: number;
	/** Vectors left in the tail. */
	readonly tail: number;
}

/**
 * An index was compared with exact answers. The failure `MEMORY_LIMIT` says that there is no room to do so: nothing of the index is certified or watched until
 * there is. That is told once of each generation of the index.
 */
export interface CertifyMessage extends OperationMessage {
	/** Cells looked at, and those of them that are certified now. */
	readonly cells: number;
	readonly certified: number;
	/** Queries that were answered exactly to compare with. */
	readonly queries: number;
}

/** A search was answered again, exactly, to see whether the recall still holds. */
export interface AuditMessage extends OperationMessage {
	/** Share of the exact hits that the search had found, 0 to 1. */
	readonly recall: number;
	readonly target: number;
	/** Whether this is the one that has shown that the target is not kept any more: every certificate of its cell is void from here on. */
	readonly alarmed: boolean;
}

/** A snapshot of an index was written. */
export interface SnapshotMessage extends OperationMessage {
	readonly index: IndexKind;
	readonly bytes: number;
	readonly vectors: number;
	readonly changeNumber: number;
}

/** A collection was opened: from a snapshot and the changes after it, or from the records alone. */
export interface RecoverMessage extends OperationMessage {
	/** `snapshot`: its index was read. `records`: there was none that held, and the index is built anew. */
	readonly from: "snapshot" | "records";
	/** Snapshots whose checks failed. */
	readonly damaged: number;
	/** Changes applied after the snapshot, deletes included. */
	readonly changes: number;
	readonly vectors: number;
}

export interface PruneMessage extends OperationMessage {
	readonly expired: number;
	readonly tooOld: number;
	readonly tooMany: number;
	readonly changeNumber: number;
}

/** What is published on which channel of `node:diagnostics_channel`. Sizes are in bytes, durations in ms. */
export interface Events {
	readonly "nigh:search": SearchMessage | FailureMessage;
	readonly "nigh:upsert": UpsertMessage | FailureMessage;
	readonly "nigh:delete": DeleteMessage | FailureMessage;
	readonly "nigh:fold": FoldMessage | FailureMessage;
	readonly "nigh:certify": CertifyMessage | FailureMessage;
	readonly "nigh:audit": AuditMessage | FailureMessage;
	readonly "nigh:snapshot": SnapshotMessage | FailureMessage;
	readonly "nigh:recover": RecoverMessage | FailureMessage;
	/** Not for what `dryRun` only looks at. */
	readonly "nigh:prune": PruneMessage | FailureMessage;
}

export type EventName = keyof Events;

/** Node forgets a channel that nobody refers to or subscribes to, so they are kept here. */
const CHANNELS: Readonly<Record<EventName, Channel>> = {
	"nigh:search": channel("nigh:search"),
	"nigh:upsert": channel("nigh:upsert"),
	"nigh:delete": channel("nigh:delete"),
	"nigh:fold": channel("nigh:fold"),
	"nigh:certify": channel("nigh:certify"),
	"nigh:audit": channel("nigh:audit"),
	"nigh:snapshot": channel("nigh:snapshot"),
	"nigh:recover": channel("nigh:recover"),
	"nigh:prune": channel("nigh:prune"),
};

export const EVENT_NAMES = Object.keys(CHANNELS) as readonly EventName[];

type Listener = (message: unknown, name: string | symbol) => unknown;

const warned = new WeakSet<Listener>();

/**
 * Tells those who listen; without any, nothing is done and no message made. Listeners run before this returns. One that throws, or
 * whose promise is rejected, harms neither the operation nor the process: the first time it does, Node prints a warning
 * (`NighListenerWarning`).
 *
 * To be called on the thread that the program runs on: channels of different threads are not connected.
 *
 * @example
 * import { subscribe } from "node:diagnostics_channel";
 * subscribe("nigh:search", (message) => histogram.observe(message.durationMs));
 */
export function publish<N extends EventName>(name: N, message: () => Events[N]): void {
	const to = CHANNELS[name];
	if (!to.hasSubscribers) return;
	const listeners = listenersOf(to);
	const told = message();
	if (listeners === undefined) to.publish(told);
	else for (const listener of listeners) tell(listener, told, name);
}

/** Runs an operation of a collection; where it fails, tells so. What it says when it succeeds is its own affair. */
export function tellingFailure<T>(name: EventName, collection: string, operation: () => Promise<T>): Promise<T> {
	const start = performance.now();
	const call = operation();
	// The caller gets the failure from the call itself.
	call.catch((error: unknown) => publishFailure(name, collection, performance.now() - start, error));
	return call;
}

export function publishFailure(name: EventName, collection: string, durationMs: number, error: unknown): void {
	publish(name, () => ({ collection, durationMs, error: failureCode(error) }));
}

export function failureCode(error: unknown): FailureCode {
	return isNighError(error) ? error.code : "UNCODED";
}

/**
 * Node's own `publish` catches what a listener throws too, but throws it again on the next tick as an uncaught exception, which ends
 * the process; nothing public prevents that. So the listeners are called from here. They are in a field of the channel that Node does not
 * document: where it is not there, Node's `publish` is called.
 */
function listenersOf(to: Channel): readonly Listener[] | undefined {
	const { _subscribers: listeners } = to as { readonly _subscribers?: readonly Listener[] };
	return Array.isArray(listeners) ? listeners.slice() : undefined;
}

function tell(listener: Listener, message: unknown, name: EventName): void {
	try {
		const answer = listener(message, name);
		if (answer instanceof Promise) answer.catch((error) => warn(listener, name, error));
	} catch (error) {
		warn(listener, name, error);
	}
}

function warn(listener: Listener, name: EventName, error: unknown): void {
	if (warned.has(listener)) return;
	warned.add(listener);
	process.emitWarning(`A listener on ${name} failed: ${describe(error)}`, { type: "NighListenerWarning" });
}

function describe(error: unknown): string {
	return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
