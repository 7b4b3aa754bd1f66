import { resolve } from "node:path";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { positionalsOf } from "../database/typed.ts";
import { withDatabase } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { withProgress } from "../terminal/progress.ts";
import { countText } from "../terminal/quantities.ts";
import type { Command } from "./command.ts";

const HELP = `nigh restore: takes the collections of a backup into a database, which is made if need be

Usage: nigh restore SOURCE [options]

  SOURCE        what nigh backup has written: a folder or a .tar.gz file
${dataHelp(14)}
  --overwrite   replace collections of the same names; without it nothing is restored where there is one

Examples
  nigh restore ./notes-backup --data ./notes
  nigh restore notes.tar.gz --overwrite --json`;

export const restoreCommand: Command = {
	name: "restore",
	summary: "takes a backup in",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, overwrite: "flag" });
		const [source = ""] = positionalsOf(parsed, "restore", ["SOURCE"]);
		const report = await interruptible((signal) =>
			withDatabase(dataFolder(parsed), "create", (database) =>
				withProgress(terminal.errors, "restoring", (onProgress) =>
					database.restore(resolve(source), { overwrite: parsed.has("overwrite"), onProgress, signal }),
				),
			),
		);
		if (parsed.has("json")) return terminal.print(jsonText(report));
		const { collections, records } = report;
		terminal.print(`${countText(records, "record")} restored, of ${collections.join(", ") || "no collection"}.`);
	},
};
