import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { problemLines } from "../database/problem-lines.ts";
import { positionalsOf } from "../database/typed.ts";
import { withDatabase } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { ProblemsFound } from "../terminal/problems-found.ts";
import { withProgress } from "../terminal/progress.ts";
import { bytesText, countText } from "../terminal/quantities.ts";
import type { Command } from "./command.ts";

const HELP = `nigh verify: reads everything in a database and compares checksums

Usage: nigh verify [options]

${dataHelp(12)}

Works beside a process that writes, and changes nothing. Exit code 1 when there
are problems; nigh repair mends what can be mended.

Examples
  nigh verify
  nigh verify --data ./notes --json`;

export const verifyCommand: Command = {
	name: "verify",
	summary: "reads everything and compares checksums",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, DATA_OPTIONS);
		positionalsOf(parsed, "verify", []);
		const report = await interruptible((signal) =>
			withDatabase(dataFolder(parsed), "read", (database) =>
				withProgress(terminal.errors, "verifying", (onProgress) => database.verify({ onProgress, signal })),
			),
		);
		const { ok, bytes, problems } = report;
		if (parsed.has("json")) terminal.print(jsonText(report));
		else if (ok)
			terminal.print(
				`No problem found${bytes === 0 ? "" : `; ${bytesText(bytes)} have the checksums they were written with`}.`,
			);
		else for (const line of problemLines(problems)) terminal.print(line);
		if (!ok) throw new ProblemsFound(`${countText(problems.length, "problem")}; nigh repair mends what can be mended.`);
	},
};
