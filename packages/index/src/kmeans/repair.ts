import type { Draws } from "./draws.ts";
import type { TrainingState } from "./state.ts";

/**
 * How far the two halves of a cell are put from its mean, as a share of the way to one of its rows. The plane between them is the same for
 * any share; a small one keeps both nearer to the cell's rows than other centroids are.
 */
const STEP = 1 / 64;

/** A cell that was empty, and the one that it got half of; `undefined` where it was moved to a random row. */
export interface Repair {
	readonly empty: number;
	readonly split: number | undefined;
}

/** Gives cells that have no rows (in the last grouping) something to do: moves their centroids in `next`. */
export function repairEmpty(state: TrainingState, draws: Draws): Repair[] {
	const { offsets } = state;
	const empty: number[] = [];
	const full: number[] = [];
	for (let cell = 0; cell < state.parameters.k; cell++) {
		(offsets[cell] === offsets[cell + 1] ? empty : full).push(cell);
	}
	if (empty.length === 0) return [];
	return state.parameters.repair === "random"
		? empty.map((cell) => moveToRow(state, cell, draws))
		: splitLargest(state, empty, full, draws);
}

function moveToRow(state: TrainingState, empty: number, draws: Draws): Repair {
	state.copyRow(state.rows[draws.below(state.n)] as number, state.next + empty * state.bytes);
	return { empty, split: undefined };
}

/** Each empty cell gets half of the largest cell that has two different rows and was not split yet; of equally large ones the lowest. */
function splitLargest(state: TrainingState, empty: readonly number[], full: number[], draws: Draws): Repair[] {
	const { offsets } = state;
	const size = (cell: number) => (offsets[cell + 1] as number) - (offsets[cell] as number);
	const largest = full.filter((cell) => size(cell) > 1).sort((a, b) => size(b) - size(a) || a - b);
	const repairs: Repair[] = [];
	for (const cell of largest) {
		const taker = empty[repairs.length];
		if (taker === undefined) break;
		if (split(state, cell, taker, draws)) repairs.push({ empty: taker, split: cell });
	}
	return repairs;
}

/**
 * Puts both centroids to either side of the cell's mean, on the line to one of its rows, drawn in proportion to its squared distance from
 * the mean. Returns whether there was a row apart from the mean.
 */
function split(state: TrainingState, cell: number, taker: number, draws: Draws): boolean {
	const { rows, distances } = state.distancesOf(state.next, cell);
	const drawn = draws.weighted(distances);
	if (drawn === undefined) return false;
	const { address, stride, dimensions } = state.points;
	const row = state.arena.f32(address + (rows[drawn] as number) * stride, dimensions);
	const mean = state.row(state.next, cell);
	const other = state.row(state.next, taker);
	let apart = false;
	for (let i = 0; i < dimensions; i++) {
		const middle = mean[i] as number;
		const step = STEP * ((row[i] as number) - middle);
		mean[i] = middle - step;
		other[i] = middle + step;
		apart ||= mean[i] !== other[i];
	}
	return apart;
}
