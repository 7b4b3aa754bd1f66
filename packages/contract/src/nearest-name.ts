/**
 * The candidate a mistyped name most likely means, or `undefined` when none is near: at most a third of the candidate's letters
 * (at least one) may be wrong. Upper and lower case count as equal; of equally near candidates the first one wins.
 *
 * @example nearestName("fliter", ["filter", "k"]) // "filter"
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
	const typed = name.toLowerCase();
	let nearest: string | undefined;
	let least = Number.POSITIVE_INFINITY;
	for (const candidate of candidates) {
		const allowed = Math.max(1, Math.floor(candidate.length / 3));
		// Also keeps a name of a million characters from costing a million squared.
		if (Math.abs(candidate.length - name.length) > allowed) continue;
		const distance = alignmentDistance(typed, candidate.toLowerCase());
		if (distance > allowed || distance >= least) continue;
		nearest = candidate;
		least = distance;
	}
	return nearest;
}

/**
 * Optimal string alignment distance: the fewest insertions, deletions, substitutions and swaps of neighbours that turn `a` into
 * `b`, no substring being edited twice. Counted in UTF-16 code units.
 */
export function alignmentDistance(a: string, b: string): number {
	let beforePrevious: number[] = [];
	let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
	for (let row = 1; row <= a.length; row++) {
		const current = [row];
		for (let column = 1; column <= b.length; column++) {
			const same = a[row - 1] === b[column - 1];
			let best = Math.min(
				(previous[column] as number) + 1,
				(current[column - 1] as number) + 1,
				(previous[column - 1] as number) + (same ? 0 : 1),
			);
			const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
			if (swapped) best = Math.min(best, (beforePrevious[column - 2] as number) + 1);
			current.push(best);
		}
		beforePrevious = previous;
		previous = current;
	}
	return previous[b.length] as number;
}
