import { type Collection, requireFeature } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { collectionName, positionalsOf } from "../database/typed.ts";
import { withCollection } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { ProblemsFound } from "../terminal/problems-found.ts";
import { withProgress } from "../terminal/progress.ts";
import { countText } from "../terminal/quantities.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { tuneLines, tuneStatsLines } from "../tune/lines.ts";
import type { Command, Terminal } from "./command.ts";

const HELP = `nigh tune: has the fastest of the certified settings answer

Usage: nigh tune COLLECTION [options]
       nigh tune COLLECTION --stats [options]
       nigh tune COLLECTION --reset [options]

  --stats     what is known of each setting, nothing is measured
  --reset     forget it: what nigh certify has chosen answers again
${dataHelp(12)}

Of every cell, nigh certify has the cheapest certified setting answer whose
measured mean has some headroom above the target. This measures it and the next
dearer ones by the queries that were searched for, and has the fastest answer.
Answers get faster and never worse: what nigh certify has not certified is
neither used nor tried.

Exit code 1 where a recall can be kept only by searches that take longer than
the collection's latencyMs.

Examples
  nigh tune notes
  nigh tune notes --stats --json
  nigh tune notes --reset`;

/** What is to be done. */
export type TuneVerb = "tune" | "stats" | "reset";

export const tuneCommand: Command = {
	name: "tune",
	summary: "has the fastest certified setting answer",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, stats: "flag", reset: "flag" });
		const [name = ""] = positionalsOf(parsed, "tune", ["COLLECTION"]);
		if (parsed.has("stats") && parsed.has("reset")) {
			throw new UsageError("--stats tells what is known, --reset forgets it: give one of them.");
		}
		const verb = parsed.has("stats") ? "stats" : parsed.has("reset") ? "reset" : "tune";
		await interruptible((signal) =>
			withCollection(
				dataFolder(parsed),
				collectionName(name),
				verb === "stats" ? "read" : "write",
				async (collection, { capabilities }) => {
					requireFeature(capabilities, "tune", "tune()");
					await tune(collection, verb, parsed.has("json"), terminal, signal);
				},
			),
		);
	},
};

/**
 * Does it, and prints what has come of it.
 *
 * @throws ProblemsFound where a cell is too slow.
 */
export async function tune(
	collection: Collection,
	verb: TuneVerb,
	json: boolean,
	terminal: Terminal,
	signal: AbortSignal,
): Promise<void> {
	const { name } = collection;
	const print = (report: object, lines: readonly string[]) => {
		if (json) terminal.print(jsonText({ collection: name, ...report }));
		else for (const line of lines) terminal.print(line);
	};
	if (verb === "stats") {
		const stats = await collection.tune.stats();
		return print(stats, tuneStatsLines(stats));
	}
	if (verb === "reset") {
		await collection.tune.reset();
		return print({ reset: true }, [
			`${name}: forgotten; the cheapest certified setting with some headroom above its target answers again.`,
		]);
	}
	const report = await withProgress(terminal.errors, "measuring", (onProgress) =>
		collection.tune({ onProgress, signal }),
	);
	print(report, tuneLines(name, report));
	const slow = report.tooSlow.length;
	if (slow > 0) {
		throw new ProblemsFound(
			`${countText(slow, "cell")} cannot keep both recall and latencyMs: ask for less recall, or allow more time.`,
		);
	}
}
