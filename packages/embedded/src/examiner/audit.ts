import { recallOf, selectivityBand } from "@nigh/recall";
import type { Audit } from "../recall/queries.ts";
import { servedCell } from "./cells.ts";
import type { ExaminedCollection } from "./examined-collection.ts";
import { Subject } from "./subject.ts";

/**
 * Compares a search with the exact answer of its state, and lets the watch of its cell look at what that gives. Returns its recall; `undefined` where
 * that state is not there any more, or nothing matches.
 *
 * @param check Throws `Interrupted` where the work is to end.
 */
export async function auditSearch(
	collection: ExaminedCollection,
	audit: Audit,
	check: () => void,
): Promise<{ readonly recall: number; readonly alarmed: boolean } | undefined> {
	if (audit.generation !== collection.searcher.generation.handle.number) return undefined;
	const recall = await recallOfSearch(collection, audit, check);
	if (recall === undefined) return undefined;
	const stratum = collection.stratum(audit.band, selectivityBand(audit.share));
	const process = stratum.processOf(audit.process);
	// Between the search and now something else may have been certified, or a drop found: what does not serve any more is not watched.
	const isPast = servedCell(stratum, audit.target, collection.identity)?.process !== audit.process;
	if (process === undefined || isPast) return { recall, alarmed: false };
	const detector = process.detector(audit.target, stratum.k, collection.around.random);
	const alarmed = detector.add(recall);
	if (alarmed) {
		stratum.voidAll({ at: collection.around.now(), audits: detector.size, mean: detector.recentMean });
		collection.purges++;
	}
	collection.isChanged = true;
	return { recall, alarmed };
}

async function recallOfSearch(
	{ key, searcher, around }: ExaminedCollection,
	{ vector, k, node, distances, change }: Audit,
	check: () => void,
): Promise<number | undefined> {
	const compare = async (subject: Subject) => {
		const [truth] = await subject.truths([vector], k);
		return truth && recallOf(distances, truth.kth, truth.wanted);
	};
	if (node === undefined) return compare(new Subject(searcher, check, { change }));
	const matches = await around.matchesOf({ key, searcher }, node);
	// Which records matched at an earlier state, nobody can tell any more.
	if (matches?.change !== change) return undefined;
	return compare(new Subject(searcher, check, { change, matches }));
}
