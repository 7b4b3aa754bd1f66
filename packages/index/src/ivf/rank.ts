import type { Eligibility } from "../eligibility.ts";
import { listAllowed } from "./probe-matches.ts";
import type { IvfReaderSpec } from "./reader-spec.ts";
import { RowScan } from "./row-scan.ts";
import type { IvfScratch } from "./scratch.ts";
import type { IvfView } from "./view.ts";

/**
 * Ranks the labels of a bitmap by exact keys to the query in the scratch. Where rows have codes these are read first: with what is known of how far a
 * row lies from its code they leave few whose rows have to be read, and lose none. Returns how many answers there are, and how many
 * rows were compared.
 */
export function rankMatches(
	view: IvfView,
	scratch: IvfScratch,
	spec: IvfReaderSpec,
	allow: NonNullable<Eligibility["allow"]>,
	query: { readonly k: number; readonly eligibility: number },
): { readonly found: number; readonly ranked: number } {
	const scan = new RowScan(view, scratch, query);
	listAllowed(view.arena, scratch, spec, allow, (n) => {
		scan.rank(n);
		return true;
	});
	return { found: scan.found(), ranked: scan.ranked };
}
