// The worker thread that does what takes long without writing.
import { parentPort, workerData } from "node:worker_threads";
import { openReader } from "../records/connection.ts";
import { RecordReader } from "../records/reader.ts";
import { collectGarbageSoon } from "./collect-garbage.ts";
import { HeldState } from "./held-state.ts";
import { longReads } from "./long-reads.ts";
import type { ReaderMethods, WorkerData } from "./messages.ts";
import { Service } from "./rpc.ts";

const port = parentPort;
if (port === null) throw new Error("this module is a worker of @nigh/embedded");
const { records } = workerData as WorkerData;
const methods = longReads(new RecordReader(openReader(records)), new HeldState(records), "worker");
new Service(port).serve<ReaderMethods>({
	...methods,
	attach(installed) {
		methods.attach(installed);
		collectGarbageSoon();
	},
});
