import { BOUNDS, type Collection, INDEX_KINDS, isNighError } from "@nigh/contract";
import { dataHelp } from "../database/data-folder.ts";
import { parameterHelp } from "../database/index-parameters.ts";
import { OWN_EMBEDDERS } from "../database/own-embedder.ts";
import { withDatabase } from "../database/with-database.ts";
import { type ChangedSetting, changedText } from "../import/changed-settings.ts";
import { checkFile, type Imported, importFile } from "../import/import-file.ts";
import { BATCH, IMPORT_OPTIONS, type ImportSettings, importSettings } from "../import/settings.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { progressBar, withProgress } from "../terminal/progress.ts";
import { countText, durationText } from "../terminal/quantities.ts";
import { grouped } from "../terminal/table.ts";
import type { Command, Terminal } from "./command.ts";

const HELP = `nigh import: writes the rows of a file to a collection, which is made if need be

Usage: nigh import COLLECTION FILE [options]

  FILE                  fvecs, bvecs, npy or jsonl, told by the extension
${dataHelp(22)}
  --metric METRIC       cosine (default), l2, ip, l1, or hamming: rows are then
                        bits, eight in each byte
  --index INDEX         auto (default), ${INDEX_KINDS.join(", ")}
${parameterHelp(22)}
  --recall R            mean recall that searches keep, ${BOUNDS.recall.min} to ${BOUNDS.recall.max}; default ${BOUNDS.recall.default},
                        1 is exact. The collection keeps it; one that is there
                        takes the new one, and so it does of --latency-ms.
  --latency-ms N        mean time that a search should take at most; default
                        none. It never goes before the recall: nigh tune and
                        nigh health tell where both cannot be kept.
  --max-mb MB           megabytes (2^20 bytes) of memory that the index may take
                        at any moment: of auto, what is chosen fits; what does
                        not fit is refused. The collection keeps it.
  --filterable PATH     a path of the metadata that filters often name, e.g.
                        author.name. May repeat.
  --batch N             rows of a write, ${BATCH.min} to ${BOUNDS.recordsPerCall.max}; default ${BATCH.default}
  --id-prefix TEXT      stands before ids that are row numbers
  --no-wait             do not wait until the index has taken everything in

Of jsonl, one object a line
  --vector-field NAME   the field of the numbers; default vector
  --id-field NAME       the field of the id; default id
  --text-field NAME     the field of the text; default text
  --metadata A,B        the fields that become metadata; default all others
  --embedder NAME       makes vectors of the texts of rows that have none:
                        ${OWN_EMBEDDERS.join(", ")} (no model, finds shared words and
                        spellings). Said once: the collection keeps it.

The id of a row without one is its number, from 0, after --id-prefix: give each
file a prefix of its own where several go into one collection. A row whose id is
there already replaces that record.

Stopped (Ctrl-C, a kill, a power cut), the same command goes on where it was: a
small note in the folder imports of the database says how many rows of which
file (by path, size and time of change) are written, and is removed at the end.
Rows that are written twice because of it change nothing, since their ids are
the same. A row that cannot be taken ends the import with its number and line;
the rows before it are kept.

Examples
  nigh import words words.fvecs --metric l2
  nigh import photos photos.npy --metric l2 --max-mb 1024
  nigh import words words.fvecs --metric l2 --recall 0.98 --latency-ms 5
  nigh import docs texts.jsonl --embedder hashed-ngrams
  nigh import notes notes.jsonl --id-field key --metadata type --filterable type
  nigh import notes more.npy --data ./notes --id-prefix more- --json`;

export const importCommand: Command = {
	name: "import",
	summary: "writes the vectors or texts of a file to a collection",
	help: HELP,
	run: async (args, terminal) => {
		const settings = importSettings(parseArguments(args, IMPORT_OPTIONS));
		const file = checkFile(settings.file);
		await withDatabase(settings.folder, "create", async (database) => {
			const start = performance.now();
			const onChanged = (changed: readonly ChangedSetting[]) => {
				if (!settings.json) terminal.print(`${settings.collection}: ${changedText(changed)}`);
			};
			const imported = await writing(terminal, (onProgress) =>
				interruptible((signal) => importFile(database, settings, file, { signal, onChanged, onProgress })),
			);
			const written = performance.now();
			if (settings.wait) await indexing(imported.collection, terminal);
			const end = performance.now();
			await report(imported, settings, { writeMs: written - start, indexMs: end - written }, terminal);
		});
	},
};

/** How often the bar is drawn at most. */
const DRAW_MS = 100;

async function writing(
	terminal: Terminal,
	work: (onProgress: (rows: number, bytesRead: number, bytes: number) => void) => Promise<Imported>,
): Promise<Imported> {
	const bar = progressBar(terminal.errors, "importing");
	const start = performance.now();
	let drawn = 0;
	let rows = 0;
	let from: number | undefined;
	try {
		return await work((written, bytesRead, bytes) => {
			const now = performance.now();
			rows = written;
			// What an earlier run had written was only read over, in no time.
			from ??= bytesRead;
			if (now - drawn < DRAW_MS) return;
			drawn = now;
			bar.update(bytesRead, bytes, paceText(rows, now - start, (bytesRead - from) / (bytes - from)));
		});
	} catch (error) {
		bar.clear();
		if (isNighError(error, "ABORTED")) {
			terminal.errors.write(`${countText(rows, "row")} written; the same command goes on from there.\n`);
		}
		throw error;
	} finally {
		bar.clear();
	}
}

/** `12,345 rows/s, 1 min 5 s left` */
function paceText(rows: number, ms: number, share: number): string {
	const pace = `${grouped(rows / (ms / 1_000))} rows/s`;
	return share > 0 && share < 1 ? `${pace}, ${durationText(Math.max(1_000, (ms * (1 - share)) / share))} left` : pace;
}

/** Everything is stored already: this can be interrupted at any time. */
function indexing(collection: Collection, terminal: Terminal): Promise<void> {
	return withProgress(terminal.errors, "indexing", async (onProgress) => {
		// What others write meanwhile is taken in as well.
		do await collection.optimize({ onProgress });
		while ((await collection.stats()).index.tail > 0);
	});
}

async function report(
	{ collection, rows, skipped, changed }: Imported,
	{ file, json }: ImportSettings,
	{ writeMs, indexMs }: { writeMs: number; indexMs: number },
	terminal: Terminal,
): Promise<void> {
	const { records, index } = await collection.stats();
	const seconds = (writeMs + indexMs) / 1_000;
	const rowsPerSecond = rows / seconds;
	if (json) {
		terminal.print(
			jsonText({
				collection: collection.name,
				file,
				rows,
				skipped,
				records,
				changed,
				seconds: Number(seconds.toFixed(3)),
				writeSeconds: Number((writeMs / 1_000).toFixed(3)),
				rowsPerSecond: Number(rowsPerSecond.toFixed(1)),
				index,
			}),
		);
		return;
	}
	const has = `${collection.name} has ${countText(records, "record")}, index ${index.kind}.`;
	if (rows === 0 && skipped === 0) return terminal.print(`The file has no rows; ${has}`);
	// Of a few rows it would only tell how long opening takes.
	const pace = rows < 1_000 ? "" : `${grouped(rowsPerSecond)} rows/s; `;
	const before = skipped === 0 ? "" : `, after ${grouped(skipped)} of an earlier run`;
	terminal.print(
		`${countText(rows, "row")}${before} in ${durationText(seconds * 1_000)} (${pace}the index took ${durationText(indexMs)} of it); ${has}`,
	);
}
