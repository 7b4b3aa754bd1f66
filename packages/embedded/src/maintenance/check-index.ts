import { isNighError } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { checkAborted } from "../verbs/check-aborted.ts";
import type { Differing } from "../workers/messages.ts";
import { recordsFinding } from "./check-files.ts";
import { lookUpSample } from "./look-up-sample.ts";
import type { Finding } from "./messages.ts";

/** A sound graph leads to all of its nodes, but for a few that a bound on their number of links has cut off. */
const LEAST_REACHABLE = 0.99;
/** Vectors that a sound graph may miss when it is asked for them. */
const LEAST_FOUND = 0.95;

/**
 * Whether the index in memory says what the records say: it has all of them and nothing else, its graph holds together, and a sample of the
 * vectors is found.
 *
 * @throws NighError `ABORTED`; `CLOSED` and `NOT_FOUND` where the collection is gone.
 */
export async function checkIndex(core: CollectionCore, signal: AbortSignal | undefined): Promise<readonly Finding[]> {
	try {
		return [...(await checkSlots(core)), ...(await checkGraph(core)), ...(await checkSample(core, signal))];
	} catch (error) {
		if (isNighError(error, "CORRUPT_RECORDS")) return [recordsFinding(core.name, error.message)];
		// Rows of the index that are on disk cannot be read.
		if (isNighError(error, "CORRUPT_SNAPSHOT")) return [inIndex(core, error.message)];
		throw error;
	}
}

async function checkSlots(core: CollectionCore): Promise<Finding[]> {
	const { writer } = core.database.threads;
	const failure = await writer.call("failure", core.key);
	if (failure !== null) return [inIndex(core, failure)];
	const { missing, stray } = await writer.call("compare", { key: core.key, now: core.now });
	const told = ({ count, first }: Differing) => `${count}, the first with the label ${first}`;
	const findings: Finding[] = [];
	if (missing.count > 0) {
		findings.push(inIndex(core, `Records of the collection "${core.name}" are not in its index: ${told(missing)}.`));
	}
	if (stray.count > 0) {
		findings.push(
			inIndex(core, `Vectors in the index of the collection "${core.name}" have no record: ${told(stray)}.`),
		);
	}
	return findings;
}

async function checkGraph(core: CollectionCore): Promise<Finding[]> {
	if (core.searcher === undefined) return [];
	const graph = await core.database.threads.indexer.call("check", core.key);
	const findings: Finding[] = [];
	if (graph === null) return findings;
	if (graph.dangling > 0) {
		findings.push(inIndex(core, `The graph of the collection "${core.name}" has ${graph.dangling} links to nowhere.`));
	}
	if (graph.reachable < LEAST_REACHABLE) {
		const share = `${(graph.reachable * 100).toFixed(2)} %`;
		findings.push(inIndex(core, `Of the graph of the collection "${core.name}" only ${share} can be reached.`));
	}
	return findings;
}

async function checkSample(core: CollectionCore, signal: AbortSignal | undefined): Promise<Finding[]> {
	const sample = await lookUpSample(core, () => checkAborted(signal));
	const { looked, missed, lost } = sample;
	const of = `of ${looked} records of the collection "${core.name}" that were looked up by their own vector`;
	if (lost.length > 0) {
		const names = lost.slice(0, 3).map((id) => JSON.stringify(id));
		return [inIndex(core, `${lost.length} ${of} are not found, such as ${names.join(", ")}.`)];
	}
	if (missed > looked * (1 - LEAST_FOUND)) return [inIndex(core, `${missed} ${of} are found only by comparing all.`)];
	return [];
}

function inIndex({ name }: CollectionCore, message: string): Finding {
	const recommendation = "No record is lost: repair() builds the index again from the records.";
	return { in: "index", problem: { collection: name, code: "CORRUPT_SNAPSHOT", message, recommendation } };
}
