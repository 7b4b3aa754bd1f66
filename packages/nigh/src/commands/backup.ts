import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { BOUNDS, NighError } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { positionalsOf } from "../database/typed.ts";
import { withDatabase } from "../database/with-database.ts";
import { parseArguments, wholeNumber } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { withProgress } from "../terminal/progress.ts";
import { bytesText, countText } from "../terminal/quantities.ts";
import type { Command } from "./command.ts";

const HELP = `nigh backup: writes a consistent copy of a database while it stays in use

Usage: nigh backup DEST [options]

  DEST        a folder, or a .tar.gz file, that is not there yet; with --keep,
              a folder of backups
${dataHelp(12)}
  --gzip      write one .tar.gz file; default: when DEST ends in .tar.gz
  --keep N    write a backup named by its time into DEST, and keep the newest N
              (${BOUNDS.backups.min} to ${BOUNDS.backups.max}) only

The copy is there in full under its name, or not at all.

Examples
  nigh backup ./notes-backup
  nigh backup notes.tar.gz --data ./notes
  nigh backup /backups/notes --keep 7 --gzip --json`;

export const backupCommand: Command = {
	name: "backup",
	summary: "writes a consistent copy",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, gzip: "flag", keep: "value" });
		const [destination = ""] = positionalsOf(parsed, "backup", ["DEST"]);
		const typed = parsed.value("keep");
		const keep = typed === undefined ? undefined : wholeNumber("--keep", typed, BOUNDS.backups);
		const options = { ...(parsed.has("gzip") && { gzip: true }), ...(keep !== undefined && { keep }) };
		if (keep === undefined && existsSync(destination)) {
			throw new NighError(
				"INVALID_OPTION",
				`${destination} is there already, and a backup replaces nothing: name another, or say with --keep N that it is a folder of backups.`,
				{ field: "DEST", value: destination },
			);
		}
		const report = await interruptible((signal) =>
			withDatabase(dataFolder(parsed), "read", (database) =>
				withProgress(terminal.errors, "copying", (onProgress) =>
					database.backup(resolve(destination), { ...options, onProgress, signal }),
				),
			),
		);
		if (parsed.has("json")) return terminal.print(jsonText(report));
		const { path, collections, records, bytes } = report;
		terminal.print(
			`${path}: ${countText(collections.length, "collection")}, ${countText(records, "record")}, ${bytesText(bytes)}.`,
		);
	},
};
