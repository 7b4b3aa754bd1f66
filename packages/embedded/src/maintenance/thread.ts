import { Worker } from "node:worker_threads";
import { NighError } from "@nigh/contract";
import { Caller } from "../workers/rpc.ts";
import type { MaintenanceMethods, MaintenanceNotes } from "./messages.ts";

/** Methods that write nothing. */
const READING: ReadonlySet<keyof MaintenanceMethods> = new Set(["checkFiles", "checkRecords"]);

export interface ThreadOptions {
	readonly signal?: AbortSignal | undefined;
	/** Hears how many bytes more have been read. What it throws is ignored. */
	readonly advanced?: (bytes: number) => void;
}

/**
 * Calls a method in a thread that is there for this call alone: reading whole files would hold up whatever else a thread has to do.
 *
 * @throws NighError `ABORTED`, and what the method throws.
 */
export async function inThread<K extends keyof MaintenanceMethods & string>(
	method: K,
	argument: Parameters<MaintenanceMethods[K]>[0],
	{ signal, advanced }: ThreadOptions = {},
): Promise<Awaited<ReturnType<MaintenanceMethods[K]>>> {
	if (signal?.aborted) throw aborted(signal);
	// Compiled, the worker is .js; from source, Node runs the .ts as it is.
	const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
	const worker = new Worker(new URL(`./worker${ending}`, import.meta.url), { name: "nigh maintenance" });
	const caller = new Caller<MaintenanceMethods>(worker).listen<MaintenanceNotes>({
		advanced(bytes) {
			try {
				advanced?.(bytes);
			} catch {
				// That the signal has been raised is told below.
			}
		},
	});
	const abort = () => caller.fail(aborted(signal as AbortSignal));
	signal?.addEventListener("abort", abort, { once: true });
	try {
		return await caller.call(method, argument as never);
	} finally {
		signal?.removeEventListener("abort", abort);
		const ended = worker.terminate();
		// SQLite ends what it is doing first. Who only reads may be left to that; who writes must have ended before the lock is given up.
		if (!signal?.aborted || !READING.has(method)) await ended;
	}
}

function aborted({ reason }: AbortSignal): NighError {
	return new NighError("ABORTED", "the work was ended by its AbortSignal before it was done.", {}, { cause: reason });
}
