import {
	BOUNDS,
	type CertifyReport,
	type Collection,
	isNighError,
	requireFeature,
	type VectorInput,
} from "@nigh/contract";
import { randomFrom, shuffle } from "@nigh/recall";
import { certifyLines, isKept } from "../certify/lines.ts";
import { lookAtQueries } from "../certify/look-at-queries.ts";
import { CERTIFY_OPTIONS, type CertifySettings, certifySettings, K } from "../certify/settings.ts";
import { dataHelp } from "../database/data-folder.ts";
import { withCollection } from "../database/with-database.ts";
import { queryVectors } from "../search/query-vectors.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { jsonText } from "../terminal/json.ts";
import { ProblemsFound } from "../terminal/problems-found.ts";
import { withProgress } from "../terminal/progress.ts";
import { countText } from "../terminal/quantities.ts";
import type { Command, Terminal } from "./command.ts";

const HELP = `nigh certify: measures recall, and has searches keep what they promise

Usage: nigh certify COLLECTION [options]

  --query FILE        queries of your own: vectors such as searches will have
                      (fvecs, bvecs, npy or jsonl), not vectors that are
                      stored. Of more than ${BOUNDS.certifyQueries.max} as many are drawn. Default:
                      the searches there were, or vectors held out of the index.
                      Searches of programs that open the folder for writing are
                      logged, those of nigh search are not
  --filter JSON       what the queries of the file are asked with
  -k N, --k N         hits of the searches to certify, ${K.min} to ${K.max}; default:
                      those that were asked for
  --target R          mean recall to keep, ${BOUNDS.recall.min} to ${BOUNDS.recall.max}; default: those that were
                      asked for
  --confidence C      how sure a certificate is, ${BOUNDS.confidence.min} to ${BOUNDS.confidence.max}; default ${BOUNDS.confidence.default}
  --family-wise       so sure of all of them together; needs more queries
  --max-queries N     queries to compare with exact answers, ${BOUNDS.certifyQueries.min} to ${BOUNDS.certifyQueries.max}; default
                      ${BOUNDS.certifyQueries.default}
  --max-ms N          end after so many ms with what is certified by then
${dataHelp(20)}

From then on searches take the cheapest setting certified for their k, filter
and recall whose measured mean has some headroom above the target, and say so;
nigh tune may prefer one of the next dearer ones that measures faster. A
certificate speaks of the mean over searches that come as the queries did, not
of a single one. Others search meanwhile.
Up to 100 queries of a file are looked up first, and it is told where many of
them are stored vectors: an index finds its own too well.
Ctrl-C ends it, and what is certified by then is kept. nigh doctor measures in
the same way and writes nothing.

Exit code 1 where something is left without a certificate: too few queries, or
nothing short of exact keeps the target.

Examples
  nigh certify notes
  nigh certify words --query questions.fvecs -k 10 --target 0.95
  nigh certify words --max-ms 60000 --json`;

export const certifyCommand: Command = {
	name: "certify",
	summary: "measures recall, and has searches keep their promise",
	help: HELP,
	run: async (args, terminal) => {
		const settings = certifySettings(parseArguments(args, CERTIFY_OPTIONS));
		await interruptible((signal) =>
			withCollection(settings.folder, settings.collection, "write", async (collection, { capabilities }) => {
				requireFeature(capabilities, "certify", "certify()");
				await certify(collection, settings, terminal, signal);
			}),
		);
	},
};

/**
 * Certifies, and prints what has come of it.
 *
 * @throws ProblemsFound where something is left without a certificate.
 */
export async function certify(
	collection: Collection,
	{ query, options, json }: Pick<CertifySettings, "query" | "options" | "json">,
	terminal: Terminal,
	signal: AbortSignal,
): Promise<void> {
	const { name } = collection;
	const queries = query === undefined ? undefined : await queryVectors(query, await collection.stats());
	const looked =
		queries === undefined
			? undefined
			: await withProgress(terminal.errors, "looking at the queries", (onProgress) =>
					lookAtQueries(collection, queries, { filter: options.filter, signal, onProgress }),
				);
	// Before it begins, which may take long: it can still be left.
	if (!json && looked?.warning != null) terminal.print(looked.warning);
	let report: CertifyReport;
	try {
		report = await withProgress(terminal.errors, "certifying", (onProgress) =>
			collection.certify({
				...options,
				...(queries !== undefined && { queries: drawn(queries) }),
				onProgress,
				signal,
			}),
		);
	} catch (error) {
		if (isNighError(error, "ABORTED")) {
			terminal.errors.write(`What was certified by then is kept: nigh stats ${name} shows it.\n`);
		}
		throw error;
	}
	if (json) terminal.print(jsonText({ collection: name, ...(looked !== undefined && { queries: looked }), ...report }));
	else for (const line of certifyLines(name, report, options.maxMs)) terminal.print(line);
	const { statements } = report;
	const missing = statements.filter((statement) => !isKept(statement)).length;
	if (statements.length === 0) throw new ProblemsFound("nothing was certified: there are no searches to certify for.");
	if (missing > 0) {
		throw new ProblemsFound(
			`${countText(missing, "cell")} without a certificate; nigh certify --query FILE takes more queries, nigh doctor tells how many would do.`,
		);
	}
}

const SEED = 1;

/** As many as a certification takes: not the first ones, since a file may have an order. */
function drawn(queries: VectorInput[]): VectorInput[] {
	const { max } = BOUNDS.certifyQueries;
	return queries.length <= max ? queries : shuffle(queries, randomFrom(SEED)).slice(0, max);
}
