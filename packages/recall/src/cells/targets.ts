/**
 * The recalls that are certified. One that is asked for is rounded up to the next of them; above the last every search is exact. A fixed
 * grid, each with a sequence of its own: a target that may be any number could be moved to just below what a sample happens to show.
 */
export const TARGETS: readonly number[] = [
	0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999,
];

/**
 * The least target of the grid that is at least `recall`; 1, which only an exact search keeps, where there is none.
 *
 * @param recall 0.5 to 1.
 */
export function targetFor(recall: number): number {
	return TARGETS.find((target) => target >= recall) ?? 1;
}
