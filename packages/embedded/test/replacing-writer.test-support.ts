import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";

/** Another process that writes version after version of the same records until it is told to stop, or the test ends. */
export async function replacingWriter(t: TestContext, folder: string): Promise<ChildProcess> {
	const writer = fork(new URL("./torture/replacing-writer.ts", import.meta.url), [folder], {
		execArgv: ["--conditions=@nigh/source"],
	});
	t.after(() => writer.kill("SIGKILL"));
	await once(writer, "message");
	return writer;
}
