import type { MoveRow, RowAt } from "./move-row.ts";

/** Of a place that nothing comes to. */
export const NO_SOURCE = 0xffffffff;

/**
 * Moves the codes of rows among places without a second set of these: place `i` gets what is in `sources[i]`. What is in a place that is nobody's
 * source is lost. `sources` is used up.
 *
 * @param at Where the codes of a place are.
 * @param spare Room for the codes of one row.
 * @param onMoved Told of each place, in any order, with the term of its row.
 */
export function moveInPlace(
	sources: Uint32Array,
	{ at, spare, move }: { readonly at: (place: number) => RowAt; readonly spare: RowAt; readonly move: MoveRow },
	onMoved: (place: number, term: number) => void,
): void {
	const n = sources.length;
	/** Places whose own codes have not been moved yet. */
	const isHeld = new Uint8Array(n);
	for (const source of sources) if (source < n) isHeld[source] = 1;
	/** Fills one place; returns the one that this has left. */
	const fill = (place: number): number => {
		const source = sources[place] as number;
		onMoved(place, move(at(source), at(place)));
		sources[place] = NO_SOURCE;
		return source;
	};
	for (let first = 0; first < n; first++) {
		let place = first;
		while (place < n && isHeld[place] === 0 && sources[place] !== NO_SOURCE) {
			place = fill(place);
			if (place < n) isHeld[place] = 0;
		}
	}
	// Whatever is left goes round in circles.
	for (let first = 0; first < n; first++) {
		if (sources[first] === NO_SOURCE) continue;
		move(at(first), spare);
		let place = first;
		while (sources[place] !== first) place = fill(place);
		onMoved(place, move(spare, at(place)));
		sources[place] = NO_SOURCE;
	}
}
