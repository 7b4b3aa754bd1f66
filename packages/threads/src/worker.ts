import { parentPort } from "node:worker_threads";
import { instantiate, type Kernels } from "@nigh/kernels";
import type { Reply, Request } from "./messages.ts";

/** The kernels over each arena that this worker has been given. */
const arenas = new Map<number, Kernels>();

const port = parentPort;
if (port === null) throw new Error("this module is the worker of @nigh/threads: create a pool instead of running it");

port.on("message", (request: Request) => {
	switch (request.type) {
		case "attach":
			arenas.set(request.arena, instantiate(request.memory, { engine: request.engine, shared: true }).kernels);
			return;
		case "detach":
			arenas.delete(request.arena);
			return;
		case "call":
			port.postMessage(call(request));
	}
});

function call({ arena, kernel, args }: Extract<Request, { type: "call" }>): Reply {
	try {
		const run = arenas.get(arena)?.[kernel] as ((...numbers: readonly number[]) => unknown) | undefined;
		if (run === undefined) throw new Error(`no kernel ${kernel} over arena ${arena}`);
		run(...args);
		return { type: "done" };
	} catch (error) {
		return { type: "failed", message: error instanceof Error ? error.message : String(error) };
	}
}
