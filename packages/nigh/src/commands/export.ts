import { resolve } from "node:path";
import { type JsonlFieldNames, writeJsonl } from "@nigh/formats";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { collectionName, filterOf, positionalsOf } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { type ExportFormat, exportFormat, OUTPUT } from "../export/export-format.ts";
import { exported } from "../export/exported-bytes.ts";
import { writeToFile, writeToStream } from "../export/write-out.ts";
import { type Arguments, parseArguments } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { withProgress } from "../terminal/progress.ts";
import { bytesText, countText } from "../terminal/quantities.ts";
import { asUsage, UsageError } from "../terminal/usage-error.ts";
import type { Command } from "./command.ts";

const HELP = `nigh export: writes the records of a collection to a file

Usage: nigh export COLLECTION FILE [options]

  FILE                  jsonl; or fvecs, npy, bvecs (bits), which hold the
                        vectors alone; ${OUTPUT} for jsonl on the output
${dataHelp(22)}; with ${OUTPUT} there is no report
  --filter JSON         only records whose metadata looks like it
  --vectors             the vectors too, in jsonl
  --id-field NAME       of jsonl: the field of the id; default id
  --vector-field NAME   the field of the numbers; default vector
  --text-field NAME     the field of the text; default text

Records come in the order of their ids. A line of jsonl has the id, the vector,
the text and the fields of the metadata beside each other, as nigh import reads
them; times are not in it (nigh backup keeps everything). The file is there in
full under its name, or as before.

Examples
  nigh export notes notes.jsonl --vectors
  nigh export notes - --filter '{"type":"lesson"}' | head
  nigh export words words.fvecs --data ./words --json`;

const FIELDS = { "id-field": "idField", "vector-field": "vectorField", "text-field": "textField" } as const;

export const exportCommand: Command = {
	name: "export",
	summary: "writes records to a file",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, {
			...DATA_OPTIONS,
			filter: "value",
			vectors: "flag",
			"id-field": "value",
			"vector-field": "value",
			"text-field": "value",
		});
		const [name = "", file = ""] = positionalsOf(parsed, "export", ["COLLECTION", "FILE"]);
		const format = exportFormat(file);
		const fields = fieldsOf(parsed, format);
		const filter = filterOf(parsed);
		if (file === OUTPUT && parsed.has("json")) {
			throw new UsageError("--json prints a report, but the output is the export itself: leave out --json.");
		}
		const what = { format, fields, vectors: parsed.has("vectors"), ...(filter !== undefined && { filter }) };
		const report = await interruptible((signal) =>
			withCollection(dataFolder(parsed), collectionName(name), "read", (collection) =>
				withProgress(terminal.errors, "exporting", async (onProgress) => {
					const { bytes, records } = await exported(collection, { ...what, signal, onProgress });
					if (file === OUTPUT) return writeToStream(bytes, process.stdout);
					const size = await writeToFile(bytes, file);
					return { collection: name, file: resolve(file), records: records(), bytes: size };
				}),
			),
		);
		if (report === undefined) return;
		if (parsed.has("json")) terminal.print(jsonText(report));
		else terminal.print(`${file}: ${countText(report.records, "record")}, ${bytesText(report.bytes)}.`);
	},
};

function fieldsOf(args: Arguments, format: ExportFormat): JsonlFieldNames {
	const fields: { -readonly [F in keyof JsonlFieldNames]: JsonlFieldNames[F] } = {};
	for (const [option, field] of Object.entries(FIELDS)) {
		const name = args.value(option);
		if (name !== undefined) fields[field] = name;
	}
	const isAsked = args.has("vectors") || Object.keys(fields).length > 0;
	if (format !== "jsonl" && isAsked)
		throw new UsageError(`${format} holds the vectors alone: leave out what is for jsonl.`);
	// Names that are the same are refused before anything is read.
	asUsage(() => writeJsonl([], fields));
	return fields;
}
