// A worker thread that sends a lifeline, tells how that went, and is then too busy to end by itself.
import { parentPort, workerData } from "node:worker_threads";
import { sendLifeline } from "./lifeline.ts";

const { thread, channel, isBusy } = workerData as { thread: number; channel: string; isBusy: boolean };
const keeping = setInterval(() => {}, 1_000);
await sendLifeline(thread, { channel, reader: "worker" }, () => {
	parentPort?.postMessage("the host has gone");
	clearInterval(keeping);
});
parentPort?.postMessage("sent");
// After the message has left.
if (isBusy) {
	setTimeout(() => {
		for (;;);
	}, 0);
}
