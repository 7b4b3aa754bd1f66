import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** An empty folder, gone after the test. Its name has a space and a quote in it. */
export function testFolder(t: TestContext): string {
	const folder = realpathSync(mkdtempSync(join(tmpdir(), "nigh it's a test ")));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

export interface Child {
	readonly process: ChildProcess;
	/** The next line that it writes. */
	line(): Promise<string>;
	/** Ends its input, after which it ends by itself. */
	end(): Promise<void>;
	kill(): Promise<void>;
}

/** Runs a module of this folder in a process of its own, which is killed after the test if it still runs. */
export function runChild(t: TestContext, module: string, ...args: string[]): Child {
	const path = fileURLToPath(new URL(module, import.meta.url));
	const child = spawn(process.execPath, ["--conditions=@nigh/source", "--expose-gc", path, ...args], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const exit = once(child, "exit");
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	t.after(() => child.kill("SIGKILL"));
	return {
		process: child,
		async line() {
			const { value, done } = await lines.next();
			if (done) throw new Error(`${module} ended without another line.`);
			return value;
		},
		async end() {
			child.stdin.end();
			await exit;
		},
		async kill() {
			child.kill("SIGKILL");
			await exit;
		},
	};
}
