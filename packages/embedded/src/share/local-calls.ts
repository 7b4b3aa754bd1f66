import { NighError } from "@nigh/contract";
import type { Calls } from "../threads.ts";
import type { ReaderMethods } from "../workers/messages.ts";
import { type Caller, type Implementation, Transferred } from "../workers/rpc.ts";
import type { HostMethods } from "./messages.ts";

/** The calls of a thread that shares a database: long reads are its own affair, the index belongs to the host, and nothing is written. */
export function localCalls(host: Caller<HostMethods>, reads: Implementation<ReaderMethods>): Calls {
	return {
		reader: {
			async call(method, argument) {
				const answer = await reads[method](argument as never);
				return (answer instanceof Transferred ? answer.value : answer) as never;
			},
		},
		indexer: {
			call(method, argument) {
				if (method === "state" || method === "memory" || method === "analyze")
					return host.call(method, argument as never) as never;
				return Promise.reject(readOnly());
			},
		},
		writer: { call: () => Promise.reject(readOnly()) },
		// What searches find is examined where they are written; what was found out is told to this thread.
		examiner: { call: () => Promise.reject(readOnly()) },
	};
}

function readOnly(): NighError {
	return new NighError("READ_ONLY", "this thread only reads: write in the thread that has opened the database.");
}
