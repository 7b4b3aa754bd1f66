import { NighError } from "@nigh/contract";
import type { Label } from "../vector-index.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { fits } from "./reserve.ts";

/** @throws NighError `LOCKED` where there are readers on other threads; where labels are to be inserted, only if they do not fit. */
export function checkReaders(file: InvertedFile, labels?: Iterable<Label>): void {
	if (!file.sharing.active || (labels !== undefined && fits(file, labels))) return;
	const { readers } = file.sharing;
	const what =
		labels === undefined
			? "this would change what they read: give them back with releaseReader() first, or build another index"
			: "these vectors do not fit in what was reserved, or are there already: build another index with a larger reserve()";
	throw new NighError("LOCKED", `${readers} readers on other threads are open on this index, and ${what}`, { readers });
}
