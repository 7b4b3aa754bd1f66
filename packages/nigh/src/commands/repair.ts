import { isNighError, NighError } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { problemLines } from "../database/problem-lines.ts";
import { positionalsOf } from "../database/typed.ts";
import { inWordsOfTheCommand } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { ProblemsFound } from "../terminal/problems-found.ts";
import { withProgress } from "../terminal/progress.ts";
import { countText } from "../terminal/quantities.ts";
import type { Command } from "./command.ts";

const HELP = `nigh repair: mends a damaged database

Usage: nigh repair [options]

${dataHelp(12)}

No process may have the database open for writing. Damaged indexes go: they are
built again from the records. Where the records cannot be read, what can be is
saved into a new file, and the damaged one is kept beside it. Never deletes a
record. Exit code 1 when something is lost that only a backup can bring back
(nigh restore).

Examples
  nigh repair
  nigh repair --data ./notes --json`;

export const repairCommand: Command = {
	name: "repair",
	summary: "mends a damaged database",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, DATA_OPTIONS);
		positionalsOf(parsed, "repair", []);
		const folder = dataFolder(parsed);
		// One that is too damaged to be opened can be repaired as well.
		const { repairFolder } = await import("@nigh/embedded");
		const report = await interruptible((signal) =>
			withProgress(terminal.errors, "repairing", (onProgress) =>
				inWordsOfTheCommand(folder, repairFolder(folder, { onProgress, signal })),
			),
		).catch((error: unknown) => {
			throw unreadable(error, folder);
		});
		const { repaired, remaining, damaged } = report;
		if (parsed.has("json")) terminal.print(jsonText(report));
		else {
			terminal.print(`${countText(repaired.length, "problem")} repaired.`);
			for (const line of [...problemLines(repaired), ...problemLines(remaining)]) terminal.print(line);
			if (damaged !== null) terminal.print(`The damaged file is kept: ${damaged}`);
		}
		if (remaining.length > 0) {
			throw new ProblemsFound(`${countText(remaining.length, "problem")} cannot be repaired; restore a backup.`);
		}
	},
};

/** Where nothing can be saved, the advice to repair would lead in a circle; every other error as it is. */
function unreadable(error: unknown, folder: string): unknown {
	if (!isNighError(error, "CORRUPT_RECORDS")) return error;
	const message = `Nothing can be read of the records in ${folder}, and they are left as they are: restore a backup into another folder (nigh restore SOURCE --data DIR).`;
	return new NighError(error.code, message, error.details, { cause: error });
}
