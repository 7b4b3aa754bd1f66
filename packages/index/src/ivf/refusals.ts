import { NighError } from "@nigh/contract";
import type { IvfView } from "./view.ts";

/** The error of a call that needs the vectors of an index that does not hold them; `instead` says what to do. */
export function notHeld(what: string, instead: string): NighError {
	return new NighError(
		"UNSUPPORTED",
		`${what} needs the vectors, which an index of storage "disk" does not hold: ${instead}`,
		{ field: "storage", value: "disk" },
	);
}

/** What to do in place of a search that ranks by the vectors. */
const SPLIT = "let probe() name the rows that decide the answer, and give their vectors to rank()";

/** @throws NighError `UNSUPPORTED` for a search over an index on disk that is to rank by the vectors. */
export function checkHeld(
	{ kind, storage, rerank }: IvfView["parameters"],
	asked: { readonly rerank?: number | undefined; readonly exact?: boolean | undefined },
): void {
	if (storage === "memory") return;
	if (asked.exact === true) throw notHeld("exact: true", SPLIT);
	if (kind === "ivf") throw notHeld("search", SPLIT);
	if ((asked.rerank ?? rerank) !== 0)
		throw notHeld("a search that ranks again", `${SPLIT}; or ask for estimates with rerank: 0`);
}

/** @throws NighError `UNSUPPORTED` where the index does not hold the vectors. */
export function checkInMemory({ storage }: IvfView["parameters"], what: string, instead = SPLIT): void {
	if (storage === "disk") throw notHeld(what, instead);
}

/** The error of a probe over rows that have no codes. */
export function noCodes(): NighError {
	return new NighError(
		"UNSUPPORTED",
		'probe looks at codes, and the vectors of this index have none: create it with codes "sq7", or search() it',
		{ field: "codes", value: "none" },
	);
}
