import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { type BuildAnswer, type Job, jobArguments, type SearchAnswer } from "../engines/protocol.ts";
import type { EngineEntry } from "../engines/registry.ts";
import { type Setting, settingWord } from "../engines/setting.ts";
import { pinned } from "./pinned.ts";

/** Libraries that would otherwise start as many threads as there are cores. */
const ONE_THREAD = {
	OMP_NUM_THREADS: "1",
	OPENBLAS_NUM_THREADS: "1",
	RAYON_NUM_THREADS: "1",
	TOKIO_WORKER_THREADS: "1",
	UV_THREADPOOL_SIZE: "1",
};

/** What a pass over the queries gave. */
export interface Pass {
	readonly seconds: number;
	/** count x k labels, nearest first; -1 where there is none. */
	readonly labels: Int32Array;
	/** Microseconds of each query. */
	readonly times: Float32Array;
}

/** An engine that runs: one process, pinned to the last core where the system can pin (Linux's taskset). */
export class EngineProcess {
	readonly #child: ChildProcess;
	readonly #answers: AsyncIterator<string>;
	readonly #job: Job;
	readonly #out: string;
	readonly #ended: Promise<unknown>;
	#complaints = "";

	constructor(entry: EngineEntry, job: Job, out: string) {
		const [program, ...args] = [...pinned(), ...entry.command, ...jobArguments(job)] as [string, ...string[]];
		this.#child = spawn(program, args, { env: { ...process.env, ...ONE_THREAD }, stdio: ["pipe", "pipe", "pipe"] });
		this.#ended = new Promise((resolve) => this.#child.once("close", resolve));
		this.#child.on("error", (error) => {
			this.#complaints += error.message;
		});
		this.#child.stderr?.on("data", (text) => {
			this.#complaints = (this.#complaints + text).slice(-2_000);
		});
		// A process that is gone answers with the end of its output; what it complained of is said there.
		this.#child.stdin?.on("error", () => {});
		if (this.#child.stdout === null) throw new Error("the engine has no output");
		this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
		this.#job = job;
		this.#out = out;
	}

	build(): Promise<BuildAnswer> {
		return this.#ask("build");
	}

	async search(setting: Setting, count: number): Promise<Pass> {
		rmSync(this.#out, { force: true });
		const { seconds } = await this.#ask<SearchAnswer>(`search ${settingWord(setting)} ${count} ${this.#out}`);
		const bytes = readFileSync(this.#out);
		const expected = count * (this.#job.k + 1) * 4;
		if (bytes.length !== expected) throw new Error(`it wrote ${bytes.length} bytes of answers instead of ${expected}`);
		const cut = bytes.byteOffset + count * this.#job.k * 4;
		return {
			seconds,
			labels: new Int32Array(bytes.buffer.slice(bytes.byteOffset, cut)),
			times: new Float32Array(bytes.buffer.slice(cut, cut + count * 4)),
		};
	}

	/** Ends the process and waits for its end. */
	async close(): Promise<void> {
		if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
		this.#child.stdin?.end();
		await this.#ended;
	}

	async #ask<T>(line: string): Promise<T> {
		this.#child.stdin?.write(`${line}\n`);
		for (;;) {
			const { value, done } = await this.#answers.next();
			if (done) {
				// Its complaints come by another pipe, which is read to its end by then.
				await this.#ended;
				throw new Error(`it ended without an answer to "${line}". ${this.#complaints.trim()}`);
			}
			// Libraries print, too.
			if (!value.startsWith("{")) continue;
			const answer = JSON.parse(value);
			if (answer.error !== undefined) throw new Error(`${answer.error}`);
			return answer as T;
		}
	}
}
