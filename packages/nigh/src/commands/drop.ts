import type { Database } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { collectionName, positionalsOf } from "../database/typed.ts";
import { checkIsThere, withDatabase } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { confirm } from "../terminal/confirm.ts";
import { jsonText } from "../terminal/json.ts";
import { countText } from "../terminal/quantities.ts";
import { UsageError } from "../terminal/usage-error.ts";
import type { Command } from "./command.ts";

const HELP = `nigh drop: deletes a collection with all that is in it

Usage: nigh drop COLLECTION [options]

${dataHelp(12)}
  --yes       do not ask; needed where nobody is there to be asked

It is gone from every search at once, and its space is given back. Only a
backup (nigh backup) brings it back. To keep the collection and delete its
records: nigh delete COLLECTION --filter '{}'.

Examples
  nigh drop notes
  nigh drop notes --data ./notes --yes --json`;

export const dropCommand: Command = {
	name: "drop",
	summary: "deletes a collection with all that is in it",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, yes: "flag" });
		const [typed = ""] = positionalsOf(parsed, "drop", ["COLLECTION"]);
		const name = collectionName(typed);
		const asks = !parsed.has("yes");
		if (asks && !terminal.isInteractive) {
			throw new UsageError("Nobody is there to be asked: drop needs --yes here.");
		}
		const folder = dataFolder(parsed);
		const dropped = await withDatabase(folder, "write", async (database) => {
			await checkIsThere(database, folder, name);
			if (asks && !(await confirm(`Drop ${name} with ${await contentOf(database, name)}?`))) return false;
			return database.drop(name);
		});
		if (parsed.has("json")) terminal.print(jsonText({ collection: name, dropped }));
		else terminal.print(dropped ? `${name} is dropped.` : "Nothing is dropped.");
	},
};

async function contentOf(database: Database, name: string): Promise<string> {
	const collection = await database.collection(name);
	return `its ${countText(await collection.count(), "record")}`;
}
