import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** The paths that are flushed to disk while `act` runs. */
export function flushedBy(act: () => void): string[] {
	const { openSync, fsyncSync } = fs;
	const paths = new Map<number, string>();
	const flushed: string[] = [];
	fs.openSync = (...given) => {
		const file = openSync(...given);
		paths.set(file, String(given[0]));
		return file;
	};
	fs.fsyncSync = (file) => {
		flushed.push(paths.get(file) ?? "");
		fsyncSync(file);
	};
	syncBuiltinESMExports();
	try {
		act();
	} finally {
		Object.assign(fs, { openSync, fsyncSync });
		syncBuiltinESMExports();
	}
	return flushed;
}
