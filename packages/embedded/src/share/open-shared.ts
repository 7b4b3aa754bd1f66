import { randomUUID } from "node:crypto";
import { BroadcastChannel } from "node:worker_threads";
import { type Database, NighError, type ShareHandle } from "@nigh/contract";
import { openReader } from "../records/connection.ts";
import { RecordReader } from "../records/reader.ts";
import { longReads } from "../workers/long-reads.ts";
import { Caller } from "../workers/rpc.ts";
import { ChannelPort } from "./channel-port.ts";
import { localCalls } from "./local-calls.ts";
import type { EmbeddedShareHandle, HostMethods, HostNotes, ShareMessage } from "./messages.ts";
import { SharedDatabase } from "./shared-database.ts";

export interface SharedOptions {
	/** The clock: ms since 1970. Default: `Date.now`. A clock of the database's own cannot be posted to another thread. */
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
 * @throws NighError `INVALID_OPTION` for something that is no handle.
 */
export async function openShared(handle: ShareHandle, { now = Date.now }: SharedOptions = {}): Promise<Database> {
	const { kind, channel: name, records: path } = (handle ?? {}) as Partial<EmbeddedShareHandle>;
	if (kind !== "nigh-share" || name === undefined || path === undefined) {
		throw new NighError("INVALID_OPTION", "openShared takes what share() has given, posted to this thread.", {
			field: "handle",
		});
	}
	const connection = openReader(path);
	const records = new RecordReader(connection);
	const channel = new BroadcastChannel(name);
	channel.unref();
	const reader = randomUUID();
	const port = new ChannelPort(channel, (message) => ({ from: reader, message }));
	channel.onmessage = (event) => {
		const message = (event as { data: ShareMessage }).data;
		if ("to" in message && message.to === reader) port.receive(message.message);
	};
	const host = new Caller<HostMethods>(port, { mayEnd: true });
	const database = new SharedDatabase(
		host,
		connection,
		{
			settings: { readOnly: true, create: false, durability: "full", threads: 1, pruneEveryMs: 0, now },
			records,
			view: "shared",
			threads: localCalls(host, longReads(records, "caller")),
		},
		() => channel.close(),
	);
	host.listen<HostNotes>({
		installed: (installed) => database.install(installed),
		closed: () => {
			host.fail(new NighError("CLOSED", "the database that is shared has been closed"));
			void database.close();
		},
	});
	return database;
}
