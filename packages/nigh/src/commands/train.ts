import { type AnalyzeReport, CELL_KINDS, type CollectionStats, NighError } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { cellParameters, parameterHelp } from "../database/index-parameters.ts";
import { collectionName, positionalsOf } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { jsonText } from "../terminal/json.ts";
import { withProgress } from "../terminal/progress.ts";
import { countText, durationText } from "../terminal/quantities.ts";
import { grouped } from "../terminal/table.ts";
import type { Command } from "./command.ts";

const HELP = `nigh train: trains the cells and codes of a collection anew

Usage: nigh train COLLECTION [options]

${parameterHelp(20, CELL_KINDS)}
${dataHelp(20)}

For an index of kind ${CELL_KINDS.join(", ")}. Centroids and codebooks are
learnt from the vectors there are now, and every vector is assigned again;
parameters that are not given stay as they were. The old index answers
meanwhile. Stopped, it leaves the old one.

Examples
  nigh train notes
  nigh train notes --param nlist=256 --json`;

export const trainCommand: Command = {
	name: "train",
	summary: "trains cells and codes anew",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, param: "values" });
		const [name = ""] = positionalsOf(parsed, "train", ["COLLECTION"]);
		const parameters = cellParameters(parsed.values("param"));
		const trained = await withCollection(dataFolder(parsed), collectionName(name), "write", async (collection) => {
			checkHasCells(await collection.stats());
			const report = await withProgress(terminal.errors, "training", (onProgress) =>
				collection.rebuild({ ...parameters, onProgress }),
			);
			const { cells = null } = await collection.analyze();
			return { ...report, cells };
		});
		if (parsed.has("json")) return terminal.print(jsonText({ collection: name, ...trained }));
		const { vectors, index, cells, durationMs } = trained;
		const result = cells === null ? ": too few to train by, they are all compared" : ` in ${cellsText(cells)}`;
		terminal.print(`${name}: ${countText(vectors, "vector")} (${index})${result}; in ${durationText(durationMs)}.`);
	},
};

/** `316 cells (adaptive), 3 to 120 vectors in each, 0 empty, OPTIMAL` */
function cellsText({ count, empty, size, rule, fill }: NonNullable<AnalyzeReport["cells"]>): string {
	const each = `${grouped(size.min)} to ${grouped(size.max)} in each`;
	return `${countText(count, "cell")} (${rule}), ${each}, ${grouped(empty)} empty, ${fill}`;
}

/** @throws NighError `INVALID_OPTION`. */
function checkHasCells({ name, effective }: CollectionStats): void {
	const { kind, parameters } = effective.index;
	// As long as there are too few vectors for cells, another kind may serve than was asked for.
	if (CELL_KINDS.some((each) => each === kind || each === parameters.asked)) return;
	throw new NighError(
		"INVALID_OPTION",
		`${name} has no cells to train: its index is of kind ${kind}. nigh convert ${name} ivf, or another of ${CELL_KINDS.join(", ")}, makes some; nigh optimize takes everything into the index there is.`,
		{ field: "index", value: kind },
	);
}
