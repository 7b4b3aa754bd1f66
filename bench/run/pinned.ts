import { existsSync, readFileSync } from "node:fs";

const TASKSET = "/usr/bin/taskset";

/** The words before a command that pin it to the last core this process may use; none where the system cannot pin. */
export function pinned(): string[] {
	if (process.platform !== "linux" || !existsSync(TASKSET)) return [];
	const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
	const last = allowed?.split(/[,-]/).at(-1);
	return last === undefined ? [] : [TASKSET, "-c", last];
}
