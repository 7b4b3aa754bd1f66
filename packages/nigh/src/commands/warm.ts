import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { collectionName, positionalsOf } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { jsonText } from "../terminal/json.ts";
import { withProgress } from "../terminal/progress.ts";
import { bytesText, durationText } from "../terminal/quantities.ts";
import type { Command } from "./command.ts";

const HELP = `nigh warm: reads the index of a collection once

Usage: nigh warm COLLECTION [options]

${dataHelp(12)}

What it has read is in the system's cache of files: a process that opens the
database next need not wait for the disk. Of an index with storage=disk the
vectors are read once as well, as far as the cache has room for them.

Examples
  nigh warm notes
  nigh warm notes --json`;

export const warmCommand: Command = {
	name: "warm",
	summary: "reads an index into the system's cache",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, DATA_OPTIONS);
		const [name = ""] = positionalsOf(parsed, "warm", ["COLLECTION"]);
		const start = performance.now();
		const { bytes, bytesRead } = await withCollection(dataFolder(parsed), collectionName(name), "read", (collection) =>
			withProgress(terminal.errors, "reading", (onProgress) => collection.warm({ onProgress })),
		);
		// Opening is what reads the disk.
		const durationMs = performance.now() - start;
		if (parsed.has("json"))
			terminal.print(jsonText({ collection: name, bytes, ...(bytesRead !== undefined && { bytesRead }), durationMs }));
		else terminal.print(`${name}: ${bytesText(bytes)}${ofFiles(bytesRead)} in ${durationText(durationMs)}.`);
	},
};

function ofFiles(bytesRead: number | undefined): string {
	return bytesRead === undefined ? "" : ` of memory and ${bytesText(bytesRead)} of vectors on disk`;
}
