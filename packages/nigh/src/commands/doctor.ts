import { BOUNDS } from "@nigh/contract";
import { dataHelp } from "../database/data-folder.ts";
import { withCollection } from "../database/with-database.ts";
import { examine } from "../doctor/examine.ts";
import { certifyAdvice, examinationLines, verdictText } from "../doctor/lines.ts";
import { DOCTOR_OPTIONS, type DoctorSettings, doctorSettings, examinedTarget, TARGET } from "../doctor/settings.ts";
import { queryVectors } from "../search/query-vectors.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { ProblemsFound } from "../terminal/problems-found.ts";
import { progressBar } from "../terminal/progress.ts";
import type { Command, Terminal } from "./command.ts";

const HELP = `nigh doctor: measures what recall a collection keeps, and at which setting

Usage: nigh doctor COLLECTION --query FILE [options]

  --query FILE        vectors such as searches will have: fvecs, bvecs, npy or
                      jsonl. Never vectors that are stored: an index finds its
                      own too well
  -k N, --k N         hits of a search, ${BOUNDS.k.min} to ${BOUNDS.k.max}; default ${BOUNDS.k.default}
  --filter JSON       what the metadata of the hits must look like
  --target R          mean recall to keep, ${TARGET.min} to ${TARGET.max}; default: the
                      collection's. Rounded up to one of a fixed list
  --confidence C      how sure it has to be, ${BOUNDS.confidence.min} to ${BOUNDS.confidence.max}; default ${BOUNDS.confidence.default}
  --floor R           queries that find less are counted; default: the target
                      less 0.1
  --max-queries N     queries to take, ${BOUNDS.certifyQueries.min} to ${BOUNDS.certifyQueries.max}, drawn from the file where
                      it has more; default ${BOUNDS.certifyQueries.default}
  --seed N            another draw, and another order of the queries; default 1
${dataHelp(20)}

Compares approximate answers with exact ones. A fifth of the queries, at most
200, find out how wide a search has to be, and are not used again. By the others
every setting is tested, the widest first, each at most 1.1 times as wide as the
next, until one does not pass. What passes keeps the target in the mean over
all queries that come as these did; that it does not has a probability of at
most 1 - C. Whichever of equally distant records is found counts, and a query
that no record matches is left out. Nothing is written: nigh certify has
searches use what it finds.

Exit code 0 where a setting keeps the target or every search is exact, 1 where
none does, or the queries are too few to tell.

Examples
  nigh doctor words --query questions.fvecs
  nigh doctor words --query questions.fvecs -k 100 --target 0.99 --json
  nigh doctor notes --query q.npy --filter '{"type":"lesson"}'`;

export const doctorCommand: Command = {
	name: "doctor",
	summary: "measures what recall a collection keeps, and how",
	help: HELP,
	run: async (args, terminal) => diagnose(doctorSettings(parseArguments(args, DOCTOR_OPTIONS)), terminal),
};

async function diagnose(
	{ folder, collection: name, query, json, ...settings }: DoctorSettings,
	terminal: Terminal,
): Promise<void> {
	const { target: typed, floor, ...given } = settings;
	const { examination, remark, advice } = await interruptible((signal) =>
		withCollection(folder, name, "read", async (collection, { capabilities }) => {
			const stats = await collection.stats();
			const queries = await queryVectors(query, stats);
			const { target, remark } = examinedTarget(typed, stats.effective.recall);
			const bars = new Map<string, ReturnType<typeof progressBar>>();
			try {
				const examination = await examine(collection, queries, {
					...given,
					target,
					...(floor !== undefined && { floor }),
					searchWidth: capabilities.features.searchWidth,
					signal,
					onProgress: (phase, done, total) => {
						const bar = bars.get(phase) ?? progressBar(terminal.errors, phase);
						bars.set(phase, bar);
						bar.update(done, total);
					},
				});
				const asked = { file: query.path, filter: given.filter };
				const advice = capabilities.features.certify
					? certifyAdvice(name, examination, stats.effective.recall, asked)
					: undefined;
				return { examination, remark, advice };
			} finally {
				for (const bar of bars.values()) bar.clear();
			}
		}),
	);
	if (json) terminal.print(jsonText({ collection: name, ...examination }));
	else {
		for (const line of examinationLines(name, examination)) terminal.print(line);
		for (const line of [remark, advice]) if (line !== undefined) terminal.print(line);
	}
	// A line on the error output, for who reads JSON; the report has said it.
	const { verdict } = examination;
	if (verdict === "missed" || verdict === "undecided") throw new ProblemsFound(verdictText(examination));
}
