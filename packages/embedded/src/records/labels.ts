import { BOUNDS, NighError } from "@nigh/contract";

/** @throws NighError `COLLECTION_FULL` where there are not `count` labels left, from `nextLabel` on. */
export function checkLabelsLeft(nextLabel: number, count: number): void {
	const left = BOUNDS.label.max + 1 - nextLabel;
	if (count <= left) return;
	throw new NighError(
		"COLLECTION_FULL",
		`${count} more vectors do not fit: a collection numbers every vector ever written to it, and only ${left} of its ${BOUNDS.label.max + 1} numbers are left. Copy its records into a new collection.`,
		{ value: count, bound: left },
	);
}
