import { randomUUID } from "node:crypto";
import { BroadcastChannel, type MessagePort } from "node:worker_threads";
import { checkOptions, type Database, NighError, type ShareHandle } from "@nigh/contract";
import { clockOf } from "../options.ts";
import { openReader } from "../records/connection.ts";
import { RecordReader } from "../records/reader.ts";
import { HeldState } from "../workers/held-state.ts";
import { longReads } from "../workers/long-reads.ts";
import { Caller } from "../workers/rpc.ts";
import { ChannelPort } from "./channel-port.ts";
import { hostGone, sendLifeline } from "./lifeline.ts";
import { localCalls } from "./local-calls.ts";
import type { EmbeddedShareHandle, HostMethods, HostNotes, ShareMessage } from "./messages.ts";
import { SharedDatabase } from "./shared-database.ts";

export interface SharedOptions {
	/**
	 * The clock: ms since 1970. Default: `Date.now`. A clock of the database's own cannot be posted to another thread; this one must agree with
	 * it, and with those of other threads, to within a second: what has expired is taken out of sight for all of them.
	 */
	readonly now?: () => number;
}

/**
 * Opens a database for reading in a worker thread, over the memory of the thread that has it open: nothing is loaded, and what is
 * acknowledged there is found here. `handle` is what `share()` gave there, posted to this thread.
 *
 * @example
 * // in the worker:
 * const db = await openShared(workerData.handle);
 * const notes = await db.collection("notes");
 *
 * @throws NighError `INVALID_OPTION` for something that is no handle, or options that it does not have; `NOT_FOUND` where the records have gone;
 * `CLOSED` where the database has been closed.
 */
export async function openShared(handle: ShareHandle, options: SharedOptions = {}): Promise<Database> {
	checkOptions(options, ["now"] satisfies (keyof SharedOptions)[], "openShared");
	const now = clockOf(options.now ?? Date.now);
	const { kind, channel: name, thread, records: path } = (handle ?? {}) as Partial<EmbeddedShareHandle>;
	if (kind !== "nigh-share" || typeof name !== "string" || typeof thread !== "number" || typeof path !== "string") {
		throw new NighError("INVALID_OPTION", "openShared takes what share() has given, posted to this thread.", {
			field: "handle",
		});
	}
	const connection = openReader(path);
	const records = new RecordReader(connection);
	const held = new HeldState(path);
	const channel = new BroadcastChannel(name);
	channel.unref();
	const reader = randomUUID();
	const port = new ChannelPort(channel, (message) => ({ from: reader, message }));
	channel.onmessage = (event) => {
		const message = (event as { data: ShareMessage }).data;
		if ("to" in message && message.to === reader) port.receive(message.message);
	};
	const host = new Caller<HostMethods>(port, { mayEnd: true });
	let lifeline: MessagePort | undefined;
	const database = new SharedDatabase(
		host,
		connection,
		{
			settings: { readOnly: true, create: false, durability: "full", threads: 1, pruneEveryMs: 0, now },
			records,
			view: "shared",
			threads: localCalls(host, longReads(records, held, "caller")),
		},
		() => {
			held.close();
			channel.close();
			lifeline?.close();
		},
	);
	const closed = () => {
		host.fail(hostGone());
		void database.close();
	};
	host.listen<HostNotes>({
		installed: (installed) => database.install(installed),
		served: (table) => database.served(table),
		closed,
	});
	// Nothing else may keep the thread going while it waits.
	channel.ref();
	try {
		lifeline = await sendLifeline(thread, { channel: name, reader }, closed);
		await host.call("greet", undefined);
	} catch (error) {
		await database.close();
		throw error;
	}
	channel.unref();
	return database;
}
