import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { isNighError, NighError } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { positionalsOf } from "../database/typed.ts";
import { withDatabase } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { withProgress } from "../terminal/progress.ts";
import { countText } from "../terminal/quantities.ts";
import type { Command } from "./command.ts";

const HELP = `nigh restore: takes a backup into a database, which is made if need be

Usage: nigh restore SOURCE [options]

  SOURCE        what nigh backup has written: a folder or a .tar.gz file
${dataHelp(14)}
  --overwrite   replace collections of the same names; without it nothing is
                restored where there is one

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
		// Before the database, which is made if need be.
		if (!existsSync(source)) {
			throw new NighError("NOT_FOUND", `There is no backup ${source}: no such file or folder.`, { path: source });
		}
		const report = await interruptible((signal) =>
			withDatabase(dataFolder(parsed), "create", (database) =>
				withProgress(terminal.errors, "restoring", (onProgress) =>
					database.restore(resolve(source), { overwrite: parsed.has("overwrite"), onProgress, signal }),
				),
			),
		).catch((error: unknown) => {
			throw areThere(error);
		});
		if (parsed.has("json")) return terminal.print(jsonText(report));
		const { collections, records } = report;
		terminal.print(`${countText(records, "record")} restored, of ${collections.join(", ") || "no collection"}.`);
	},
};

/** What is in the way, in the words of the command line; every other error as it is. */
function areThere(error: unknown): unknown {
	if (!isNighError(error, "SPEC_CONFLICT") || error.details.field !== "overwrite") return error;
	const names = (error.details.value as readonly string[]).join(", ");
	const message = `The database has ${names} already, and nothing was restored: replace what is there with --overwrite, or delete it first (nigh drop).`;
	return new NighError(error.code, message, error.details, { cause: error });
}
