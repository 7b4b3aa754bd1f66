import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { positionalsOf } from "../database/typed.ts";
import { withDatabase } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { jsonText } from "../terminal/json.ts";
import type { Command } from "./command.ts";

const HELP = `nigh collections: lists the collections of a database

Usage: nigh collections [options]

${dataHelp(12)}

A name a line, with --json an object a line. nigh stats tells more, and takes
the time to open each of them.

Examples
  nigh collections
  nigh collections --data ./notes --json`;

export const collectionsCommand: Command = {
	name: "collections",
	summary: "lists the collections",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, DATA_OPTIONS);
		positionalsOf(parsed, "collections", []);
		const names = await withDatabase(dataFolder(parsed), "read", (database) => database.collections());
		for (const name of names) terminal.print(parsed.has("json") ? jsonText({ name }) : name);
	},
};
