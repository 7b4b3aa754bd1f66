import type { DatabaseHealth, HealthReason } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { positionalsOf } from "../database/typed.ts";
import { withDatabase } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { jsonText } from "../terminal/json.ts";
import { ProblemsFound } from "../terminal/problems-found.ts";
import { countText } from "../terminal/quantities.ts";
import type { Command } from "./command.ts";

const HELP = `nigh health: what needs attention in a database, and what to do about it

Usage: nigh health [options]

${dataHelp(12)}

Each collection is opened for it. Exit code 1 unless all is ok; nigh verify also
reads every byte.

Examples
  nigh health
  nigh health --data ./notes --json`;

export const healthCommand: Command = {
	name: "health",
	summary: "what needs attention, and what to do",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, DATA_OPTIONS);
		positionalsOf(parsed, "health", []);
		const health = await withDatabase(dataFolder(parsed), "read", async (database) => {
			// Of what is not open, only the limits are told.
			for (const name of await database.collections()) await database.collection(name);
			return database.health();
		});
		if (parsed.has("json")) terminal.print(jsonText(health));
		else for (const line of linesOf(health)) terminal.print(line);
		if (health.status === "ok") return;
		const count = allReasons(health).length;
		throw new ProblemsFound(`the database is ${health.status}: ${countText(count, "thing")} to look at.`);
	},
};

function allReasons({ reasons, collections }: DatabaseHealth): HealthReason[] {
	return [...reasons, ...Object.values(collections).flatMap((each) => each.reasons)];
}

function linesOf({ status, reasons, collections }: DatabaseHealth): string[] {
	const names = Object.entries(collections).sort(([a], [b]) => (a < b ? -1 : 1));
	return [
		`database: ${status}`,
		...reasons.flatMap(reasonLines),
		...names.flatMap(([name, health]) => [`${name}: ${health.status}`, ...health.reasons.flatMap(reasonLines)]),
	];
}

function reasonLines({ code, message, recommendation }: HealthReason): string[] {
	return [`  ${code}: ${message}`, `    ${recommendation}`];
}
