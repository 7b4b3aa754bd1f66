import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { collectionName, positionalsOf } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { jsonText } from "../terminal/json.ts";
import { withProgress } from "../terminal/progress.ts";
import { bytesText, countText, durationText } from "../terminal/quantities.ts";
import type { Command } from "./command.ts";

const HELP = `nigh optimize: takes everything into the index, and gives up what was deleted

Usage: nigh optimize COLLECTION [options]

${dataHelp(12)}

Happens by itself, little by little, in a process that stays; this does it at
once, lays the graph out anew and writes a snapshot, so that opening is quick.
It can be stopped at any time: nothing is lost.

Examples
  nigh optimize notes
  nigh optimize notes --json`;

export const optimizeCommand: Command = {
	name: "optimize",
	summary: "takes everything into the index",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, DATA_OPTIONS);
		const [name = ""] = positionalsOf(parsed, "optimize", ["COLLECTION"]);
		const report = await withCollection(dataFolder(parsed), collectionName(name), "write", (collection) =>
			withProgress(terminal.errors, "indexing", (onProgress) => collection.optimize({ onProgress })),
		);
		if (parsed.has("json")) return terminal.print(jsonText({ collection: name, ...report }));
		const { index, vectors, removed, bytes, durationMs } = report;
		const space = bytes === null ? "" : `; ${bytesText(bytes.after)} on disk, ${bytesText(bytes.before)} before`;
		const gone = removed === 0 ? "" : `, ${countText(removed, "deleted one")} given up`;
		terminal.print(
			`${name}: ${countText(vectors, "vector")} in the index (${index})${gone}, in ${durationText(durationMs)}${space}.`,
		);
	},
};
