/** How far apart two rungs may be in cost, as a ratio. */
export const SPACING = 1.1;

/**
 * Whole numbers from `least` to `most`, each at most {@link SPACING} times the one before, or one more where that is less: the widths of a
 * ladder. A search costs something beside what is in proportion to its width, so that costs are nearer to each other than widths are.
 *
 * @returns The widest first.
 */
export function widths(least: number, most: number): number[] {
	const found = [most];
	for (let width = most; width > least; ) {
		width = Math.max(least, Math.min(width - 1, Math.ceil(width / SPACING)));
		found.push(width);
	}
	return found;
}

/**
 * Looks for the width that a ladder is to begin with, by a pilot: doubles it until the mean recall of the pilot's queries reaches `goal`, or stops at
 * `most`. A generator that yields each width it wants to know the mean of, and is told it.
 *
 * The pilot's queries must not be used again: what a ladder begins with is fixed before the first query of the certification is drawn.
 *
 * @returns The width, and the mean there: below the goal where nothing reaches it.
 */
export function* dearestWidth(
	least: number,
	most: number,
	goal: number,
): Generator<number, { width: number; mean: number }, number> {
	let width = Math.min(least, most);
	for (;;) {
		const mean = yield width;
		if (mean >= goal || width === most) return { width, mean };
		width = Math.min(most, 2 * width);
	}
}

/** The mean recall a pilot is to see on the dearest rung, so that it passes for the target: it misses a fifth of what may be missed. */
export function pilotGoal(target: number): number {
	return 1 - (1 - target) / 5;
}
