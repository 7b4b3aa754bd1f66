import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { JobOf, ResultOf, RoleName, Told } from "./roles.ts";
import type { OnStep } from "./run.ts";

const SCRIPT = fileURLToPath(new URL("./process.ts", import.meta.url));

/** Does a part of the work in a process of its own, whose memory can be told from that of the others. @throws Error with what it failed by. */
export function inProcess<R extends RoleName>(role: R, job: JobOf<R>, onStep: OnStep): Promise<ResultOf<R>> {
	const child = fork(SCRIPT, [role, JSON.stringify(job)], {
		execArgv: ["--conditions=@nigh/source"],
		// Standard output is the tables'.
		stdio: ["ignore", "ignore", "inherit", "ipc"],
	});
	const end = () => child.kill();
	process.once("exit", end);
	return new Promise((resolve, reject) => {
		let told: Told | undefined;
		child.on("message", (message) => {
			const now = message as Told;
			if ("step" in now) onStep(now.step);
			else told = now;
		});
		child.once("error", reject);
		child.once("close", (code, signal) => {
			process.off("exit", end);
			if (told !== undefined && "error" in told) reject(new Error(`the process to ${role} failed: ${told.error}`));
			else if (code !== 0) reject(new Error(`the process to ${role} ended with ${signal ?? `code ${code}`}`));
			// A role without a result tells none of it: JSON leaves it out.
			else resolve((told as { readonly result?: unknown } | undefined)?.result as ResultOf<R>);
		});
	});
}
