import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Runs `use` with a new folder in `data`, which is made where there is none; both are as before afterwards. */
export async function inWorkingFolder<T>(data: string, use: (folder: string) => Promise<T>): Promise<T> {
	const isNew = !existsSync(data);
	mkdirSync(data, { recursive: true });
	const folder = mkdtempSync(join(data, "nigh-bench-db-"));
	// A run that is ended from the keyboard must not leave gigabytes behind.
	const interrupted = () => {
		rmSync(folder, { recursive: true, force: true });
		process.exit(130);
	};
	process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
	try {
		return await use(folder);
	} finally {
		process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
		rmSync(folder, { recursive: true, force: true });
		if (isNew) removeIfEmpty(data);
	}
}

function removeIfEmpty(folder: string): void {
	try {
		rmdirSync(folder);
	} catch (error) {
		// Another run is using it.
		if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
	}
}
