import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { RecallStatement, SearchPlan, SearchRequest } from "@nigh/contract";
import type { Asked } from "./search-on-request.test-support.ts";

/** A process of its own that reads a collection. */
export interface ReadingProcess {
	readonly pid: number;
	refresh(): Promise<void>;
	search(
		request: SearchRequest,
	): Promise<{ readonly ids: readonly string[]; readonly plan: SearchPlan; readonly recall: RecallStatement }>;
	end(): Promise<void>;
}

export async function readingProcess(folder: string, collection: string): Promise<ReadingProcess> {
	const path = fileURLToPath(new URL("./search-on-request.test-support.ts", import.meta.url));
	const child = fork(path, [folder, collection], { execArgv: ["--conditions=@nigh/source"] });
	const ended = once(child, "exit").then(([code]) => {
		throw new Error(`the reading process ended with ${code}`);
	});
	ended.catch(() => {});
	const answer = async (asked?: Asked) => {
		if (asked !== undefined) child.send(asked);
		const [answered] = await Promise.race([once(child, "message"), ended]);
		return answered;
	};
	await answer();
	return {
		pid: child.pid as number,
		refresh: () => answer({ refresh: true }),
		search: (request) => answer({ search: request }),
		async end() {
			if (child.connected) child.disconnect();
			await ended.catch(() => {});
		},
	};
}
