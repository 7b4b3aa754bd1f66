import type { Eligibility } from "../eligibility.ts";
import type { IvfReaderSpec } from "./reader-spec.ts";
import { CHUNK_ROWS, type IvfScratch } from "./scratch.ts";
import { RowScan } from "./search-cells.ts";
import type { IvfView } from "./view.ts";

/**
 * Ranks the labels of a bitmap by exact keys to the query in the scratch. Where rows have codes these are read first: with what is known of how far a
 * row lies from its code they leave few whose rows have to be read, and lose none. Returns how many answers there are, and how many
 * rows were compared.
 */
export function rankMatches(
	view: IvfView,
	scratch: IvfScratch,
	{ cursor: cursorAt, places, firstLabel, labelCount }: IvfReaderSpec,
	{ address, covered }: NonNullable<Eligibility["allow"]>,
	query: { readonly k: number; readonly eligibility: number },
): { readonly found: number; readonly ranked: number } {
	const { arena } = view;
	const words = Math.ceil(Math.min(covered, firstLabel + labelCount) / 32);
	const cursor = arena.u32(cursorAt, 1);
	cursor[0] = 0;
	const scan = new RowScan(view, scratch, query);
	const range = [places, firstLabel, labelCount] as const;
	while ((cursor[0] as number) < words) {
		const n = arena.kernels.listMatches(address, cursorAt, words, ...range, CHUNK_ROWS, scratch.labels, scratch.places);
		if (n > 0) scan.rank(n);
	}
	return { found: scan.found(), ranked: scan.ranked };
}
