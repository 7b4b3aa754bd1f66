import { type FilterNode, predicateOf } from "@nigh/contract";
import { type Narrowing, narrow } from "./narrow.ts";
import { parseMetadata } from "./parse-metadata.ts";

/** How the matches of a filter are found. */
export interface Matching {
	/** Gives the rows that may match. */
	readonly narrowing: Narrowing;
	/** Whether a row with this metadata column does; `undefined` where each of them does. */
	readonly accepts: ((json: string | null) => boolean) | undefined;
}

/** No filter: every record. */
const ALL: Matching = { narrowing: { sql: "TRUE", parameters: [], exact: true }, accepts: undefined };

export function matchingOf(node: FilterNode | undefined): Matching {
	if (node === undefined) return ALL;
	const narrowing = narrow(node);
	if (narrowing?.exact) return { narrowing, accepts: undefined };
	const predicate = predicateOf(node);
	return {
		narrowing: narrowing ?? ALL.narrowing,
		accepts: (json) => predicate(json === null ? undefined : parseMetadata(json)),
	};
}
