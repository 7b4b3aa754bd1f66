import type { MaintenanceReport } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { INDEX_NAMES, indexSettings, parameterHelp } from "../database/index-parameters.ts";
import { collectionName, positionalsOf } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { chosen, parseArguments } from "../terminal/arguments.ts";
import { jsonText } from "../terminal/json.ts";
import { withProgress } from "../terminal/progress.ts";
import { bytesText, countText, durationText } from "../terminal/quantities.ts";
import type { Command } from "./command.ts";

const HELP = `nigh convert: gives a collection another kind of index

Usage: nigh convert COLLECTION KIND [options]

  KIND                ${INDEX_NAMES.join(", ")}
${parameterHelp(20)}
${dataHelp(20)}

The records stay as they are, and so do their ids and metadata. The old index
answers until the new one is there, here and in processes that read beside it;
both are in memory meanwhile. Stopped, it leaves the old one. The kind stays
until the next convert.

Examples
  nigh convert notes hnsw --param M=24
  nigh convert notes ivfpq --param profile=memory --json
  nigh convert notes ivf --param storage=disk`;

/** Bytes before and after; `null` where the back end cannot tell. */
type Bytes = MaintenanceReport["bytes"];

export const convertCommand: Command = {
	name: "convert",
	summary: "gives a collection another kind of index",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, param: "values" });
		const [name = "", typed = ""] = positionalsOf(parsed, "convert", ["COLLECTION", "KIND"]);
		const kind = chosen("KIND", typed, INDEX_NAMES);
		const index = indexSettings(kind, parsed.values("param"));
		const converted = await withCollection(dataFolder(parsed), collectionName(name), "write", async (collection) => {
			const before = await collection.stats();
			const report = await withProgress(terminal.errors, "converting", (onProgress) =>
				collection.convert(index, { onProgress }),
			);
			const after = await collection.stats();
			const memory: Bytes =
				before.memory === null || after.memory === null
					? null
					: { before: before.memory.total, after: after.memory.total };
			return { from: before.effective.index.kind, ...report, memory };
		});
		if (parsed.has("json")) return terminal.print(jsonText({ collection: name, ...converted }));
		const { from, index: to, vectors, bytes, memory, durationMs } = converted;
		terminal.print(
			`${name}: from ${from} to ${to}, ${countText(vectors, "vector")} in the index, in ${durationText(durationMs)}${spaceText("in memory", memory)}${spaceText("on disk", bytes)}.`,
		);
	},
};

function spaceText(where: string, bytes: Bytes): string {
	return bytes === null ? "" : `; ${bytesText(bytes.after)} ${where}, ${bytesText(bytes.before)} before`;
}
