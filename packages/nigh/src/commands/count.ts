import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { collectionName, filterOf, positionalsOf } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { jsonText } from "../terminal/json.ts";
import type { Command } from "./command.ts";

const HELP = `nigh count: tells how many records there are, or match a filter

Usage: nigh count COLLECTION [options]

${dataHelp(16)}
  --filter JSON   what the metadata must look like

Examples
  nigh count notes
  nigh count notes --filter '{"type":"lesson","stars":{"$gte":3}}' --json`;

export const countCommand: Command = {
	name: "count",
	summary: "tells how many records there are",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, filter: "value" });
		const [name = ""] = positionalsOf(parsed, "count", ["COLLECTION"]);
		const filter = filterOf(parsed);
		const count = await withCollection(dataFolder(parsed), collectionName(name), "read", (collection) =>
			collection.count(filter === undefined ? {} : { filter }),
		);
		terminal.print(parsed.has("json") ? jsonText({ collection: name, count }) : String(count));
	},
};
