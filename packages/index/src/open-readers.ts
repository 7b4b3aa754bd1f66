import { NighError } from "@nigh/contract";

/**
 * Checks that a write moves and reuses nothing that readers on other threads read.
 *
 * @param fits Where vectors are to be inserted: whether all of them fit in what was reserved.
 * @throws NighError `LOCKED` where there are such readers; where vectors are to be inserted, only if they do not fit.
 */
export function checkReaders(
	{ active, readers }: { readonly active: boolean; readonly readers: number },
	fits?: () => boolean,
): void {
	if (!active || fits?.() === true) return;
	const what =
		fits === undefined
			? "this would change what they read: give them back with releaseReader() first, or build another index"
			: "these vectors do not fit in what was reserved, or are there already: build another index with a larger reserve()";
	throw new NighError("LOCKED", `${readers} readers on other threads are open on this index, and ${what}`, { readers });
}
