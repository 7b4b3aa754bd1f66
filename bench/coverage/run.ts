import { Worker } from "node:worker_threads";
import type { RunSize, Task, TaskResult } from "./task.ts";
import type { FromThread } from "./thread.ts";

export interface RunOptions {
	readonly threads: number;
	readonly size: RunSize;
	/** Lines for people: what begins, how far it is, what is done. */
	readonly onStep: (text: string) => void;
}

/**
 * Does the tasks in their order, each thread one at a time. Results stand in the order of the tasks.
 *
 * @throws Error what a task has failed with; the others are given up.
 */
export async function runTasks(tasks: readonly Task[], { threads, size, onStep }: RunOptions): Promise<TaskResult[]> {
	const results: TaskResult[] = [];
	const workers = Array.from(
		{ length: Math.min(threads, tasks.length) },
		() => new Worker(new URL("./thread.ts", import.meta.url), { workerData: size }),
	);
	let [next, done] = [0, 0];
	const started = performance.now();
	const drain = async (worker: Worker) => {
		while (next < tasks.length) {
			const at = next++;
			const name = taskName(tasks[at] as Task);
			results[at] = await doTask(worker, tasks[at] as Task, (text) => onStep(`${name}: ${text}`));
			done++;
			const minutes = (performance.now() - started) / 60_000;
			onStep(`${name}: done (${done} of ${tasks.length}, ${minutes.toFixed(1)} min)`);
		}
	};
	try {
		await Promise.all(workers.map(drain));
	} finally {
		await Promise.all(workers.map((worker) => worker.terminate()));
	}
	return results;
}

function doTask(worker: Worker, task: Task, onProgress: (text: string) => void): Promise<TaskResult> {
	return new Promise((resolve, reject) => {
		const settle = (take: () => void) => {
			worker.off("message", onMessage);
			worker.off("error", onError);
			take();
		};
		const onError = (error: Error) => settle(() => reject(error));
		const onMessage = (message: FromThread) => {
			if (message.type === "progress") onProgress(message.text);
			else if (message.type === "done") settle(() => resolve(message.result));
			else settle(() => reject(new Error(`${taskName(task)}: ${message.message}`)));
		};
		worker.on("message", onMessage);
		worker.on("error", onError);
		worker.postMessage(task);
	});
}

export function taskName(task: Task): string {
	if (task.type === "collection") return task.collection.name;
	if (task.type === "end-to-end") return `end to end, seeds ${task.seeds[0]} to ${task.seeds.at(-1)}`;
	if (task.type === "planted") return `planted "${task.name}" at ${task.target}`;
	return `power of ${task.power.shape} at ${task.power.target}, truth ${task.power.truth}`;
}
