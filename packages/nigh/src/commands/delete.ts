import { BOUNDS, type DeleteResult } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { collectionName, filterOf, typedId } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { confirm } from "../terminal/confirm.ts";
import { jsonText } from "../terminal/json.ts";
import { countText } from "../terminal/quantities.ts";
import { UsageError } from "../terminal/usage-error.ts";
import type { Command } from "./command.ts";

const HELP = `nigh delete: deletes records by their ids, or all that match a filter

Usage: nigh delete COLLECTION (ID... | --filter JSON) [options]

${dataHelp(16)}
  --filter JSON   what the metadata must look like; '{}' matches every record
  --yes           do not ask before deleting what matches a filter; needed
                  where nobody is there to be asked

Ids that are not there are passed over. Ids that start with a dash follow --.

Examples
  nigh delete notes a b
  nigh delete notes --filter '{"type":"draft"}'
  nigh delete notes --filter '{"stars":{"$lt":2}}' --yes --json`;

export const deleteCommand: Command = {
	name: "delete",
	summary: "deletes records by their ids or by a filter",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, filter: "value", yes: "flag" });
		const [name, ...typed] = parsed.positionals;
		if (name === undefined) throw new UsageError("COLLECTION is missing: nigh delete COLLECTION ID...");
		const filter = filterOf(parsed);
		if ((filter === undefined) === (typed.length === 0)) {
			throw new UsageError("delete takes either ids or --filter; --filter '{}' deletes every record.");
		}
		if (typed.length > BOUNDS.recordsPerCall.max) {
			throw new UsageError(`delete takes ${BOUNDS.recordsPerCall.max} ids at most.`);
		}
		const ids = typed.map(typedId);
		const asks = filter !== undefined && !parsed.has("yes");
		if (asks && !terminal.isInteractive) {
			throw new UsageError("Nobody is there to be asked: --filter needs --yes here.");
		}
		const result = await withCollection(
			dataFolder(parsed),
			collectionName(name),
			"write",
			async (collection): Promise<DeleteResult | undefined> => {
				if (filter === undefined) return collection.delete(ids);
				if (asks) {
					const matches = await collection.count({ filter });
					if (matches > 0 && !(await confirm(`Delete ${countText(matches, "record")} of ${name}?`))) return undefined;
				}
				return collection.delete({ filter });
			},
		);
		if (parsed.has("json")) terminal.print(jsonText(result ?? { deleted: 0 }));
		else
			terminal.print(result === undefined ? "Nothing is deleted." : `${countText(result.deleted, "record")} deleted.`);
	},
};
