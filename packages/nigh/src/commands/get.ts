import { BOUNDS, NighError, type StoredRecord } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { includeHelp, includeOf } from "../database/include.ts";
import { collectionName, typedId } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { factLines } from "../terminal/facts.ts";
import { jsonText } from "../terminal/json.ts";
import { countText, oneLine, timeText } from "../terminal/quantities.ts";
import { UsageError } from "../terminal/usage-error.ts";
import type { Command } from "./command.ts";

const HELP = `nigh get: prints records by their ids

Usage: nigh get COLLECTION ID... [options]

${dataHelp(16)}
${includeHelp(16, "metadata,text")}

With --json an object a line, times in ms since 1970. Exit code 1 when an id is
not there; the others are printed. Ids that start with a dash follow --.

Examples
  nigh get notes a b
  nigh get notes --include vector --json -- -1`;

export const getCommand: Command = {
	name: "get",
	summary: "prints records by their ids",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, include: "value" });
		const [name, ...typed] = parsed.positionals;
		if (name === undefined || typed.length === 0) {
			throw new UsageError("get needs a collection and an id at least: nigh get COLLECTION ID...");
		}
		if (typed.length > BOUNDS.recordsPerCall.max) {
			throw new UsageError(`get takes ${BOUNDS.recordsPerCall.max} ids at most; nigh export gives all records.`);
		}
		const ids = typed.map(typedId);
		const include = includeOf(parsed, { text: true });
		const records = await withCollection(dataFolder(parsed), collectionName(name), "read", (collection) =>
			collection.get(ids, { include }),
		);
		const found = records.filter((record) => record !== undefined);
		found.forEach((record, at) => {
			if (parsed.has("json")) terminal.print(jsonText(record));
			else for (const line of [...(at === 0 ? [] : [""]), ...recordLines(record)]) terminal.print(line);
		});
		const missing = ids.filter((_, at) => records[at] === undefined);
		if (missing.length === 0) return;
		throw new NighError(
			"NOT_FOUND",
			`${name} has no record ${oneLine(missing.map((id) => JSON.stringify(id)).join(", "), 200)}${missing.length === 1 ? "" : ` (${countText(missing.length, "id")})`}.`,
			{ ids: missing },
		);
	},
};

const MOST_TEXT = 2_000;

function recordLines({ id, metadata, text, vector, insertedAt, updatedAt, expiresAt }: StoredRecord): string[] {
	return factLines([
		["id", oneLine(id, MOST_TEXT)],
		["metadata", metadata === undefined ? undefined : jsonText(metadata)],
		["text", text === undefined ? undefined : oneLine(text, MOST_TEXT)],
		["vector", vector === undefined ? undefined : jsonText(vector)],
		["inserted", timeText(insertedAt)],
		["updated", timeText(updatedAt)],
		["expires", expiresAt === undefined ? undefined : timeText(expiresAt)],
	]);
}
