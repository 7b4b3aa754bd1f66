import type { AnalyzeReport } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { collectionName, positionalsOf } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { factLines } from "../terminal/facts.ts";
import { jsonText } from "../terminal/json.ts";
import { countText } from "../terminal/quantities.ts";
import { grouped } from "../terminal/table.ts";
import type { Command } from "./command.ts";

const HELP = `nigh analyze: how well the index of a collection is built

Usage: nigh analyze COLLECTION [options]

${dataHelp(12)}

Walks through the whole index: takes time in proportion to its size. Of a graph
  layers      vectors whose highest layer it is; all of them are on layer 0
  links       of a vector on layer 0
  reachable   share of the vectors that the entry point leads to
  path        from one vector to another, the shortest way
Of cells
  imbalance   of the largest cell: what the slowest searches pay
  centroids   that are like no other: fewer than all tell of a poor training
  nlist       the rule that chose the number of cells, and for how many vectors
  fill        DEGRADED: too many vectors a cell; INEFFICIENT: too few; OPTIMAL;
              nigh train puts the first two right

Examples
  nigh analyze notes
  nigh analyze notes --json`;

export const analyzeCommand: Command = {
	name: "analyze",
	summary: "how well an index is built",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, DATA_OPTIONS);
		const [name = ""] = positionalsOf(parsed, "analyze", ["COLLECTION"]);
		const report = await withCollection(dataFolder(parsed), collectionName(name), "read", (collection) =>
			collection.analyze(),
		);
		if (parsed.has("json")) terminal.print(jsonText({ collection: name, ...report }));
		else for (const line of linesOf(report)) terminal.print(line);
	},
};

function linesOf({ index, graph, cells, issues }: AnalyzeReport): string[] {
	const facts = factLines([
		["index", index],
		["layers", graph?.layers.map((nodes, layer) => `${layer}: ${grouped(nodes)}`).join("  ")],
		["links", graph && `${graph.degree.min} to ${graph.degree.max}, mean ${graph.degree.mean.toFixed(1)}`],
		["reachable", graph && `${(graph.reachable * 100).toFixed(2)} %`],
		["path", graph && `mean ${graph.meanPathLength.toFixed(2)} links`],
		["cells", cells && `${grouped(cells.count)}, ${grouped(cells.empty)} of them empty`],
		["cell size", cells && `${cells.size.min} to ${cells.size.max}, mean ${cells.size.mean.toFixed(1)}`],
		["imbalance", cells && `${cells.imbalance.toFixed(2)}, the largest cell by the mean`],
		["centroids", cells && `${grouped(cells.distinctCentroids)} of ${grouped(cells.count)} differ`],
		["nlist", cells && `${cells.rule}, for ${countText(cells.trainedFor, "vector")}`],
		["fill", cells?.fill],
		["issues", issues.length === 0 ? "none" : String(issues.length)],
	]);
	return [...facts, ...issues.flatMap(({ message, recommendation }) => [`  ${message}`, `    ${recommendation}`])];
}
