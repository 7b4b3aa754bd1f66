import { analyzeCommand } from "./analyze.ts";
import { backupCommand } from "./backup.ts";
import { certifyCommand } from "./certify.ts";
import { collectionsCommand } from "./collections.ts";
import type { Command } from "./command.ts";
import { convertCommand } from "./convert.ts";
import { countCommand } from "./count.ts";
import { deleteCommand } from "./delete.ts";
import { demoCommand } from "./demo.ts";
import { doctorCommand } from "./doctor.ts";
import { dropCommand } from "./drop.ts";
import { estimateCommand } from "./estimate.ts";
import { evalCommand } from "./eval.ts";
import { exportCommand } from "./export.ts";
import { getCommand } from "./get.ts";
import { healthCommand } from "./health.ts";
import { importCommand } from "./import.ts";
import { optimizeCommand } from "./optimize.ts";
import { repairCommand } from "./repair.ts";
import { restoreCommand } from "./restore.ts";
import { searchCommand } from "./search.ts";
import { statsCommand } from "./stats.ts";
import { trainCommand } from "./train.ts";
import { tuneCommand } from "./tune.ts";
import { verifyCommand } from "./verify.ts";
import { warmCommand } from "./warm.ts";
import { watchCommand } from "./watch.ts";

/** All commands, as the help lists them. */
export const GROUPS: readonly (readonly [title: string, commands: readonly Command[]])[] = [
	["Try it", [demoCommand, evalCommand, estimateCommand]],
	["Records", [importCommand, exportCommand, searchCommand, getCommand, deleteCommand, countCommand]],
	[
		"Collections",
		[
			collectionsCommand,
			statsCommand,
			optimizeCommand,
			convertCommand,
			trainCommand,
			analyzeCommand,
			doctorCommand,
			certifyCommand,
			tuneCommand,
			warmCommand,
			dropCommand,
		],
	],
	["Database", [watchCommand, healthCommand, verifyCommand, repairCommand, backupCommand, restoreCommand]],
];
