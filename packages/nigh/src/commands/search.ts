import type { SearchResult } from "@nigh/contract";
import { dataHelp } from "../database/data-folder.ts";
import { includeHelp } from "../database/include.ts";
import { withCollection } from "../database/with-database.ts";
import { answers } from "../search/answers.ts";
import { hitRows, planText } from "../search/report.ts";
import { SEARCH_OPTIONS, searchSettings } from "../search/settings.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { jsonText } from "../terminal/json.ts";
import { cutTo } from "../terminal/quantities.ts";
import type { Command, Terminal } from "./command.ts";

const HELP = `nigh search: the records of a collection that are nearest to something

Usage: nigh search COLLECTION TEXT [options]
       nigh search COLLECTION --vector JSON [options]
       nigh search COLLECTION --vector-file FILE [options]
       nigh search COLLECTION --id ID [options]

  TEXT                near to these words, in quotes; for a collection of the
                      embedder hashed-ngrams (nigh import --embedder)
  --vector JSON       the numbers, e.g. '[0.1,0.2]'; of bits, bytes
  --vector-file FILE  each vector of an fvecs, bvecs, npy or jsonl file in turn
  --id ID             near to this record, which is among the hits itself
  --words WORDS       hybrid: full-text search for these words as well
  -k N, --k N         hits of an answer, 1 to 10000; default 10
  --filter JSON       only records whose metadata looks like it
  --recall R          mean recall to keep, 0.5 to 1; default: the collection's
  --ef N              beam width of a graph, instead of --recall
  --nprobe N          cells that an ivf, ivfpq or ivfrabitq index looks into,
                      instead of --recall
  --rerank N          candidates of an ivfpq or ivfrabitq index to compare by
                      their vectors; 0: none, distances are estimates
  --budget N          rows of cells to scan at most; the cell in which they run
                      out is finished
  --exact             compare everything
${includeHelp(20, "metadata")}
${dataHelp(20)}, an object for each answer

Works beside a process that writes, on what is written when it begins. It opens
the folder for reading, so that its searches are not logged: those that nigh
certify and nigh tune go by are of programs that open it for writing.

Examples
  nigh search notes "rye bread" -k 3 --include text
  nigh search notes --id a --filter '{"type":"lesson"}'
  nigh search words --vector-file queries.fvecs --data ./words --json`;

export const searchCommand: Command = {
	name: "search",
	summary: "finds the nearest records",
	help: HELP,
	run: async (args, terminal) => {
		const settings = searchSettings(parseArguments(args, SEARCH_OPTIONS));
		await withCollection(settings.folder, settings.collection, "read", async (collection, database) => {
			let query = 0;
			for await (const result of answers(collection, database, settings)) {
				if (settings.json) terminal.print(jsonText({ query, ...result }));
				else print(result, settings.isMany ? query : undefined, terminal);
				query++;
			}
		});
	},
};

function print(result: SearchResult, query: number | undefined, { print: line, output }: Terminal): void {
	if (query !== undefined) {
		if (query > 0) line("");
		line(`query ${query}`);
	}
	const width = output.isTTY === true ? output.columns : undefined;
	for (const row of hitRows(result.hits)) line(width === undefined ? row : cutTo(row, width));
	line(planText(result));
}
