import { parentPort, workerData } from "node:worker_threads";
import { type RunSize, runTask, type Task, type TaskResult } from "./task.ts";

/** What a thread tells. */
export type FromThread =
	| { readonly type: "progress"; readonly text: string }
	| { readonly type: "done"; readonly result: TaskResult }
	| { readonly type: "failed"; readonly message: string };

const port = parentPort;
if (port === null) throw new Error("thread.ts is the beginning of a worker thread");
const size = workerData as RunSize;
const tell = (message: FromThread) => port.postMessage(message);

port.on("message", (task: Task) => {
	runTask(task, size, (text) => tell({ type: "progress", text })).then(
		(result) => tell({ type: "done", result }),
		(error: unknown) =>
			tell({ type: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
	);
});
