import { type Collection, type Filter, NighError, type VectorInput } from "@nigh/contract";
import { randomFrom, shuffle } from "@nigh/recall";
import { Questions } from "../doctor/questions.ts";
import { storedQueriesText } from "../doctor/stored-queries.ts";

/** Queries that are looked at, at most: each is an exact search. */
const LOOKED_AT = 100;
const SEED = 1;

/** What was seen of the queries of a file before anything is certified by them. */
export interface LookedAt {
	readonly given: number;
	readonly lookedAt: number;
	/** Of those that were looked at. */
	readonly equalToStored: number;
	/** That they are hardly the queries of users; `null` where they may be. */
	readonly warning: string | null;
}

export interface LookOptions {
	readonly filter?: Filter | undefined;
	readonly signal: AbortSignal;
	readonly onProgress: (done: number, total: number) => void;
}

/**
 * Looks whether the queries of a file are vectors that are stored, by the exact searches of a draw of them: a certificate speaks of queries such as
 * these, and stored ones are found too well.
 *
 * @throws NighError `INVALID_OPTION` where nothing matches the filter; `ABORTED`.
 */
export async function lookAtQueries(
	collection: Collection,
	queries: readonly VectorInput[],
	{ filter, signal, onProgress }: LookOptions,
): Promise<LookedAt> {
	const drawn = shuffle([...queries], randomFrom(SEED)).slice(0, LOOKED_AT);
	const { length, equalToStored } = await Questions.ask(collection, drawn, { k: 1, filter, signal }, onProgress);
	if (length === 0 && filter !== undefined) {
		throw new NighError("INVALID_OPTION", "No record matches the filter: there is no recall to certify.", {
			field: "filter",
		});
	}
	const warning = storedQueriesText(equalToStored, length) ?? null;
	return { given: queries.length, lookedAt: drawn.length, equalToStored, warning };
}
